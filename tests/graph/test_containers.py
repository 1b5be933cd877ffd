import copy
from collections.abc import Mapping

import jax.numpy as jnp
import pytest

from brainstate import ParamState, State
from brainstate.compile import jit
from brainstate.graph import Dict, List, Node, Sequential, clone, nodes, states


def test_dict_counts_its_entries():
    d = Dict({"a": 1}, b=State(2))
    assert len(d) == 2
    assert list(d) == ["a", "b"]
    assert dict(d) == {"a": 1, "b": d.b}
    assert isinstance(d, Node)
    assert isinstance(d, Mapping)


def test_dict_entries_are_attributes():
    d = Dict(a=1)
    d["b"] = 2
    d.c = 3
    del d["a"]
    assert [d.b, d["c"], len(d), "a" in d] == [2, 3, 2, False]
    assert d.get("a", 7) == 7


def test_dict_refuses_keys():
    d = Dict(a=1)
    with pytest.raises(ValueError, match="'items' is a method of Dict"):
        d["items"] = 1
    with pytest.raises(TypeError, match="strings, found 3"):
        d[3] = 1
    with pytest.raises(KeyError):
        d["items"]
    with pytest.raises(KeyError):
        del d["b"]
    assert 3 not in d
    assert "update" not in d


def test_dict_is_compared_by_identity():
    assert Dict(a=1) != Dict(a=1)
    assert len({Dict(a=1), Dict(a=1)}) == 2


def test_dict_repr():
    assert repr(Dict(a=1, b="x")) == "Dict(\n  a=1,\n  b='x'\n)"


def test_list_names_its_items_without_gaps():
    items = List([1])
    items.append(2)
    items.extend([3, 4])
    assert [name for name in vars(items) if name.isdigit()] == ["0", "1", "2", "3"]
    assert list(items) == [1, 2, 3, 4]


def test_list_behaves_like_a_list():
    ours, theirs = List(range(12)), list(range(12))
    for items in (ours, theirs):
        items[0] = "a"
        items[-1] = "b"
        items.insert(3, "c")
        del items[5]
        items[1:3] = ["d", "e", "f"]
        items.remove("e")
        items.reverse()
        items += ["g"]
        items.pop(2)
    assert list(ours) == theirs
    assert len(ours) == len(theirs)
    assert [ours[i] for i in range(-12, 12)] == [theirs[i] for i in range(-12, 12)]
    assert list(ours[2:9:3]) == theirs[2:9:3]
    assert isinstance(ours[1:], List)
    assert list(ours + theirs) == list(ours + tuple(theirs)) == theirs + theirs
    assert isinstance(ours + theirs, List)


@pytest.mark.parametrize("index", [2, -3])
def test_list_index_out_of_range(index):
    with pytest.raises(IndexError):
        List([1, 2])[index]


def test_list_keeps_items_that_do_not_move():
    items = List([State(0), State(1)])
    kept = items[0]
    items[1] = State(2)
    assert items[0] is kept
    assert {path: state.value for path, state in states(items).items()} == {("0",): 0, ("1",): 2}


def test_compiled_code_notices_a_longer_list():
    items = List([State(1.0)])
    total = jit(lambda: sum(state.value for state in items))
    assert total() == 1.0
    items.append(State(2.0))
    assert total() == 3.0


def test_copies():
    d = Dict(a=List([State(1)]))
    for new in (clone(d), copy.deepcopy(d)):
        new["a"][0].value = 5
        assert [d["a"][0].value, new.a[0].value, type(new.a)] == [1, 5, List]


class Scale(Node):
    def __init__(self, factor):
        self.factor = ParamState(factor)

    def __call__(self, x):
        return self.factor.value * x


def test_sequential_calls_in_order():
    net = Sequential(Scale(2.0), jnp.square, Scale(3.0))
    assert net(1.0) == 12.0
    assert list(states(net)) == [("layers", 0, "factor"), ("layers", 2, "factor")]
    assert len(nodes(net)) == 3


def test_sequential_spreads_tuples_and_dicts():
    net = Sequential(lambda x, y: (x, y + 1), lambda x, y: {"b": x, "a": y}, lambda a, b: a - b)
    assert net(1, y=2) == 2


def test_sequential_returns_the_last_result_whole():
    assert Sequential(lambda x: (x, 2))(1) == (1, 2)


def test_sequential_refuses():
    with pytest.raises(TypeError, match="found 3"):
        Sequential(3)
    with pytest.raises(ValueError, match="empty"):
        Sequential()(1)
