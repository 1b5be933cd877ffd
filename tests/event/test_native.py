"""The C++ kernel by itself, under a sanitizer; and what becomes of its library."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import event
from brainstate.event.native import build

HERE = Path(__file__).parent
# Where there is none, the products are those of JAX, which test_product.py goes through.
COMPILERS = [*filter(None, map(shutil.which, ("c++", "g++", "clang++")))][:1]
with_compiler = pytest.mark.parametrize("compiler", COMPILERS)


@with_compiler
def test_hostile_inputs_under_the_address_sanitizer(compiler, tmp_path):
    program = tmp_path / "hostile"
    include = f"-I{Path(build.__file__).parent}"
    flags = ["-std=c++17", "-O1", "-g", "-Wall", "-Wextra", "-Werror"]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    command = [compiler, *flags, include, str(HERE / "hostile.cc"), "-o", str(program)]
    compiled = subprocess.run([*command, *sanitizers], capture_output=True, text=True)
    if "cannot find" in compiled.stderr:  # the sanitizers' library is a package of its own
        compiled = subprocess.run(command, capture_output=True, text=True)
    assert compiled.returncode == 0, compiled.stderr
    done = subprocess.run([program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@with_compiler
def test_large_work_is_shared_among_threads(compiler):
    rng = np.random.default_rng(0)
    targets = jnp.asarray(rng.integers(0, 500, (4000, 300)), jnp.int32)
    weights = jnp.asarray(rng.normal(size=targets.shape), jnp.float32)
    connection = event.FixedFanOut(weights, targets, (4000, 500))
    events = rng.random((3, 4000)) < 0.4
    matrix = np.zeros((4000, 500))
    np.add.at(matrix, (np.arange(4000)[:, None], targets), weights)
    with brainstate.environ.context(event_backend="native"):
        np.testing.assert_allclose(events @ connection, events @ matrix, atol=2e-3)  # samples
        np.testing.assert_allclose(events[0] @ connection, events[0] @ matrix, atol=2e-3)  # parts


@with_compiler
def test_the_library_is_compiled_once_and_kept(compiler, tmp_path):
    code = "import brainstate; print(brainstate.event.backend())"
    environment = {**os.environ, "BRAINSTATE_CACHE_DIR": str(tmp_path / "cache")}

    def ask(**more):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment | more
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert ask().startswith("native: compiled into ")
    (library,) = (tmp_path / "cache").iterdir()
    made = library.stat().st_mtime_ns
    assert str(library) in ask()
    assert [x.stat().st_mtime_ns for x in (tmp_path / "cache").iterdir()] == [made]
    taken = tmp_path / "file"
    taken.write_text("")
    assert "cannot be written to" in ask(BRAINSTATE_CACHE_DIR=str(taken))
    assert ask(CXX="false").startswith("jax: ")
