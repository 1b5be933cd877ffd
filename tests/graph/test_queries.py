import jax
import jax.numpy as jnp
import pytest
from hypothesis import given

from brainstate import HiddenState, ParamState, ShortTermState, State, TreefyState
from brainstate.augment import grad
from brainstate.graph import nodes, states, treefy_states
from brainstate.util import FlattedDict, NestedDict
from graph.random_graphs import Other, Plain, find_all, graphs


def make():
    root = Plain()
    root.w = ParamState(1.0)
    root.v = HiddenState(2.0)
    root.cell = Other()
    root.cell.h = ShortTermState(3.0, tag="new")
    return root


def test_states_without_filter_gives_one_flat_dict():
    root = make()
    found = states(root)
    assert isinstance(found, FlattedDict)
    assert found == {("cell", "h"): root.cell.h, ("v",): root.v, ("w",): root.w}


def test_one_filter_gives_one_dict():
    assert list(states(make(), ParamState)) == [("w",)]
    assert list(states(make(), "new")) == [("cell", "h")]
    assert list(states(make(), lambda path, s: "cell" in path)) == [("cell", "h")]


def test_first_matching_filter_wins_and_leftovers_are_dropped():
    hidden, short, none = states(make(), HiddenState, ShortTermState, None)
    assert [list(hidden), list(short), list(none)] == [[("v",)], [("cell", "h")], []]


def test_rest_filter():
    params, rest = states(make(), ParamState, ...)
    assert list(params) == [("w",)]
    assert list(rest) == [("cell", "h"), ("v",)]


def test_rest_filter_comes_last():
    with pytest.raises(ValueError, match="last of the filters"):
        states(make(), ..., ParamState)


def test_unknown_filter():
    with pytest.raises(TypeError, match="Invalid filter 3"):
        states(make(), 3)


def test_shared_state_gets_its_whole_gradient():
    node = Plain()
    node.s = ParamState(jnp.ones(2))
    node.b = Plain()
    node.b.s = node.s
    grads = grad(lambda: (node.s.value**2).sum(), states(node))()
    assert list(grads) == [("b", "s")]
    assert grads[("b", "s")].tolist() == [2.0, 2.0]


def test_nodes_filters():
    root = make()
    assert nodes(root) == {("cell",): root.cell, (): root}
    other, plain = nodes(root, Other, Plain)
    assert [list(other), list(plain)] == [[("cell",)], [()]]
    assert list(nodes(root, allowed_hierarchy=(1, 1))) == [("cell",)]


def test_states_of_some_levels():
    assert list(states(make(), allowed_hierarchy=(0, 0))) == [("v",), ("w",)]


def test_treefy_states_gives_pytrees():
    refs = treefy_states(make())
    assert isinstance(refs, NestedDict)
    assert isinstance(refs["cell"]["h"], TreefyState)
    assert refs["cell"]["h"].tag == "new"
    assert jax.tree.leaves(refs) == [3.0, 2.0, 1.0]


def test_treefy_states_drops_what_no_filter_matches():
    assert list(treefy_states(make(), ParamState)) == ["w"]
    params, hidden = treefy_states(make(), ParamState, HiddenState)
    assert [list(params), list(hidden)] == [["w"], ["v"]]


def test_treefy_states_refuses_a_single_state():
    with pytest.raises(TypeError, match="alone is no graph"):
        treefy_states(State(0))


@given(graphs())
def test_filters_deal_out_every_state_once(root):
    groups = states(root, ParamState, ShortTermState, ...)
    dealt = [id(state) for group in groups for state in group.values()]
    assert len(dealt) == len(set(dealt))
    assert set(dealt) == set(find_all(root, State))
    assert all(type(s) is ParamState for s in groups[0].values())
    assert all(type(s) is State for s in groups[2].values())
