"""Looking up the States and nodes below a node."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..typing import Filter, PathParts
from ..util.filter import split_by_filters
from ..util.nested_dict import FlattedDict, NestedDict
from .flattening import take_apart, treefied
from .ref_map import RefMap
from .walk import UNLIMITED, iter_node, iter_states


def states(node: Any, *filters: Filter, allowed_hierarchy: tuple[int, int] = (0, UNLIMITED)) -> Any:
    """Find the States below a node, or below the nodes in a container.

    A State that is shared is listed once, at its first path in sorted order. `allowed_hierarchy`
    is the lowest and highest level; a State in `node` itself has level 0, in a child node 1.

    Returns:
        A FlattedDict from path to State; for two filters and more a tuple with one for each. A
        State goes to the first filter that matches it; what none matches is left out.

    >>> import brainstate
    >>> cell = brainstate.graph.Dict(V=brainstate.HiddenState(0.0), w=brainstate.ParamState(1.0))
    >>> params, rest = states(cell, brainstate.ParamState, ...)
    >>> list(params), list(rest)
    ([('w',)], [('V',)])
    """
    return select(iter_states(node, allowed_hierarchy), filters, FlattedDict)


def nodes(node: Any, *filters: Filter, allowed_hierarchy: tuple[int, int] = (0, UNLIMITED)) -> Any:
    """Find the nodes below a node, itself included, children before parents.

    Returns:
        FlattedDicts from path to node, as `states` does. The path of `node` itself is ``()``.

    >>> import brainstate
    >>> Dict = brainstate.graph.Dict
    >>> list(nodes(Dict(layers=[Dict(), Dict()])))
    [('layers', 0), ('layers', 1), ()]
    """
    return select(iter_node(node, allowed_hierarchy), filters, FlattedDict)


def treefy_states(node: Any, *filters: Filter) -> Any:
    """Give the States below a node as pytrees, in a NestedDict or one for each filter.

    >>> import brainstate, jax
    >>> refs = treefy_states(brainstate.graph.Dict(w=brainstate.ParamState(1.0)))
    >>> jax.tree.leaves(refs)
    [1.0]
    """
    return select(treefied(take_apart(node, RefMap())[1]), filters, NestedDict.from_flat)


def select(
    items: Iterable[tuple[PathParts, Any]], filters: tuple[Filter, ...], collect: Any
) -> Any:
    """Deal the items out to the filters; all go into one collection where there is none."""
    groups = split_by_filters(items, filters or (...,), exhaustive=False)
    return collect(groups[0]) if len(groups) == 1 else tuple(map(collect, groups))
