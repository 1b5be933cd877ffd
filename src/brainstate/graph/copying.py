"""Copies of node graphs: shared parts stay shared, cycles stay cycles."""

from __future__ import annotations

from typing import Any

from .._state import State
from .._state.state import rebuild
from .node import Node


def instantiate(obj: Any, made: dict[int, Any], values: dict[State, Any], memo: dict) -> Any:
    """Copy the nodes in `made` and the States in `values`, with these values; keep the rest."""
    if id(obj) in memo:
        return memo[id(obj)]
    if isinstance(obj, State):
        if obj not in values:
            return obj
        memo[id(obj)] = new = rebuild(type(obj), values[obj], obj._metadata())
        return new
    if isinstance(obj, Node):
        if id(obj) not in made:
            return obj
        memo[id(obj)] = new = type(obj).__new__(type(obj))
        fields = object.__getattribute__(obj, "__dict__")
        new.__setstate__({k: instantiate(v, made, values, memo) for k, v in fields.items()})
        return new
    if isinstance(obj, dict):
        return type(obj)((k, instantiate(v, made, values, memo)) for k, v in obj.items())
    if isinstance(obj, (list, tuple)):
        items = [instantiate(v, made, values, memo) for v in obj]
        return type(obj)(*items) if hasattr(obj, "_fields") else type(obj)(items)
    return obj
