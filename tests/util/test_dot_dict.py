import copy
import pickle

import jax
import pytest
from jax.tree_util import DictKey

from brainstate.util import DotDict


def test_construction():
    expected = {"a": 1, "b": 2}
    for made in (
        DotDict({"a": 1}, {"b": 2}),
        DotDict(("a", 1), b=2),
        DotDict([("a", 1), ("b", 2)]),
        DotDict((("a", 1), ("b", 2))),
        DotDict(None, a=1, b=2),
    ):
        assert made == expected
    assert DotDict((1, 2)) == {1: 2}


def test_nested_dicts_are_converted_at_construction_only():
    d = DotDict({"a": {"b": 1}, "c": [{"d": 2}], "e": ({"f": 3},)})
    assert d.a.b == 1
    assert d.c[0].d == 2
    assert d.e[0].f == 3
    given = {"x": 1}
    d.later = given
    assert d.later is given


def test_attributes_are_items():
    d = DotDict(a=1)
    d.b = 2
    del d.a
    assert d == {"b": 2}
    assert not hasattr(d, "a")
    with pytest.raises(AttributeError, match=r"'a'.*\['b'\]"):
        _ = d.a
    with pytest.raises(AttributeError, match="'a'"):
        del d.a


@pytest.mark.parametrize("name", ["keys", "update", "to_dict", "tree_flatten"])
def test_method_names_cannot_be_assigned(name):
    d = DotDict()
    with pytest.raises(AttributeError, match=name):
        setattr(d, name, 1)
    d[name] = 1
    assert d == {name: 1}


def test_update_merges_nested_dicts():
    d = DotDict(net={"size": 3, "deep": {"x": 1}}, dt=0.1)
    net = d.net
    d.update({"net": {"deep": {"y": 2}}, "dt": 0.2}, new=1)
    assert d == {"net": {"size": 3, "deep": {"x": 1, "y": 2}}, "dt": 0.2, "new": 1}
    assert d.net is net
    d |= {"net": {"size": 4}}
    assert d.net.size == 4
    d.update(net=5)
    assert d.net == 5


def test_update_does_not_change_a_plain_dict_that_was_assigned():
    plain = {"x": 1}
    d = DotDict()
    d.a = plain
    d.update(a={"y": 2})
    assert d == {"a": {"x": 1, "y": 2}}
    assert plain == {"x": 1}


def test_copies():
    d = DotDict(a=[1], b={"c": [2]})
    assert type(d.copy()) is type(d.deepcopy()) is DotDict
    assert d.copy() == d.deepcopy() == d
    assert d.copy().b is d.b
    assert d.deepcopy().b.c is not d.b.c
    assert copy.copy(d) == pickle.loads(pickle.dumps(d)) == d
    assert type(pickle.loads(pickle.dumps(d)).b) is DotDict


def test_setdefault():
    d = DotDict(a=1)
    assert (d.setdefault("a", 2), d.setdefault("b"), d) == (1, None, {"a": 1, "b": None})


def test_to_dict_is_plain_all_the_way_down():
    plain = DotDict({"a": {"b": 1}, "c": [{"d": 2}], "e": ({"f": 3},)}).to_dict()
    assert plain == {"a": {"b": 1}, "c": [{"d": 2}], "e": ({"f": 3},)}
    assert {type(x) for x in (plain, plain["a"], plain["c"][0], plain["e"][0])} == {dict}


def test_pytree_in_insertion_order():
    d = DotDict(b=1, a=2)
    assert jax.tree.leaves_with_path(d) == [((DictKey("b"),), 1), ((DictKey("a"),), 2)]
    assert d.tree_flatten() == ((1, 2), ("b", "a"))
    mapped = jax.tree.map(lambda x: {"x": x}, d)
    assert type(mapped) is DotDict
    assert mapped == {"b": {"x": 1}, "a": {"x": 2}}
    assert type(mapped.a) is dict
