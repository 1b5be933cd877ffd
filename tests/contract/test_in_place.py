"""Containers in a State, edited in place: the same in plain Python and in every transformation."""

import dataclasses

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
import brainstate.transform as bt
from contract.transformations import (
    EFFECTIVE,
    JIT,
    KINDS,
    PAIRS,
    ROWS,
    name_of,
    nests,
    runs_of,
    some_nests,
    through,
)


def table():
    return brainstate.State(
        {"w": jnp.float32(1.0), "deep": [jnp.float32(1.0), {"b": jnp.zeros(2)}], "q": 1.0 * u.mV}
    )


def edit(state, x):
    """Edits at every depth, and a read after each."""
    state.value["w"] = state.value["w"] + x
    state.value["deep"][0] = state.value["w"] * 2.0
    held = state.value["deep"][1]
    held["b"] = held["b"] + state.value["deep"][0]
    state.value["q"] = state.value["q"] + x * u.mV
    return state.value["deep"][1]["b"].sum()


def as_numbers(value):
    leaves, tree = jax.tree.flatten(value)
    return [np.asarray(leaf) for leaf in leaves], tree


def in_numpy(runs, x):
    w, b = 1.0, np.zeros(2)
    for _ in range(runs):
        w = w + x
        b = b + 2.0 * w
    return {"w": w, "deep": [2.0 * w, {"b": b}], "q": (1.0 + runs * x) * u.mV}


@pytest.mark.parametrize("rows", [(), *some_nests(EFFECTIVE)], ids=name_of)
def test_edits_in_place_are_writes(rows):
    state = table()
    call = through(*rows)(lambda x: edit(state, x))
    for calls in (1, 2):
        out = call(jnp.float32(3.0))
        expected = in_numpy(calls * runs_of(rows), 3.0)
        found, tree = as_numbers(state.value)
        numbers, expected_tree = as_numbers(expected)
        assert tree == expected_tree
        for a, b in zip(found, numbers, strict=True):
            np.testing.assert_allclose(a, b)
        np.testing.assert_allclose(out, expected["deep"][1]["b"].sum())


@pytest.mark.parametrize("rows", nests([r for r in ROWS if not r.effects]), ids=name_of)
def test_looking_at_a_body_edits_nothing(rows):
    state = table()
    before, tree = as_numbers(state.value)
    through(*rows)(lambda x: edit(state, x))(jnp.float32(3.0))
    found, found_tree = as_numbers(state.value)
    assert tree == found_tree
    for a, b in zip(found, before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("rows", [*some_nests(ROWS), *PAIRS[::4]], ids=name_of)
def test_edits_of_a_failing_body_are_taken_back(rows):
    state = table()
    held, inner = state.value, state.value["deep"]
    before, tree = as_numbers(held)

    def body(x):
        edit(state, x)
        state.value["new"] = x
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        through(*rows)(body)(jnp.float32(3.0))
    assert state.value is held
    assert held["deep"] is inner
    found, found_tree = as_numbers(held)
    assert found_tree == tree
    for a, b in zip(found, before, strict=True):
        assert a == b if np.ndim(a) == 0 else np.array_equal(a, b)


@pytest.mark.parametrize("rows", some_nests(EFFECTIVE), ids=name_of)
def test_edits_between_calls_are_seen(rows):
    """Through a reference that was taken long before."""
    state = brainstate.State({"w": jnp.float32(1.0), "deep": {"v": jnp.ones(2)}})
    held, deep = state.value, state.value["deep"]

    def body(x):
        return (state.value["w"] * state.value["deep"]["v"]).sum() * x

    call = through(*rows)(body)
    x = jnp.float32(1.0)
    assert float(call(x)) == 2.0
    held["w"] = jnp.float32(3.0)
    assert float(call(x)) == 6.0
    deep["v"] = jnp.array([1.0, 4.0])
    assert float(call(x)) == 15.0
    held["w"] = jnp.float32(3.0)
    assert float(call(x)) == 15.0
    assert state.value is held
    assert state.value["deep"] is deep


@pytest.mark.parametrize("rows", some_nests(EFFECTIVE), ids=name_of)
def test_edits_of_an_inner_container_held_alone_are_seen(rows):
    state = brainstate.State({"deep": {"v": jnp.ones(2)}})
    deep = state.value["deep"]
    call = through(*rows)(lambda x: state.value["deep"]["v"].sum() * x)
    for value in (1.0, 3.0, 5.0):
        deep["v"] = jnp.full(2, value)
        found = [float(call(jnp.float32(1.0))) for _ in range(2)]
        outside = float(state.value["deep"]["v"].sum())  # what plain Python sees
        assert found == [outside, outside]
        deep = state.value["deep"]


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Record:
    """A container of the user's own, which can be edited too."""

    w: jax.Array
    parts: list


@pytest.mark.parametrize("rows", [(), *some_nests(EFFECTIVE)], ids=name_of)
def test_containers_of_other_types_are_edited_alike(rows):
    state = brainstate.State(Record(jnp.float32(2.0), [jnp.float32(1.0)]))
    fails = [False]

    def body(x):
        state.value.w = state.value.w * x
        state.value.parts[0] = state.value.parts[0] + x
        if fails[0]:
            raise ZeroDivisionError
        return state.value.w

    call = through(*rows)(body)
    runs = runs_of(rows)
    call(jnp.float32(3.0))
    assert (float(state.value.w), float(state.value.parts[0])) == (2.0 * 3.0**runs, 1.0 + 3 * runs)
    if rows:
        fails[0] = True
        with pytest.raises(ZeroDivisionError):
            call(jnp.float16(3.0))
        assert float(state.value.w) == 2.0 * 3.0**runs


EDITS = {
    "leaf of another type": lambda v: v.update(w=jnp.arange(2)),
    "number": lambda v: v.update(w=5.0),
    "NumPy array": lambda v: v.update(w=np.full(2, 6.0, np.float32)),
    "quantity": lambda v: v.update(w=jnp.float32(7.0) * u.mV),
    "new entry": lambda v: v.update(z=jnp.float32(8.0)),
    "entry taken away": lambda v: v.pop("deep"),
    "cleared": lambda v: (v.clear(), v.update(w=jnp.float32(9.0))),
    "list grown": lambda v: v["deep"].append(jnp.float32(10.0)),
    "list shrunk": lambda v: v["deep"].pop(),
    "list reversed": lambda v: v["deep"].reverse(),
    "same leaf twice": lambda v: v.update(deep=[v["w"], v["w"]]),
    "two leaves swapped": lambda v: v["deep"].__setitem__(slice(2), v["deep"][1::-1]),
}


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_between_calls_of_jit_is_seen(name):
    state = brainstate.State(
        {"w": jnp.float32(1.0), "deep": [jnp.float32(2.0), jnp.array([3.0, 4.0])]}
    )
    held = state.value

    def weighted(value):
        leaves = [u.get_mantissa(x) for x in jax.tree.leaves(value)]
        return sum((i + 1.0) * jnp.sum(x) for i, x in enumerate(leaves)) + 100.0 * len(leaves)

    call = bt.jit(lambda: weighted(state.value))
    for _ in range(2):
        assert float(call()) == float(weighted(held))
    EDITS[name](held)
    for _ in range(2):
        assert float(call()) == float(weighted(held))


@pytest.mark.parametrize("shape", [(), (1,), (3,), (0,)], ids=str)
def test_flat_dicts_of_any_shape(shape):
    """Dicts of large arrays are compared another way than those of small ones."""
    state = brainstate.State({"a": jnp.full(shape, 1.0), "b": jnp.full(shape, 2.0)})
    held = state.value
    call = bt.jit(lambda: state.value["a"].sum() * 10 + state.value["b"].sum())
    size = int(np.prod(shape))
    assert float(call()) == 12.0 * size
    held["a"] = jnp.full(shape, 3.0)
    assert float(call()) == 32.0 * size
    held["a"], held["b"] = held["b"], held["a"]
    assert float(call()) == 23.0 * size
    held["b"] = np.full(shape, 1.0, np.float32)  # equal to nothing that was there
    assert float(call()) == 21.0 * size
    held["b"] = jnp.full(shape, 1.0)  # equal to what is there
    assert float(call()) == 21.0 * size


@pytest.mark.parametrize("row", KINDS, ids=name_of)
def test_two_states_that_share_a_container(row):
    """A container given to two States is one container outside, and two values in a body."""
    shared = {"w": jnp.float32(1.0)}
    one, two = brainstate.State(shared), brainstate.State(shared)
    call = row(lambda x: (one.value["w"] + two.value["w"]) * x)
    x = jnp.float32(1.0)
    assert float(call(x)) == 2.0
    shared["w"] = jnp.float32(5.0)
    assert float(call(x)) == 10.0
    one.value = {"w": jnp.float32(1.0)}
    assert float(call(x)) == 6.0


def test_assigned_container_is_kept_as_it_is():
    state, mine = brainstate.State({"w": 0.0}), {"w": jnp.float32(1.0)}
    state.value = mine
    JIT(lambda: state.value["w"] * 2.0)()
    assert state.value is mine


@pytest.mark.parametrize("row", KINDS, ids=name_of)
def test_edit_of_a_parameter_while_differentiating(row):
    """The gradient is with respect to the value from before the edit."""
    weight = brainstate.ParamState({"w": jnp.float32(2.0)})

    def loss():
        weight.value["w"] = weight.value["w"] * 3.0
        return weight.value["w"] ** 2

    found = brainstate.State({"w": jnp.float32(0.0)})

    def body(x):
        found.value["w"] = bt.grad(loss, weight)()["w"]
        return x

    row(body)(jnp.float32(1.0))
    last = 2.0 * 3.0 ** (row.runs - 1)
    np.testing.assert_allclose(found.value["w"], 18.0 * last)
    np.testing.assert_allclose(weight.value["w"], 2.0 * 3.0**row.runs)
