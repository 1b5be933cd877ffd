import os
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"

SCRIPT = """
import jax, jax.numpy as jnp
from brainstate.util import clear_buffer_memory

calls = []

@jax.jit
def double(x):
    calls.append(1)
    return 2 * x

kept = double(jnp.ones(3))
clear_buffer_memory(array={array}, compilation={compilation})
try:
    kept + 1
except RuntimeError:
    print("deleted", end=" ")
else:
    print("alive", end=" ")
double(jnp.ones(3))
print(len(calls))
"""


@pytest.mark.parametrize(
    ("array", "compilation", "expected"),
    [(True, False, "deleted 1"), (True, True, "deleted 2"), (False, False, "alive 1")],
)
def test_in_a_process_of_its_own(array, compilation, expected):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(array=array, compilation=compilation)],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == expected
