import copy

import jax
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax.tree_util import DictKey

from brainstate.util import DictManager


class Numbers(DictManager):
    def _check_elem(self, elem):
        if not isinstance(elem, (int, float)):
            raise TypeError("numbers only")


def test_subset_and_split_by_type():
    d = DictManager(a=1, b=2.0, c="x", d=3)
    assert d.subset(int) == {"a": 1, "d": 3}
    assert d.subset((int, str)) == {"a": 1, "c": "x", "d": 3}
    assert d.subset(lambda v: v == 2.0) == {"b": 2.0}
    assert d.not_subset(int) == {"b": 2.0, "c": "x"}
    assert d.not_subset((int, str)) == {"b": 2.0}
    assert d.split(int, str) == ({"a": 1, "d": 3}, {"c": "x"}, {"b": 2.0})
    assert {type(part) for part in d.split(int)} == {DictManager}
    for wrong in ("int", (int, 3)):
        with pytest.raises(TypeError, match="What to split by is a type"):
            d.subset(wrong)


def test_unique_keeps_the_first_key_of_each_object():
    x, y = [1], [1]
    d = DictManager(a=x, b=y, c=x)
    assert list(d.unique()) == ["a", "b"]
    assert len(d) == 3
    assert d.unique_() is d
    assert list(d) == ["a", "b"]


def test_add_unique_key():
    x, y = [1], [1]
    d = DictManager(a=x)
    d.add_unique_key("a", x)
    d.add_unique_key("b", y)
    assert d["b"] is y
    with pytest.raises(ValueError, match="'a'"):
        d.add_unique_key("a", y)


def test_add_unique_value_sees_every_earlier_change():
    x, y = [1], [1]
    d = DictManager()
    assert d.add_unique_value("a", x)
    assert not d.add_unique_value("b", x)
    assert d.add_unique_value("b", y)
    d.pop("a")
    assert d.add_unique_value("c", x)
    d["d"] = z = [2]
    assert not d.add_unique_value("e", z)
    assert list(d) == ["b", "c", "d"]


def test_element_check_of_a_subclass():
    d = Numbers()
    for add in (d.add_unique_key, d.add_unique_value):
        with pytest.raises(TypeError, match="numbers only"):
            add("a", "text")
    assert d == {}


def test_assign():
    d = DictManager(a=1)
    d.assign({"a": 2}, {"b": 3})
    assert d == {"a": 2, "b": 3}
    with pytest.raises(TypeError, match="list"):
        d.assign([("a", 1)])


KEYS = st.sets(st.sampled_from("abcdef"))


@given(KEYS, KEYS)
def test_key_operations_are_set_operations(own, given_keys):
    d = DictManager({key: [key] for key in sorted(own)})
    assert set(d.difference_by_keys(given_keys)) == own - given_keys
    assert set(d.intersection_by_keys(given_keys)) == own & given_keys
    assert set(d) == own
    assert d.pop_by_keys(given_keys) is None
    assert set(d) == own - given_keys


def test_value_operations_by_identity_and_by_equality():
    x, y = [1], [2]
    d = DictManager(a=x, b=y)
    equal_to_x = [1]
    assert d.difference_by_values([x]) == {"b": y}
    assert d.difference_by_values([equal_to_x]) == d
    assert d.difference_by_values([equal_to_x], by="value") == {"b": y}
    assert d.intersection_by_values([equal_to_x]) == {}
    assert d.intersection_by_values(iter([equal_to_x]), by="value") == {"a": x}
    assert d.pop_by_values([equal_to_x], by="id") is None
    assert list(d) == ["a", "b"]
    d.pop_by_values([equal_to_x], by="value")
    assert d == {"b": y}
    with pytest.raises(ValueError, match="'name'"):
        d.difference_by_values([x], by="name")


def test_union_by_value_ids():
    x, y, z = [1], [1], [3]
    d = DictManager(a=x, b=x)
    joined = d.union_by_value_ids({"c": x, "d": y, "e": y, "a": x, "f": z})
    assert type(joined) is DictManager
    assert {key: id(value) for key, value in joined.items()} == {"a": id(x), "d": id(y), "f": id(z)}
    assert list(d) == ["a", "b"]
    with pytest.raises(ValueError, match="'a'"):
        d.union_by_value_ids({"a": z})


def test_sum_and_copies():
    d = Numbers(a=1)
    assert type(d + {"b": 2}) is Numbers
    assert d + {"a": 0, "b": 2} == {"a": 0, "b": 2}
    assert type(copy.copy(d)) is Numbers
    assert copy.copy(d) == d
    assert type(d.to_dict()) is dict
    with pytest.raises(TypeError):
        d + 3


def test_pytree_in_insertion_order():
    d = DictManager(b=1, a=2)
    assert jax.tree.leaves_with_path(d) == [((DictKey("b"),), 1), ((DictKey("a"),), 2)]
    assert d.tree_flatten() == ((1, 2), ("b", "a"))
    mapped = jax.tree.map(lambda v: -v, d)
    assert type(mapped) is DictManager
    assert list(mapped.items()) == [("b", -1), ("a", -2)]


def test_repr():
    assert repr(DictManager()) == "DictManager({})"
    assert repr(Numbers(a=1, b=2)) == "Numbers({\n  'a': 1,\n  'b': 2\n})"
