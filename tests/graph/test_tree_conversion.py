import jax
import jax.numpy as jnp
import pytest
from hypothesis import given

from brainstate import ParamState, State
from brainstate.graph import (
    NodeStates,
    graph_to_tree,
    states,
    tree_to_graph,
    treefy_split,
    update_context,
)
from graph.random_graphs import Plain, assert_isomorphic, graphs


def make():
    node = Plain()
    node.w = ParamState(jnp.arange(3.0))
    node.s = State(jnp.zeros(()))
    return node


def test_nodes_become_pytrees_and_other_leaves_stay():
    tree = graph_to_tree({"m": make(), "x": 5.0})
    assert isinstance(tree["m"], NodeStates)
    assert tree["x"] == 5.0
    assert all(isinstance(leaf, (float, jax.Array)) for leaf in jax.tree.leaves(tree))


def test_round_trip_keeps_sharing():
    node, other = make(), make()
    other.w = node.w
    again = tree_to_graph(graph_to_tree((node, [other, node], 3)))
    assert again[0] is again[1][1] is not node
    assert again[1][0].w is again[0].w
    assert again[2] == 3


def test_inside_plain_jit():
    @jax.jit
    def run(tree):
        node, x = tree_to_graph(tree)
        return (node.w.value * x).sum()

    assert run(graph_to_tree((make(), 2.0))) == 6.0


def test_prefix_reaches_the_split_function():
    seen = []

    def split(ctx, path, prefix, leaf):
        seen.append((jax.tree_util.keystr(path), prefix, type(leaf).__name__))
        return NodeStates.from_split(*ctx.treefy_split(leaf, ParamState, ...), metadata=prefix)

    tree = graph_to_tree(
        {"a": [make(), make()], "x": 1}, prefix={"a": 0, "x": None}, split_fn=split
    )
    assert seen == [("['a'][0]", 0, "Plain"), ("['a'][1]", 0, "Plain")]
    assert tree["a"][0].metadata == 0
    assert tree_to_graph(tree)["a"][0].w.value.tolist() == [0.0, 1.0, 2.0]


def test_prefix_of_none_covers_a_subtree():
    prefixes = []

    def split(ctx, path, prefix, leaf):
        prefixes.append(prefix)
        return leaf

    graph_to_tree(([make(), 1], 2), prefix=(None, 7), split_fn=split, map_non_graph_nodes=True)
    assert prefixes == [None, None, 7]


def test_prefix_reaches_the_merge_function():
    def merge(ctx, path, prefix, leaf):
        return prefix, ctx.treefy_merge(leaf.graphdef, *leaf.states)

    tree = graph_to_tree([make(), make()])
    (one, node), (two, _) = tree_to_graph(tree, prefix=[1, 2], merge_fn=merge)
    assert [one, two, type(node)] == [1, 2, Plain]


def test_axes_line_up_in_plain_vmap():
    node = Plain()
    node.w, node.s = ParamState(jnp.ones((4, 3))), State(2.0)

    def split(ctx, path, prefix, leaf):
        return NodeStates.from_split(*ctx.treefy_split(leaf, ParamState, ...))

    tree = graph_to_tree(node, split_fn=split)
    out = jax.vmap(
        lambda tree: (lambda m: (m.w.value * m.s.value).sum())(tree_to_graph(tree)),
        in_axes=(NodeStates.from_prefixes([0, None]),),
    )(tree)
    assert out.tolist() == [6.0] * 4


def test_one_state_under_two_prefixes():
    node, other = make(), make()
    other.w = node.w
    with pytest.raises(ValueError, match="Inconsistent aliasing detected") as error:
        graph_to_tree({"a": node, "b": [other]}, prefix={"a": 0, "b": None})
    assert "ParamState: ['a']['w'] with prefix 0, ['b'][0]['w'] with prefix None" in str(
        error.value
    )
    assert "State: " not in str(error.value).replace("ParamState: ", "")


def test_one_node_under_two_prefixes():
    node = make()
    with pytest.raises(ValueError, match=r"Plain: \[0\] with prefix 0, \[1\] with prefix 1"):
        graph_to_tree([node, node], prefix=[0, 1])


def test_aliasing_under_one_prefix_is_fine():
    node = make()
    assert len(graph_to_tree([node, node], prefix=0)) == 2
    assert len(graph_to_tree([node, node], prefix=[0, 1], check_aliasing=False)) == 2
    assert len(graph_to_tree([node, node])) == 2


def test_update_context_carries_changes_back():
    node = make()
    with update_context("tag"):

        @jax.jit
        def run(tree):
            copy, x = tree_to_graph(tree, ctxtag="tag")
            copy.s.value += x
            copy.extra = State(x)
            return graph_to_tree(copy, ctxtag="tag")

        tree = run(graph_to_tree((node, 2.0), ctxtag="tag"))
        assert tree_to_graph(tree, ctxtag="tag") is node
    assert [node.s.value, node.extra.value] == [2.0, 2.0]


def test_node_states_access():
    graphdef, params, rest = treefy_split(make(), ParamState, ...)
    one, two = NodeStates.from_states(params), NodeStates.from_split(graphdef, params, rest)
    assert one.state is params
    assert two.graphdef == graphdef
    assert two.states == (params, rest)
    with pytest.raises(ValueError, match="2 mappings"):
        _ = two.state
    with pytest.raises(ValueError, match="no definition"):
        _ = one.graphdef
    assert two.replace(metadata=3).metadata == 3


@given(graphs())
def test_round_trip_of_random_graphs(root):
    pair = [root, *states(root).values()]
    again, *_ = tree_to_graph(graph_to_tree(pair))
    assert_isomorphic(root, again)
