"""Copies of node graphs for the caller of a compiled function: shared parts stay shared."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from .._state import State
from .._state.state import rebuild
from .node import Node
from .pytrees import open_container
from .walk import Event, walk


def instantiate(root: Any, made: Container[int], values: dict[State, Any], memo: dict) -> Any:
    """Copy the nodes whose ids are in `made` and the States in `values`, with these values.

    Everything else stays the same object. `memo` maps ids to copies; calls that share it share
    their copies.
    """
    fresh: list[tuple[Node, Node]] = []
    for event, _, value, *_ in walk(root):
        if id(value) in memo:
            continue
        if event is Event.ENTER and isinstance(value, Node) and id(value) in made:
            memo[id(value)] = new = type(value).__new__(type(value))
            fresh.append((value, new))
        elif event is Event.LEAF and isinstance(value, State) and value in values:
            memo[id(value)] = rebuild(type(value), values[value], value._metadata())
    for old, new in fresh:
        fields = object.__getattribute__(old, "__dict__")
        new.__setstate__({name: _with_copies(item, memo) for name, item in fields.items()})
    return _with_copies(root, memo)


def _with_copies(value: Any, memo: dict) -> Any:
    if id(value) in memo:
        return memo[id(value)]
    if isinstance(value, (State, Node)) or (opened := open_container(value)) is None:
        return value
    children = [_with_copies(child, memo) for child in opened.children]
    same = all(a is b for a, b in zip(children, opened.children, strict=True))
    return value if same else opened.shape.rebuild(children)
