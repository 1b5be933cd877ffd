"""Nodes and States on their way through JAX: static data, without leaves."""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Callable
from typing import Any

import jax

graph_types: tuple[type, ...] = ()
"""State and Node; each enrols itself."""


def enrol(cls: type) -> type:
    """Class decorator: objects of `cls` are leaves of pytrees that JAX must not see."""
    global graph_types
    graph_types = (*graph_types, cls)
    return cls


def is_graph(x: Any) -> bool:
    return isinstance(x, graph_types)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Hidden:
    """Stands in a pytree for a node or a State; JAX compares the token."""

    token: Any = dataclasses.field(metadata={"static": True})


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Static:
    """Stands in a pytree for a static argument; JAX compares its value."""

    value: Any = dataclasses.field(metadata={"static": True})


class Reference:
    """Refers to one object, weakly if it outlives the program anyway."""

    __slots__ = ("_hash", "get")

    def __init__(self, obj: Any, strong: bool):
        self.get: Callable[[], Any] = (lambda: obj) if strong else weakref.ref(obj)
        self._hash = id(obj)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and (mine := self.get()) is not None and mine is other.get()


def hide(tree: Any, strong: Callable[[Any], bool] = lambda obj: True) -> Any:
    """Replace every node and State in a tree by a leafless stand-in."""
    return jax.tree.map(lambda x: Hidden(Reference(x, strong(x))) if is_graph(x) else x, tree)


def show(tree: Any, find: Callable[[Any], Any] = lambda token: token.get()) -> Any:
    """Put the nodes and States back."""
    return jax.tree.map(
        lambda x: find(x.token) if isinstance(x, Hidden) else x,
        tree,
        is_leaf=lambda x: isinstance(x, Hidden),
    )


def has_graph(tree: Any) -> bool:
    return any(map(is_graph, jax.tree.leaves(tree)))
