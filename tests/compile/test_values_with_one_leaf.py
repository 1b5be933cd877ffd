"""Written States with one leaf inside a structure, such as a Quantity, are stored leaf by leaf."""

import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate.compile import jit

WRAPPED = {
    "quantity": (lambda x: x * u.mV, lambda v: v.to_decimal(u.mV)),
    "dict": (lambda x: {"a": x}, lambda v: v["a"]),
    "list": (lambda x: [x], lambda v: v[0]),
    "tuple": (lambda x: (x,), lambda v: v[0]),
    "list in a dict": (lambda x: {"a": [x]}, lambda v: v["a"][0]),
}


@pytest.mark.parametrize("name", WRAPPED)
@pytest.mark.parametrize("reading", [False, True], ids=["unread", "read between"])
def test_values_with_one_leaf(name, reading):
    wrap, unwrap = WRAPPED[name]
    bare, pair = brainstate.State(0.0), brainstate.State((0.0, 1.0))
    states = [brainstate.State(wrap(jnp.full(2, 1.0 + i))) for i in range(3)]

    @jit
    def step():
        for state in states:
            state.value = wrap(unwrap(state.value) * 2)
        pair.value = (pair.value[0] + 1, pair.value[1] * 2)
        bare.value += 1

    held = []
    for n in range(1, 5):
        step()
        if reading or n == 4:
            held.append([state.value for state in states])
            for i, value in enumerate(held[-1]):
                np.testing.assert_array_equal(unwrap(value), (1.0 + i) * 2**n)
    if reading:  # what was read earlier stays as it was
        np.testing.assert_array_equal(unwrap(held[0][2]), 6.0)
    assert (bare.value, pair.value) == (4, (4, 16))


def test_edits_in_place_between_calls_count():
    state, other = brainstate.State({"a": jnp.ones(2)}), brainstate.State({"a": jnp.ones(2)})

    @jit
    def step():
        for s in (state, other):
            s.value = {"a": s.value["a"] + 1}

    step()
    value = state.value
    value["a"] = jnp.full(2, 10.0)
    step()
    assert state.value["a"].tolist() == [11.0, 11.0]
    assert other.value["a"].tolist() == [3.0, 3.0]
    assert value["a"].tolist() == [10.0, 10.0]


def test_a_value_may_get_and_lose_its_structure():
    first, second = brainstate.State(jnp.ones(2)), brainstate.State(jnp.ones(2))

    @jit
    def step():
        for state in (first, second):
            state.value = state.value * 2

    step()
    first.value = first.value * u.mV
    step()
    assert first.value.unit == u.mV
    assert first.value.mantissa.tolist() == second.value.tolist() == [4.0, 4.0]
    first.value, second.value = first.value.mantissa, second.value * u.mA
    step()
    assert first.value.tolist() == second.value.mantissa.tolist() == [8.0, 8.0]
