import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainstate.util import FlattedDict, NestedDict, PathContains, flat_mapping, nest_mapping


class Ref:
    def __init__(self, state):
        self.state = state


class Box:
    """Behaves like a State as far as the dicts are concerned."""

    def __init__(self, value):
        self.value = value

    def to_state_ref(self):
        return Ref(self)

    def replace(self, value):
        return type(self)(value)


class OtherBox(Box):
    pass


KEYS = st.one_of(st.sampled_from("abcd"), st.integers(0, 3))
LEAVES = st.one_of(st.integers(), st.floats(allow_nan=False), st.text(max_size=2))
LEVELS = st.recursive(
    st.dictionaries(KEYS, LEAVES, min_size=1, max_size=3),
    lambda inner: st.dictionaries(KEYS, st.one_of(LEAVES, inner), min_size=1, max_size=3),
    max_leaves=8,
)
TREES = st.one_of(LEVELS, st.just({}))


def paths(tree, path=()):
    """The leaves of a nested dict by path, written as plainly as possible."""
    found = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found.update(paths(value, (*path, key)))
        else:
            found[(*path, key)] = value
    return found


@given(TREES)
def test_nested_and_flat_forms_are_inverse(tree):
    nested = NestedDict(tree)
    flat = nested.to_flat()
    assert type(flat) is FlattedDict
    assert flat == paths(tree)
    assert type(flat.to_nest()) is NestedDict
    assert flat.to_nest() == tree
    assert NestedDict.from_flat(flat) == NestedDict.from_flat(list(flat.items())) == tree
    assert FlattedDict.from_nest(tree) == FlattedDict.from_nest(nested) == flat
    assert nest_mapping(flat_mapping(tree)) == tree


@given(TREES)
def test_equality_with_plain_dicts_and_pure_dicts(tree):
    nested = NestedDict(tree)
    assert nested == tree
    assert tree == nested
    assert nested != {**tree, "other": 0}
    assert type(nested.to_dict()) is dict
    pure = nested.to_pure_dict()
    assert type(pure) is dict
    assert pure == tree


@given(TREES, st.permutations([int, float, PathContains("a")]))
def test_split_is_a_partition(tree, filters):
    for container in (NestedDict(tree), NestedDict(tree).to_flat()):
        parts = container.split(*filters, ...)
        assert {type(part) for part in parts} == {type(container)}
        flat_parts = [paths(p) if type(p) is NestedDict else dict(p) for p in parts]
        assert sum(map(len, flat_parts)) == len(paths(tree))
        assert {path: leaf for part in flat_parts for path, leaf in part.items()} == paths(tree)
        assert container.filter(*filters) == container.subset(*filters) == parts[:-1]
        assert type(container).merge(*parts) == container


def test_split_with_one_filter_gives_the_dict_itself():
    nested = NestedDict({"a": {"b": 1}, "c": "x"})
    assert nested.filter(int) == {"a": {"b": 1}}
    assert nested.split(...) == nested
    with pytest.raises(ValueError, match="Non-exhaustive"):
        nested.split(int)
    with pytest.raises(ValueError, match="last"):
        nested.filter(..., int)


@given(TREES)
def test_tree_map_keeps_class_and_structure(tree):
    for container in (NestedDict(tree), NestedDict(tree).to_flat()):
        mapped = jax.tree.map(lambda leaf: (leaf,), container)
        assert type(mapped) is type(container)
        leaf_by_path = paths(mapped) if type(mapped) is NestedDict else dict(mapped)
        assert leaf_by_path == {path: (leaf,) for path, leaf in paths(tree).items()}
        again = jax.tree.map(lambda leaf: leaf, container)
        assert jax.tree.structure(again) == jax.tree.structure(container)


@given(TREES, st.randoms(use_true_random=False))
def test_order_of_leaves_does_not_depend_on_insertion(tree, random):
    def shuffled(level):
        items = list(level.items())
        random.shuffle(items)
        return {k: shuffled(v) if isinstance(v, dict) else v for k, v in items}

    one, two = NestedDict(tree), NestedDict(shuffled(tree))
    assert jax.tree.structure(one) == jax.tree.structure(two)
    assert jax.tree.leaves(one) == jax.tree.leaves(two)
    assert jax.tree.leaves(one.to_flat()) == jax.tree.leaves(two.to_flat())


@given(TREES)
def test_key_paths_lead_to_the_leaves(tree):
    for path, leaf in jax.tree.leaves_with_path(NestedDict(tree)):
        found = tree
        for step in path:
            assert isinstance(step, jax.tree_util.DictKey)
            found = found[step.key]
        assert found is leaf
    flat = NestedDict(tree).to_flat()
    assert {path[0].key: leaf for path, leaf in jax.tree.leaves_with_path(flat)} == flat


def test_children_are_ordered_as_in_a_plain_dict():
    tree = {"b": 1, "a": {"d": 2, "c": 3}}
    assert jax.tree.leaves(NestedDict(tree)) == jax.tree.leaves(tree) == [3, 2, 1]
    assert list(jax.tree.map(lambda x: x, NestedDict(tree))) == ["a", "b"]


def test_keys_that_cannot_be_compared():
    tree = {"a": {"x": 1, 0: {"y": 2, 3: 3}}, 1: 4}
    doubled = jax.jit(lambda t: jax.tree.map(lambda x: 2 * x, t))(NestedDict(tree))
    assert type(doubled) is NestedDict
    assert doubled == {"a": {"x": 2, 0: {"y": 4, 3: 6}}, 1: 8}
    assert type(doubled["a"]) is dict
    assert type(doubled["a"][0]) is dict
    assert jax.tree.leaves(NestedDict(tree)) == [4, 3, 2, 1]


def test_boxes_are_leaves():
    box = Box(1.0)
    assert jax.tree.leaves(NestedDict({"a": {"b": box}})) == [box]
    assert jax.tree.leaves(FlattedDict({("a", "b"): box})) == [box]


def test_gradient_with_respect_to_a_nested_dict():
    values = NestedDict({"w": {"x": jnp.arange(3.0)}, "b": jnp.ones(3)})
    grads = jax.grad(lambda v: jnp.sum(v["w"]["x"] ** 2 * v["b"]))(values)
    assert type(grads) is NestedDict
    np.testing.assert_allclose(grads["w"]["x"], 2 * np.arange(3.0))
    np.testing.assert_allclose(grads["b"], np.arange(3.0) ** 2)


def test_attribute_access():
    nested = NestedDict({"a": 1, "b": {"c": 2}})
    assert nested.a == 1
    assert nested.b == {"c": 2}
    assert not hasattr(nested, "zz")
    with pytest.raises(AttributeError, match=r"'zz'.*\['a', 'b'\]"):
        _ = nested.zz
    nested.note = "kept outside"
    assert dict(nested) == {"a": 1, "b": {"c": 2}}
    assert not hasattr(FlattedDict({("a",): 1}), "a")


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
@pytest.mark.parametrize("original", [NestedDict({"a": {"b": 1}}), FlattedDict({("a", "b"): 1})])
def test_copies_keep_class_and_content(original, copied):
    assert type(copied(original)) is type(original)
    assert copied(original) == original


def test_merge_takes_both_kinds_and_later_wins():
    nested, flat = NestedDict({"a": {"x": 1, "y": 2}}), FlattedDict({("a", "y"): 3, ("b",): 4})
    assert NestedDict.merge(nested, flat) == {"a": {"x": 1, "y": 3}, "b": 4}
    assert FlattedDict.merge(flat, nested) == {("a", "x"): 1, ("a", "y"): 2, ("b",): 4}
    assert type(NestedDict.merge(nested, flat)) is NestedDict
    assert type(FlattedDict.merge(flat, nested)) is FlattedDict
    assert nested == {"a": {"x": 1, "y": 2}}


def test_merge_of_one():
    nested, flat = NestedDict({"a": {"x": 1}}), FlattedDict({("a", "x"): 1})
    assert NestedDict.merge(nested) is nested
    assert FlattedDict.merge(flat) is flat
    assert NestedDict.merge(flat) == nested
    assert FlattedDict.merge(nested) == flat


@pytest.mark.parametrize("cls", [NestedDict, FlattedDict])
def test_merge_refuses_plain_dicts(cls):
    with pytest.raises(TypeError, match="found a dict"):
        cls.merge(cls(), {"a": 1})


def test_union_and_difference():
    a, b = NestedDict({"a": {"x": 1, "y": 2}}), NestedDict({"a": {"y": 9}, "c": 3})
    assert a | b == {"a": {"x": 1, "y": 9}, "c": 3}
    assert a - b == {"a": {"x": 1}}
    assert type(a | b) is type(a - b) is NestedDict
    assert a | NestedDict() is a
    flat_a, flat_b = a.to_flat(), b.to_flat()
    assert flat_a | flat_b == (a | b).to_flat()
    assert flat_a - flat_b == (a - b).to_flat()
    a |= b
    assert a == {"a": {"x": 1, "y": 9}, "c": 3}


def test_operators_refuse_other_classes():
    nested = NestedDict({"a": 1})
    for other in ({"a": 1}, nested.to_flat()):
        with pytest.raises(TypeError, match="NestedDict"):
            nested | other
        with pytest.raises(TypeError, match="NestedDict"):
            nested - other


def test_treefy_state_and_values():
    box, other = Box(1), OtherBox(2)
    nested = NestedDict({"a": {"b": box}, "c": other, "d": 3})
    refs = nested.treefy_state()
    assert type(refs) is NestedDict
    assert refs["a"]["b"].state is box
    assert refs["c"].state is other
    assert refs["d"] == 3
    flat_refs = nested.to_flat().treefy_state()
    assert type(flat_refs) is FlattedDict
    assert flat_refs["a", "b"].state is box
    values = nested.to_flat().to_dict_values()
    assert type(values) is dict
    assert values == {("a", "b"): 1, ("c",): 2, ("d",): 3}


def test_replace_by_pure_dict():
    nested = NestedDict({"a": {"b": OtherBox(1), "c": 2}, "s": "text"})
    nested.replace_by_pure_dict({"a": {"b": {"inside": 5}}, "s": "new"})
    assert type(nested["a"]["b"]) is OtherBox
    assert nested["a"]["b"].value == {"inside": 5}
    assert nested["a"]["c"] == 2
    assert nested["s"] == "new"
    nested.replace_by_pure_dict({"a": {"c": 3}}, replace_fn=lambda old, new: (old, new))
    assert nested["a"]["c"] == (2, 3)
    with pytest.raises(ValueError, match=r"\('a', 'zz'\)"):
        nested.replace_by_pure_dict({"a": {"zz": 1}})


def test_flat_mapping_options():
    tree = {"a": {"b": 1, "empty": {}}, "c": {"d": {"e": 2}}}
    assert flat_mapping(tree) == {("a", "b"): 1, ("c", "d", "e"): 2}
    assert flat_mapping(tree, is_leaf=None) == flat_mapping(tree)
    assert flat_mapping(tree, is_leaf=lambda path, _: path == ("c", "d")) == {
        ("a", "b"): 1,
        ("c", "d"): {"e": 2},
    }
    assert flat_mapping(tree, sep="/") == {"a/b": 1, "c/d/e": 2}
    assert nest_mapping(flat_mapping(tree, sep="/"), sep="/") == {
        "a": {"b": 1},
        "c": {"d": {"e": 2}},
    }
    kept = flat_mapping(tree, keep_empty_nodes=True)
    assert set(kept) == {("a", "b"), ("a", "empty"), ("c", "d", "e")}
    assert nest_mapping(kept) == tree
    assert jax.tree.leaves(kept) == [1, 2]
    assert nest_mapping(jax.tree.map(lambda x: x, kept)) == tree
    assert flat_mapping({}, keep_empty_nodes=True) == {}


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: flat_mapping([1]), TypeError, "list"),
        (lambda: nest_mapping(3), TypeError, "int"),
        (lambda: flat_mapping({"a": {0: 1}}, sep="."), TypeError, r"0 in path \('a', 0\)"),
        (lambda: nest_mapping({0: 1}, sep="."), TypeError, "0"),
        (lambda: nest_mapping({"a": 1}), TypeError, "tuple of keys"),
        (lambda: nest_mapping({(): 1}), ValueError, "empty path"),
        (lambda: nest_mapping({("a",): 1, ("a", "b"): 2}), ValueError, r"\('a',\)"),
        (lambda: nest_mapping({("a", "b"): 2, ("a",): 1}), ValueError, r"\('a',\)"),
    ],
)
def test_errors_name_the_culprit(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_repr():
    assert repr(NestedDict()) == "NestedDict({})"
    assert repr(FlattedDict()) == "FlattedDict({})"
    tree = NestedDict({"a": {"b": "text", 0: {}}, "c": [1, 2]})
    assert repr(tree) == (
        "NestedDict({\n  'a': {\n    'b': 'text',\n    0: {}\n  },\n  'c': [1, 2]\n})"
    )
    assert repr(FlattedDict({("a", 0): {"w": 1}})) == "FlattedDict({\n  ('a', 0): {'w': 1}\n})"
