"""What the whole suite needs before JAX starts: a platform, eight devices, steady Hypothesis."""

import os

from hypothesis import HealthCheck, settings

HOST_DEVICES = "--xla_force_host_platform_device_count"

# JAX_PLATFORMS=cuda,cpu make suite runs the suite on a GPU.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "Agg")
if HOST_DEVICES not in os.environ.get("XLA_FLAGS", ""):
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {HOST_DEVICES}=8".strip()

# The first example of a shape compiles, so time limits say nothing here.
settings.register_profile(
    "brainstate",
    deadline=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("brainstate")
