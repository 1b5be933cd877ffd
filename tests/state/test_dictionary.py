"""`StateDictManager`: a dictionary of States."""

import jax
import jax.numpy as jnp
import pytest

from brainstate import HiddenState, ParamState, ShortTermState, State, StateDictManager
from brainstate.transform import grad


@pytest.fixture
def states():
    return StateDictManager(w=ParamState(1.0), v=HiddenState(2.0), c=ShortTermState(3.0))


def test_is_a_dict_of_states(states):
    assert isinstance(states, dict)
    assert list(states) == ["w", "v", "c"]
    assert StateDictManager.__module__ == "brainstate"


@pytest.mark.parametrize("add", ["add_unique_key", "add_unique_value"])
def test_only_states_are_added(states, add):
    with pytest.raises(TypeError, match="holds States; found float"):
        getattr(states, add)("x", 1.0)
    assert "x" not in states


def test_tree_map_may_put_values_in_the_places_of_states(states):
    values = jax.tree.map(lambda state: state.value, states)
    assert dict(values) == {"w": 1.0, "v": 2.0, "c": 3.0}


def test_assign_values(states):
    states.assign_values({"w": 10.0}, {"v": 20.0, "w": 11.0})
    assert states.to_dict_values() == {"w": 11.0, "v": 20.0, "c": 3.0}


def test_assign_values_names_the_unknown_key(states):
    with pytest.raises(KeyError, match=r"No State 'zz' here.*'w', 'v', 'c'"):
        states.assign_values({"zz": 1.0})


def test_values_as_dicts(states):
    assert states.to_dict_values() == {"w": 1.0, "v": 2.0, "c": 3.0}
    assert states.collect_values() == {"w": 1.0, "v": 2.0, "c": 3.0}


def test_split_by_type(states):
    params, rest = states.split(ParamState)
    assert type(params) is type(rest) is StateDictManager
    assert (list(params), list(rest)) == (["w"], ["v", "c"])
    params, hidden, rest = states.split(ParamState, HiddenState)
    assert (list(params), list(hidden), list(rest)) == (["w"], ["v"], ["c"])
    assert params["w"] is states["w"]


def test_split_values(states):
    assert states.split_values(ParamState) == ({"w": 1.0}, {"v": 2.0, "c": 3.0})
    assert states.split_values(ParamState, ShortTermState) == (
        {"w": 1.0},
        {"v": 2.0, "c": 3.0},
        {},
    )


def test_subsets_are_managers_too(states):
    for part in (
        states.subset(ShortTermState),
        states.subset((HiddenState, ShortTermState)),
        states.subset(lambda s: not isinstance(s, ParamState)),
        states.not_subset(ParamState),
    ):
        assert type(part) is StateDictManager
        assert set(part) == {"v", "c"}


def test_unique_keys_and_values(states):
    w = states["w"]
    states.add_unique_key("w", w)
    with pytest.raises(ValueError, match="'w'"):
        states.add_unique_key("w", ParamState(1.0))
    assert not states.add_unique_value("again", w)
    assert "again" not in states
    assert states.add_unique_value("fresh", ParamState(1.0))
    states["alias"] = w
    assert "alias" not in states.unique()


def test_is_a_pytree_of_states(states):
    leaves, tree = jax.tree.flatten(states)
    assert set(leaves) == set(states.values())
    again = tree.unflatten(leaves)
    assert type(again) is StateDictManager
    assert again == states
    named = jax.tree_util.tree_leaves_with_path(states)
    assert {path[0].key: leaf for path, leaf in named} == dict(states)


def test_gradients_come_as_a_plain_dict():
    states = StateDictManager(b=ParamState(jnp.ones(())), a=ParamState(jnp.ones(()) * 2))
    grads = grad(lambda: states["a"].value ** 2 + 3 * states["b"].value, states)()
    assert type(grads) is dict
    assert list(grads) == ["a", "b"]
    assert (float(grads["a"]), float(grads["b"])) == (4.0, 3.0)


def test_states_of_one_class_only():
    empty, rest = StateDictManager(x=State(1.0)).split(ParamState)
    assert (dict(empty), list(rest)) == ({}, ["x"])
