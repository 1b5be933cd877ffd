"""A body runs once, however deep the transformations are nested, and not again once compiled."""

import jax.numpy as jnp
import pytest

import brainstate
from contract.transformations import BY_NAME, JIT, PAIRS, ROWS, name_of, nests, runs_of, through


class Counting:
    """A body that counts how often Python runs it, and has an effect to keep it honest."""

    def __init__(self):
        self.runs = 0
        self.total = brainstate.State(jnp.zeros(()))

    def __call__(self, x):
        self.runs += 1
        self.total.value = self.total.value + x
        return self.total.value * x


@pytest.mark.parametrize("rows", nests(ROWS), ids=name_of)
def test_body_runs_once_at_the_first_call(rows):
    body = Counting()
    call = through(*rows)(body)
    call(jnp.float32(1.0))
    assert body.runs == 1
    call(jnp.float32(2.0))
    assert body.runs == (1 if rows[0].keeps and not rows[-1].spreads else 2)
    assert float(body.total.value) == 3.0 * runs_of(rows)
    runs = body.runs
    call(jnp.float32(3.0))
    assert body.runs == (runs if rows[0].keeps else 3)
    assert float(body.total.value) == 6.0 * runs_of(rows)


@pytest.mark.parametrize("rows", PAIRS, ids=name_of)
def test_body_runs_once_in_pairs(rows):
    body = Counting()
    call = through(*rows)(body)
    call(jnp.float32(1.0))
    assert body.runs == 1
    assert float(body.total.value) == runs_of(rows)


MIXABLE = [row for row in ROWS if row.effects]


@pytest.mark.parametrize("start", range(0, len(MIXABLE), 4))
def test_body_runs_once_eight_levels_deep(start):
    rows = tuple(MIXABLE[(start + i) % len(MIXABLE)] for i in range(8))
    body = Counting()
    call = through(JIT, *rows)(body)
    for expected in (1, 2):
        call(jnp.float32(1.0))
        assert body.runs == (1 if expected == 1 or BY_NAME["pmap"] not in rows else 2)
        assert float(body.total.value) == expected * runs_of(rows)
