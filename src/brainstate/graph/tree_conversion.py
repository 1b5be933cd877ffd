"""Trees that contain nodes, turned into plain pytrees and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import jax

from .._state import State
from ..typing import Missing
from ..util.struct import PyTreeNode, field
from .context import MergeContext, SplitContext, merge_context, split_context
from .definition import GraphDef
from .node import Node
from .ref_map import RefMap
from .walk import Event, walk

SplitFn = Callable[[SplitContext, tuple, Any, Any], Any]
MergeFn = Callable[[MergeContext, tuple, Any, Any], Any]


class NodeStates(PyTreeNode):
    """A node as a pytree: its definition, which is static, and its States in one mapping or more.

    >>> import brainstate
    >>> split = brainstate.graph.treefy_split({"w": brainstate.ParamState(1.0)})
    >>> jax.tree.leaves(NodeStates.from_split(*split))
    [1.0]
    """

    _graphdef: GraphDef | None
    states: tuple[Any, ...]
    metadata: Any = field(pytree_node=False, default=None)

    @property
    def graphdef(self) -> GraphDef:
        """The definition of the node; ValueError if there is none."""
        if self._graphdef is None:
            raise ValueError(
                "These NodeStates have no definition; make them with `from_split`. [BST-A06]"
            )
        return self._graphdef

    @property
    def state(self) -> Any:
        """The States, where they stand in one mapping."""
        if len(self.states) != 1:
            raise ValueError(
                f"These NodeStates hold {len(self.states)} mappings, not one; use `.states`. "
                "[BST-A10]"
            )
        return self.states[0]

    @classmethod
    def from_split(
        cls, graphdef: GraphDef, state: Any, /, *states: Any, metadata: Any = None
    ) -> NodeStates:
        """Take what `treefy_split` gives."""
        return cls(graphdef, (state, *states), metadata)

    @classmethod
    def from_states(cls, state: Any, *states: Any) -> NodeStates:
        """Take States without a definition."""
        return cls(None, (state, *states))

    @classmethod
    def from_prefixes(cls, prefixes: Iterable[Any], /, *, metadata: Any = None) -> NodeStates:
        """Make a prefix of NodeStates, such as axes for `jax.vmap`: one item for each mapping."""
        return cls(None, tuple(prefixes), metadata)


def _split_node(context: SplitContext, path: tuple, prefix: Any, leaf: Any) -> Any:
    if not isinstance(leaf, Node):
        return leaf
    return NodeStates.from_split(*context.treefy_split(leaf))


def _merge_node(context: MergeContext, path: tuple, prefix: Any, leaf: Any) -> Any:
    if not isinstance(leaf, NodeStates):
        return leaf
    return context.treefy_merge(leaf.graphdef, *leaf.states)


def _is_node_states(leaf: Any) -> bool:
    return isinstance(leaf, NodeStates)


def graph_to_tree(
    tree: Any,
    /,
    *,
    prefix: Any = Missing,
    split_fn: SplitFn | None = None,
    map_non_graph_nodes: bool = False,
    ctxtag: str | None = None,
    check_aliasing: bool = True,
) -> Any:
    """Replace each node in a tree by `NodeStates`; all are split in one `split_context`.

    Args:
        tree: a pytree whose leaves may be nodes.
        prefix: a tree prefix of `tree`; its leaves go to `split_fn`.
        split_fn: ``(context, path, prefix, leaf) -> tree``, with the key path of JAX.
        map_non_graph_nodes: call `split_fn` for the other leaves too.
        ctxtag: the tag of an open `update_context` to take part in.
        check_aliasing: raise ValueError where a node or State is reached under two prefixes.

    >>> import brainstate
    >>> cell = brainstate.graph.Dict(V=brainstate.State(0.0))
    >>> first, again = tree_to_graph(graph_to_tree([cell, cell]))
    >>> first is again
    True
    """
    split = _split_node if split_fn is None else split_fn
    items, treedef = jax.tree.flatten_with_path(tree)
    prefixes = _broadcast(prefix, tree, None)
    if check_aliasing and prefix is not Missing:
        _refuse_two_prefixes(items, prefixes)
    with split_context(ctxtag) as context:
        leaves = [
            split(context, path, own, leaf)
            if map_non_graph_nodes or isinstance(leaf, Node)
            else leaf
            for (path, leaf), own in zip(items, prefixes, strict=True)
        ]
    return treedef.unflatten(leaves)


def tree_to_graph(
    tree: Any,
    /,
    *,
    prefix: Any = Missing,
    merge_fn: MergeFn | None = None,
    is_node_leaf: Callable[[Any], bool] | None = None,
    is_leaf: Callable[[Any], bool] | None = None,
    map_non_graph_nodes: bool = False,
    ctxtag: str | None = None,
) -> Any:
    """Undo `graph_to_tree`: `merge_fn` is called for each leaf that `is_node_leaf` accepts.

    Left out, NodeStates are the leaves, and become nodes.
    """
    merge = _merge_node if merge_fn is None else merge_fn
    is_leaf = _is_node_states if is_leaf is None else is_leaf
    is_node_leaf = _is_node_states if is_node_leaf is None else is_node_leaf
    items, treedef = jax.tree.flatten_with_path(tree, is_leaf=is_leaf)
    prefixes = _broadcast(prefix, tree, is_leaf)
    with merge_context(ctxtag) as context:
        leaves = [
            merge(context, path, own, leaf) if map_non_graph_nodes or is_node_leaf(leaf) else leaf
            for (path, leaf), own in zip(items, prefixes, strict=True)
        ]
    return treedef.unflatten(leaves)


def _broadcast(prefix: Any, tree: Any, is_leaf: Callable[[Any], bool] | None) -> list[Any]:
    """The prefix for each leaf of the tree."""
    spread: list[Any] = []
    jax.tree.map(
        lambda own, part: spread.extend([own] * len(jax.tree.leaves(part, is_leaf=is_leaf))),
        prefix,
        tree,
        is_leaf=lambda part: not jax.tree.leaves(part),  # None and static axes stand for a subtree
    )
    return spread


def _refuse_two_prefixes(items: list[tuple[tuple, Any]], prefixes: list[Any]) -> None:
    found: RefMap[Any, dict[str, Any]] = RefMap()
    for (path, leaf), prefix in zip(items, prefixes, strict=True):
        if not isinstance(leaf, Node):
            continue
        for event, inner, part, _, _ in walk(leaf):
            entered = event is Event.ENTER and isinstance(part, Node)
            if entered or isinstance(part, State):
                where = jax.tree_util.keystr(path) + "".join(f"[{key!r}]" for key in inner)
                found.setdefault(part, {})[where] = prefix
    clashes = [(part, places) for part, places in found.items() if not _all_equal(places)]
    if clashes:
        listing = "\n".join(
            f"{type(part).__name__}: "
            + ", ".join(f"{where} with prefix {prefix!r}" for where, prefix in places.items())
            for part, places in clashes
        )
        raise ValueError(
            "Inconsistent aliasing detected: the same object is reached under different prefixes. "
            f"Give it the same everywhere.\n{listing} [BST-G06]"
        )


def _all_equal(places: dict[str, Any]) -> bool:
    first, *others = places.values()
    return all(other == first for other in others)
