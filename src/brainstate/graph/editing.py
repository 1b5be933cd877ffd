"""Changing the States of a node in place."""

from __future__ import annotations

from typing import Any

from .._engine.names import describe
from .._state import State, TreefyState
from ..typing import Filter, PathParts
from ..util.filter import to_predicate
from ..util.nested_dict import NestedDict
from .building import new_state
from .convert import merged
from .node import Node, attributes
from .pytrees import open_container
from .queries import select
from .walk import Event, walk


def pop_states(node: Any, *filters: Filter) -> Any:
    """Remove the States that match from the nodes that hold them.

    Returns a NestedDict of the States, or a tuple with one for each filter. A State inside a
    list, tuple or dict cannot be popped: ValueError, and nothing is removed.

    >>> import brainstate
    >>> cell = brainstate.graph.Dict(V=brainstate.HiddenState(0.0), w=brainstate.ParamState(1.0))
    >>> list(pop_states(cell, brainstate.HiddenState)), list(cell)
    (['V'], ['w'])
    """
    if not filters:
        raise ValueError(
            "pop_states needs at least one filter; write `...` to pop every State. [BST-A06]"
        )
    first: dict[State, PathParts] = {}
    places: dict[State, list[tuple[PathParts, Any]]] = {}
    for path, state, holder in _places_of_states(node):
        first.setdefault(state, path)
        places.setdefault(state, []).append((path, holder))
    wanted = to_predicate(filters)
    popped = [(path, state) for state, path in first.items() if wanted(path, state)]
    for path, holder in (place for _, state in popped for place in places[state]):
        if not isinstance(holder, Node):
            raise ValueError(
                f"Cannot pop the State at {path}: it stands in a {type(holder).__name__}, and only "
                "attributes of nodes can be popped. Remove it from there yourself, or narrow the "
                "filter. [BST-G07]"
            )
    for _, state in popped:
        for path, holder in places[state]:
            delattr(holder, str(path[-1]))
    return select(popped, filters, NestedDict.from_flat)


def update_states(node: Any, state_dict: Any, /, *state_dicts: Any) -> None:
    """Take over values and attributes from TreefyStates into the States at the same paths.

    Mappings are nested or keyed by path. A TreefyState or State at a new path becomes an
    attribute of the node there. Whatever else is given raises ValueError, and nothing changes.

    >>> import brainstate
    >>> dense = brainstate.graph.Dict(w=brainstate.ParamState(1.0))
    >>> refs = brainstate.graph.treefy_states(dense)
    >>> dense["w"].value = 5.0
    >>> update_states(dense, refs)
    >>> dense["w"].value
    1.0
    """
    leaves = merged(state_dict, *state_dicts)
    todo = [(_holder(node, path), path, leaf) for path, leaf in leaves.items()]
    plan = [(holder, path, leaf, _target(holder, path, leaf)) for holder, path, leaf in todo]
    for holder, path, leaf, target in plan:
        if target is not None:
            target.update_from_ref(leaf)
        else:
            setattr(
                holder, str(path[-1]), new_state(leaf) if isinstance(leaf, TreefyState) else leaf
            )


def _places_of_states(root: Any) -> list[tuple[PathParts, State, Any]]:
    holders: list[Any] = [None]
    places = []
    for step in walk(root):
        if step.event is Event.ENTER:
            holders.append(step.value)
        elif step.event is Event.LEAVE:
            holders.pop()
        elif step.event is Event.LEAF and isinstance(step.value, State):
            places.append((step.path, step.value, holders[-1]))
    return places


def _holder(root: Any, path: PathParts) -> Any:
    for depth, key in enumerate(path[:-1]):
        children = _children(root)
        if key not in children:
            raise ValueError(
                f"update_states: {path} leads nowhere, since the {type(root).__name__} at "
                f"{path[:depth]} has no {key!r}; it has {list(children)}. [BST-G04]"
            )
        root = children[key]
    return root


def _target(holder: Any, path: PathParts, leaf: Any) -> State | None:
    """The State that takes the leaf over, None where an attribute is set."""
    children = _children(holder)
    old = children.get(path[-1])
    if isinstance(old, State):
        if isinstance(leaf, TreefyState):
            return old
        raise ValueError(
            f"Unsupported update type {type(leaf).__name__} for the {describe(old)} at {path}. "
            "Give a TreefyState, as `states.treefy_state()` makes them, or assign `.value`. "
            "[BST-A01]"
        )
    if not isinstance(leaf, (State, TreefyState)):
        raise ValueError(
            f"update_states expects a TreefyState or State at {path}, found {type(leaf).__name__}. "
            "[BST-A01]"
        )
    if not isinstance(holder, Node):
        raise ValueError(
            f"update_states: the {type(holder).__name__} at {path[:-1]} has no State "
            f"{path[-1]!r}; only nodes take new ones. [BST-G04]"
        )
    if old is not None and not isinstance(old, TreefyState):
        raise ValueError(
            f"update_states was given a State at {path}, where {type(holder).__name__} has a "
            f"{type(old).__name__}; delete that attribute first. [BST-A11]"
        )
    return None


def _children(holder: Any) -> dict:
    if isinstance(holder, Node):
        return attributes(holder)
    opened = None if isinstance(holder, (State, TreefyState)) else open_container(holder)
    return {} if opened is None else dict(zip(opened.keys, opened.children, strict=True))
