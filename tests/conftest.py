"""What the whole suite needs before JAX starts: a platform, eight devices, quick compilation."""

import os
import tempfile

from hypothesis import HealthCheck, settings

# JAX_PLATFORMS=cuda,cpu make suite runs the suite on a GPU.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "Agg")

# The suite compiles thousands of tiny programs, many of them alike: XLA need not polish them, nor
# compile one twice. This halves the time of a run.
_cache = tempfile.TemporaryDirectory(prefix="brainstate-tests-", ignore_cleanup_errors=True)
os.environ["JAX_COMPILATION_CACHE_DIR"] = _cache.name  # of this process: writes are not atomic
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
for flag, value in (
    ("--xla_force_host_platform_device_count", 8),
    ("--xla_backend_optimization_level", 0),
):
    if flag not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}={value}".strip()

# The first example of a shape compiles, so time limits say nothing here.
settings.register_profile(
    "brainstate",
    deadline=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("brainstate")
