"""`debug` names the first bad write inside every transformation, and nothing is lost."""

import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate.util import BadWriteError
from contract.transformations import EFFECTIVE, JIT, PAIRS, name_of, through


class Decaying:
    """Counts its runs; from the second on its value is infinite."""

    def __init__(self):
        self.runs = brainstate.State(0, name="runs")
        self.rate = brainstate.State(jnp.ones(2), name="rate")

    def __call__(self, x):
        self.runs.value += 1
        self.rate.value = jnp.array([1.0, 0.0]) / (2.0 - self.runs.value) + 0 * x
        return x


NESTS = [*((row,) for row in EFFECTIVE if row is not JIT), *PAIRS[::4]]


@pytest.mark.parametrize("rows", NESTS, ids=name_of)
def test_first_bad_write_is_named(rows):
    body = Decaying()
    call = through(*rows)(body)
    runs = int(np.prod([row.runs for row in rows]))
    if runs == 1:
        with brainstate.debug():
            call(jnp.float32(1.0))
        assert int(body.runs.value) == 1
    before = int(body.runs.value), body.rate.value
    expected = pytest.raises(BadWriteError, match="State 'rate' was assigned infinity at")
    with expected as caught, brainstate.debug():
        call(jnp.float32(1.0))
    error = caught.value
    assert (error.state, error.index) == (body.rate, (0,))
    assert error.lanes == (0,) * sum(row.lanes for row in rows)
    loops = [row for row in rows if row.runs > 1]
    last = [0] * len(loops)
    if loops:
        last[-1] = 1  # the second run of the body
    assert error.steps == tuple(last)
    assert (int(body.runs.value), body.rate.value) == before
