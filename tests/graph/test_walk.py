import brainunit as u
import pytest
from hypothesis import given

import brainstate
from brainstate import State, TreefyState
from brainstate.compile import jit
from brainstate.graph import Dict, Node, iter_leaf, iter_node
from brainstate.graph.walk import iter_states
from brainstate.util import FlattedDict, NestedDict
from graph.random_graphs import Other, Pair, Plain, at, find_all, graphs


def paths(pairs):
    return [path for path, _ in pairs]


def chain(length):
    top = node = Plain()
    for _ in range(length):
        node.next = Plain()
        node = node.next
    node.end = State(0)
    return top


def test_attributes_are_visited_in_sorted_order():
    node = Plain()
    node.b, node.a, node._c = State(0), State(1), State(2)
    assert paths(iter_states(node)) == [("_c",), ("a",), ("b",)]


def test_leaves_are_states_and_static_values():
    node = Plain()
    node.size, node.fn, node.nothing, node.empty, node.s = 3, len, None, [], State(0)
    assert dict(iter_leaf(node)) == {("fn",): len, ("s",): node.s, ("size",): 3}


def test_path_keys_follow_the_container():
    node = Plain()
    node.l = [State(0)]
    node.t = (State(1),)
    node.d = {"x": State(2), 0: State(3)}
    node.n = NestedDict({"y": {"z": State(4)}})
    node.p = Pair(State(5), State(6))
    node.f = FlattedDict({("a", "b"): State(7)})
    assert {path: state.value for path, state in iter_states(node)} == {
        ("l", 0): 0,
        ("t", 0): 1,
        ("d", "x"): 2,
        ("d", 0): 3,
        ("n", "y", "z"): 4,
        ("p", "left"): 5,
        ("p", "right"): 6,
        ("f", ("a", "b")): 7,
    }


def test_quantity_is_a_container_of_its_mantissa():
    node = Plain()
    node.q = 3.0 * u.mV
    assert [leaf for _, leaf in iter_leaf(node)] == [3.0]


def test_reference_to_a_state_is_no_state():
    node = Plain()
    node.ref = State(1).to_state_ref()
    assert not list(iter_states(node))
    ((path, leaf),) = iter_leaf(node)
    assert path == ("ref",)
    assert isinstance(leaf, TreefyState)


def test_shared_state_keeps_its_first_path():
    node = Plain()
    node.s = State(0)
    node.b = Plain()
    node.b.s = node.s
    assert paths(iter_states(node)) == [("b", "s")]


def test_shared_node_is_entered_once():
    root, deep, shared = Plain(), Plain(), Plain()
    root.a, deep.b, root.z, shared.size = deep, shared, shared, 3
    assert paths(iter_leaf(root)) == [("a", "b", "size")]


def test_cycle_ends():
    node = Plain()
    node.child = Other()
    node.child.parent = [node]
    node.child.s = State(0)
    assert paths(iter_states(node)) == [("child", "s")]
    assert list(iter_node(node)) == [(("child",), node.child), ((), node)]


def test_deep_chain_does_not_recurse():
    top = chain(3000)
    assert paths(iter_states(top)) == [("next",) * 3000 + ("end",)]
    assert sum(1 for _ in iter_node(top)) == 3001


@pytest.mark.parametrize(
    ("levels", "states", "nodes"),
    [
        ((0, 0), [("a",), ("b",), ("d", "y", 0)], [()]),
        ((1, 1), [("d", "x", "w"), ("l", "w")], [("d", "x"), ("l",)]),
        ((2, 9), [("l", "m", "w")], [("l", "m")]),
    ],
)
def test_levels_count_nodes_not_containers(levels, states, nodes):
    def layer():
        made = Plain()
        made.w = State(0)
        return made

    root = Plain()
    root.a, root.b = State(0), State(1)
    root.d = {"x": layer(), "y": [State(2)]}
    root.l = root.l2 = layer()
    root.l.m = layer()
    assert paths(iter_states(root, levels)) == states
    assert paths(iter_node(root, levels)) == nodes


def test_levels_below_a_container():
    inner = Plain()
    inner.s = State(0)
    root = {"m": inner, "s": State(1)}
    assert paths(iter_states(root, (0, 0))) == [("s",)]
    assert paths(iter_states(root, (1, 1))) == [("m", "s")]
    assert paths(iter_node(root)) == [("m",)]


def test_level_limit_does_not_hide_what_a_detour_cut_off():
    root, detour, shared = Plain(), Plain(), Plain()
    root.a, detour.b, root.z = detour, shared, shared
    shared.c = Plain()
    shared.c.s = State(0)
    assert paths(iter_states(root, (0, 2))) == [("z", "c", "s")]
    assert {path for path, _ in iter_node(root, (0, 2))} == {("a", "b"), ("a",), ("z", "c"), ()}


def test_root_is_not_among_its_own_descendants():
    root = Plain()
    root.child = Plain()
    root.child.parent = root
    assert paths(iter_node(root, (1, 9))) == [("child",)]


def test_node_that_is_a_mapping_is_a_node():
    inner = Dict(s=State(0))
    assert paths(iter_states([inner], (1, 1))) == [(0, "s")]


def test_single_state_is_its_own_graph():
    state = State(0)
    assert list(iter_states(state)) == [((), state)]
    assert not list(iter_node(state))


@pytest.mark.parametrize("root", [3, "text", len, object()])
def test_root_without_graph_is_refused(root):
    with pytest.raises(TypeError, match=f"found {type(root).__name__}"):
        list(iter_leaf(root))


def test_container_inside_itself_is_refused():
    node = Plain()
    node.items = [[]]
    node.items[0].append(node.items)
    with pytest.raises(ValueError, match=r"list at \('items', 0, 0\) contains itself"):
        list(iter_leaf(node))


@pytest.mark.parametrize("levels", [3, (0,), (2, 1), (0, "a"), None])
def test_levels_must_be_a_pair(levels):
    with pytest.raises(ValueError, match="allowed_hierarchy"):
        list(iter_leaf(Plain(), levels))


@given(graphs())
def test_walk_is_complete_and_gives_each_once(root):
    for walked, kind in [(iter_states, State), (iter_node, Node)]:
        items = list(walked(root))
        assert {id(item) for _, item in items} == set(find_all(root, kind))
        assert len(items) == len(find_all(root, kind))
        assert all(at(root, path) is item for path, item in items)


@given(graphs())
def test_children_come_before_parents(root):
    order = paths(iter_node(root))
    assert order[-1] == ()
    place = {path: i for i, path in enumerate(order)}
    for path in order:
        for end in range(len(path)):
            assert place.get(path[:end], len(order)) > place[path]


def test_compiled_body_notices_later_states():
    node = Plain()
    node.a, node.items = State(1.0), [State(2.0)]
    runs = []

    @jit
    def total():
        runs.append(None)
        return sum(state.value for _, state in iter_states(node))

    assert [total(), total(), len(runs)] == [3.0, 3.0, 1]
    node.b = State(4.0)
    assert [total(), len(runs)] == [7.0, 2]
    node.items.append(State(8.0))
    assert [total(), len(runs)] == [15.0, 3]


def test_compiled_body_that_looks_at_nodes_only_ignores_states():
    node = Plain()
    node.child = Plain()
    runs = []

    @jit
    def count():
        runs.append(None)
        return brainstate.State(float(len(list(iter_node(node))))).value

    assert [count(), len(runs)] == [2.0, 1]
    node.s = State(0.0)
    assert [count(), len(runs)] == [2.0, 1]
    node.children = [Plain()]
    assert [count(), len(runs)] == [3.0, 2]
