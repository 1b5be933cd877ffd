import copy
import pickle

import jax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainstate.util import FrozenDict

TREES = st.recursive(
    st.dictionaries(st.sampled_from("abc"), st.integers(), max_size=3),
    lambda inner: st.dictionaries(
        st.sampled_from("abc"), st.one_of(st.integers(), inner), max_size=3
    ),
    max_leaves=6,
)


@given(TREES)
def test_equal_to_the_plain_dict_in_every_way(tree):
    frozen = FrozenDict(tree)
    assert frozen == tree
    assert tree == frozen
    assert len(frozen) == len(tree)
    assert list(frozen.keys()) == list(tree)
    assert list(frozen.values()) == list(tree.values())
    assert list(frozen.items()) == list(tree.items())
    assert frozen.unfreeze() == tree
    assert type(frozen.unfreeze()) is dict
    assert pickle.loads(pickle.dumps(frozen)) == copy.deepcopy(frozen) == frozen


@given(TREES)
def test_hash_does_not_depend_on_order(tree):
    def reverse(level):
        return {k: reverse(v) if isinstance(v, dict) else v for k, v in reversed(level.items())}

    assert hash(FrozenDict(tree)) == hash(FrozenDict(reverse(tree)))
    assert FrozenDict(tree) == FrozenDict(reverse(tree))


@given(TREES)
def test_pytree_is_like_the_plain_dict(tree):
    frozen = FrozenDict(tree)
    assert jax.tree.leaves_with_path(frozen) == jax.tree.leaves_with_path(tree)
    mapped = jax.tree.map(lambda x: x + 1, frozen)
    assert type(mapped) is FrozenDict
    assert mapped == jax.tree.map(lambda x: x + 1, tree)


def test_nested_dicts_are_copied_and_frozen():
    inner = {"b": 1}
    frozen = FrozenDict({"a": inner}, c=2)
    inner["b"] = 9
    assert frozen == {"a": {"b": 1}, "c": 2}
    assert type(frozen["a"]) is FrozenDict
    assert {type(v) for v in frozen.values()} == {FrozenDict, int}
    assert type(frozen.unfreeze()["a"]) is dict


def test_immutable():
    frozen = FrozenDict(a=1)
    with pytest.raises(ValueError, match="'a'"):
        frozen["a"] = 2
    with pytest.raises(ValueError, match="'a'"):
        del frozen["a"]
    with pytest.raises(AttributeError, match="immutable"):
        frozen.a = 2
    with pytest.raises(AttributeError):
        _ = frozen.a
    assert frozen == {"a": 1}


def test_copy_and_pop():
    frozen = FrozenDict(a=1, b={"c": 2})
    assert frozen.copy({"a": 5, "d": {"e": 3}}) == {"a": 5, "b": {"c": 2}, "d": {"e": 3}}
    assert frozen.copy() == frozen
    rest, value = frozen.pop("b")
    assert (rest, value) == (FrozenDict(a=1), {"c": 2})
    assert "b" in frozen
    with pytest.raises(KeyError):
        frozen.pop("zz")


def test_unhashable_value():
    with pytest.raises(TypeError, match="unhashable"):
        hash(FrozenDict(a=[1]))


def test_usable_as_a_static_argument():
    scaled = jax.jit(lambda x, config: x * config["scale"], static_argnums=1)
    assert scaled(2.0, FrozenDict(scale=3)) == 6


def test_mixed_keys():
    mapped = jax.tree.map(lambda x: -x, FrozenDict({"a": 1, 0: {"b": 2, 1: 3}}))
    assert mapped == {"a": -1, 0: {"b": -2, 1: -3}}


def test_repr():
    assert repr(FrozenDict()) == "FrozenDict({})"
    frozen = FrozenDict(a="x", b={"c": {}})
    assert repr(frozen) == ("FrozenDict({\n    a: 'x',\n    b: {\n        c: {},\n    },\n})")
    assert frozen.pretty_repr(num_spaces=1) == "FrozenDict({\n a: 'x',\n b: {\n  c: {},\n },\n})"
