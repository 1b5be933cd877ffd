"""From a graph of nodes to a definition and the States, and back."""

from __future__ import annotations

from typing import Any

from .._state import State, TreefyState
from ..typing import PathParts
from ..util.nested_dict import NestedDict
from .building import build, leaves_by_path
from .definition import Entry, GraphDef, NodeDef, NodeRef, StaticField
from .node import Node
from .ref_map import RefMap
from .walk import Event, walk

StateLeaf = State | TreefyState


def flatten(
    node: Any, /, ref_index: RefMap[Any, int] | None = None, treefy_state: bool = True
) -> tuple[GraphDef, NestedDict]:
    """Take a node, or a container of nodes, apart into a definition and its States.

    Args:
        node: the node; a State alone raises TypeError.
        ref_index: the numbers of nodes and States flattened before; those found now are added. A
            node that is in it already gives a NodeRef.
        treefy_state: give a TreefyState for each State instead of the State itself.

    >>> import brainstate
    >>> w = brainstate.ParamState(1.0)
    >>> graphdef, states = flatten(brainstate.graph.Dict(a=w, b=[w, 2]), treefy_state=False)
    >>> states["a"] is w, list(states), graphdef.leaves["a"].index
    (True, ['a'], 1)
    """
    graphdef, leaves = take_apart(node, RefMap() if ref_index is None else ref_index)
    return graphdef, NestedDict.from_flat(treefied(leaves) if treefy_state else leaves)


def unflatten(
    graph_def: GraphDef,
    state_mapping: Any,
    /,
    *,
    index_ref: dict[int, Any] | None = None,
    index_ref_cache: dict[int, Any] | None = None,
) -> Any:
    """Undo `flatten`: new nodes, made without `__init__`, and new States.

    Args:
        graph_def: the definition.
        state_mapping: nested or keyed by path; a TreefyState makes a new State, a State is used
            as it is. Missing and unknown paths raise ValueError.
        index_ref: nodes and States by number; those in it are used, those made are added.
        index_ref_cache: nodes and States that are brought up to date instead of made anew.

    >>> import brainstate
    >>> unflatten(*flatten([brainstate.State(1.0)]))[0].value
    1.0
    """
    if not isinstance(graph_def, GraphDef):
        raise TypeError(
            f"Expected a GraphDef to unflatten, as `flatten` gives, found "
            f"{type(graph_def).__name__}. [BST-A01]"
        )
    index_ref = {} if index_ref is None else index_ref
    return build(graph_def, leaves_by_path(state_mapping), index_ref, index_ref_cache or {})


def take_apart(
    root: Any, numbers: RefMap[Any, int]
) -> tuple[GraphDef, list[tuple[PathParts, StateLeaf]]]:
    """The definition of `root` and its States in the order of the walk, numbering what is new."""
    if isinstance(root, (State, TreefyState)):
        raise TypeError(
            f"A {type(root).__name__} alone is no graph; put it into a node or a container, such "
            "as [state]. [BST-G03]"
        )
    leaves: list[tuple[PathParts, StateLeaf]] = []
    levels: list[list[tuple[Any, Entry]]] = [[]]
    for event, path, value, _, shape in walk(root, known=numbers):
        part: Entry
        if event is Event.ENTER:
            if isinstance(value, Node):
                numbers[value] = len(numbers)
            levels.append([])
            continue
        if event is Event.LEAVE:
            number = numbers[value] if isinstance(value, Node) else -1
            part = NodeDef(type(value), number, shape, tuple(levels.pop()))  # type: ignore[arg-type]
        elif event is Event.AGAIN:
            part = NodeRef(type(value), numbers[value])
        elif isinstance(value, (State, TreefyState)):
            if value not in numbers:
                numbers[value] = len(numbers)
                leaves.append((path, value))
            part = NodeRef(
                value.type if isinstance(value, TreefyState) else type(value), numbers[value]
            )
        else:
            part = StaticField(value)
        levels[-1].append((path[-1] if path else None, part))
    ((_, graphdef),) = levels.pop()
    assert isinstance(graphdef, GraphDef)
    return graphdef, leaves


def treefied(leaves: list[tuple[PathParts, StateLeaf]]) -> list[tuple[PathParts, TreefyState]]:
    """The same with a TreefyState in place of each State."""
    return [(p, x.to_state_ref() if isinstance(x, State) else x) for p, x in leaves]
