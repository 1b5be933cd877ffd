"""Between nodes and pytrees: split, merge and clone."""

from __future__ import annotations

from typing import Any, TypeVar

from ..typing import Filter, PathParts
from ..util.filter import split_by_filters
from ..util.nested_dict import FlattedDict, NestedDict
from .building import build, leaves_by_path
from .definition import GraphDef
from .flattening import StateLeaf, take_apart, treefied, unflatten
from .ref_map import RefMap

A = TypeVar("A")


def treefy_split(node: Any, *filters: Filter) -> tuple[Any, ...]:
    """Take a node apart into its definition and its States as pytrees.

    Returns ``(graphdef, states)``, or with filters ``(graphdef, *states)`` with a NestedDict for
    each; a State that no filter matches raises ValueError.

    >>> import brainstate, jax
    >>> graphdef, params = treefy_split(brainstate.graph.Dict(w=brainstate.ParamState(3.0)))
    >>> jax.grad(lambda p: treefy_merge(graphdef, p)["w"].value ** 2)(params)["w"].value.item()
    6.0
    """
    return split_with(node, filters, RefMap())


def treefy_merge(graphdef: GraphDef, state_mapping: Any, /, *state_mappings: Any) -> Any:
    """Undo `treefy_split`; each call makes new nodes and States.

    >>> import brainstate
    >>> dense = brainstate.graph.Dict(w=brainstate.ParamState(1.0), size=2)
    >>> treefy_merge(*treefy_split(dense, brainstate.ParamState, ...))["w"].value
    1.0
    """
    return unflatten(graphdef, merged(state_mapping, *state_mappings))


def graphdef(node: Any, /) -> GraphDef:
    """Give the definition of a node: all of it but the values of its States; hashable.

    >>> import brainstate
    >>> a, b = brainstate.graph.Dict(size=2), brainstate.graph.Dict(size=2)
    >>> graphdef(a) == graphdef(b)
    True
    """
    return take_apart(node, RefMap())[0]


def clone(node: A) -> A:
    """Copy a node with its States and containers; arrays and other static values are shared.

    >>> import brainstate
    >>> old = brainstate.graph.Dict(w=brainstate.ParamState({"bias": 0.0}))
    >>> new = clone(old)
    >>> new["w"].value["bias"] = 1.0
    >>> old["w"].value
    {'bias': 0.0}
    """
    definition, leaves = take_apart(node, RefMap())
    return build(definition, dict(treefied(leaves)), {}, {})


def split_with(
    node: Any, filters: tuple[Filter, ...], numbers: RefMap[Any, int]
) -> tuple[Any, ...]:
    """Split as `treefy_split` does, continuing a numbering."""
    definition, leaves = take_apart(node, numbers)
    groups: tuple[list[tuple[PathParts, StateLeaf]], ...] = split_by_filters(
        treefied(leaves), filters or (...,), exhaustive=True
    )
    return (definition, *map(NestedDict.from_flat, groups))


def merged(*mappings: Any) -> FlattedDict:
    """The leaves of all mappings by path; where paths are equal, the later one wins."""
    return FlattedDict(item for part in mappings for item in leaves_by_path(part).items())
