"""A body runs once, however deep the transformations are nested, and not again once compiled."""

import jax.numpy as jnp
import pytest

import brainstate
from contract.transformations import BY_NAME, EFFECTIVE, JIT, PAIRS, name_of, runs_of, through


class Counting:
    """A body that counts how often Python runs it, and has an effect to keep it honest."""

    def __init__(self):
        self.runs = 0
        self.total = brainstate.State(jnp.zeros(()))

    def __call__(self, x):
        self.runs += 1
        self.total.value = self.total.value + x
        return self.total.value * x


@pytest.mark.parametrize("rows", PAIRS, ids=name_of)
def test_body_runs_once_in_pairs(rows):
    body = Counting()
    call = through(*rows)(body)
    call(jnp.float32(1.0))
    assert body.runs == 1
    assert float(body.total.value) == runs_of(rows)


@pytest.mark.parametrize("start", range(0, len(EFFECTIVE), 4))
def test_body_runs_once_eight_levels_deep(start):
    rows = tuple(EFFECTIVE[(start + i) % len(EFFECTIVE)] for i in range(8))
    body = Counting()
    call = through(JIT, *rows)(body)
    for expected in (1, 2):
        call(jnp.float32(1.0))
        assert body.runs == (1 if expected == 1 or BY_NAME["pmap"] not in rows else 2)
        assert float(body.total.value) == expected * runs_of(rows)
