"""What derivatives are taken with respect to."""

import collections

import jax
import jax.numpy as jnp
import pytest

from brainstate import ParamState, State
from brainstate.augment.wrt import Targets, Wrt, check_dtypes


@pytest.fixture
def ab():
    return ParamState(1.0, name="a"), ParamState(2.0, name="b")


def test_each_state_is_taken_once_in_order(ab):
    a, b = ab
    assert Targets([b, {"y": a, "x": b}, a], None).states == [b, a]
    assert Targets(None, None).states == []
    assert Targets(a, None).states == [a]


def test_arguments_stand_in_only_where_there_are_no_states(ab):
    assert Targets(None, None).positions(2) == [0]
    assert Targets([], None).positions(2) == [0]
    assert Targets(ab[0], None).positions(2) == []
    assert Targets(ab[0], (-1, 0)).positions(3) == [2, 0]


@pytest.mark.parametrize(("argnums", "count"), [(0, 0), (2, 2), (-3, 2), ((0, 4), 3)])
def test_positions_out_of_range(argnums, count):
    with pytest.raises(ValueError, match=rf"argnums=.*out of range.*{count} positional"):
        Targets(None, argnums).positions(count)


def test_arranges_like_the_container(ab):
    a, b = ab
    ordered = collections.OrderedDict(z=a, y=[b, None])
    assert Targets(ordered, None).arrange(Wrt([1, 2], [])) == {"y": [1, None], "z": 2}
    assert Targets((a, [a, b]), None).arrange(Wrt([1, 2], [])) == (1, [1, 2])
    assert Targets(None, 0).arrange(Wrt([], [7])) == 7
    assert Targets(None, (0,)).arrange(Wrt([], [7])) == (7,)
    assert Targets(a, (0, 1)).arrange(Wrt([1], [7, 8])) == (1, (7, 8))


def test_arranges_at_every_level(ab):
    a, b = ab
    targets = Targets({"a": a, "b": b}, None)
    nested = Wrt([Wrt([1, 2], []), {"v": Wrt([3, 4], [])}], [])
    assert targets.arrange({"out": nested}) == {
        "out": {"a": {"a": 1, "b": 2}, "b": {"v": {"a": 3, "b": 4}}}
    }


def test_keys_of_several_types_keep_their_order(ab):
    a, b = ab
    arranged = Targets({"z": a, 1: b}, None).arrange(Wrt([10, 20], []))
    assert list(arranged.items()) == [("z", 10), (1, 20)]


def test_is_a_pytree():
    wrt = Wrt([1.0, {"x": 2.0}], [3.0])
    doubled = jax.tree.map(lambda x: 2 * x, wrt)
    assert (doubled.states, doubled.args) == ([2.0, {"x": 4.0}], [6.0])


@pytest.mark.parametrize("value", [1, jnp.arange(2), {"f": 1.0, "i": 1}, True])
def test_integers_are_named(value):
    with pytest.raises(TypeError, match=r"State 'n' holds (int32|bool) numbers.*allow_int=True"):
        check_dtypes([State(1.0), State(value, name="n")], allow_int=False)
    check_dtypes([State(value)], allow_int=True)


@pytest.mark.parametrize("value", [1.0, 1j, jnp.ones(2, jnp.bfloat16), None])
def test_inexact_numbers_pass(value):
    check_dtypes([State(value)], allow_int=False)
