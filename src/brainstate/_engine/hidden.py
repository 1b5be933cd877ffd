"""Nodes and States on their way through JAX: static data, without leaves."""

from __future__ import annotations

import dataclasses
import weakref
from collections.abc import Callable, Sequence
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
class Hole:
    """Stands in the arguments of a compiled function for a node; which one, the cache knows."""

    index: int = dataclasses.field(metadata={"static": True})


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
        return (
            isinstance(other, Reference)
            and (mine := self.get()) is not None
            and mine is other.get()
        )


def hide(tree: Any, strong: bool = True) -> Any:
    """Replace every node and State in a tree by a leafless stand-in.

    JAX may keep the tree for long; a weak stand-in leaves it to others to keep the object.
    """
    return jax.tree.map(lambda x: Hidden(Reference(x, strong)) if is_graph(x) else x, tree)


def hide_foreign(tree: Any) -> Any:
    """As `hide`, and hide every other leaf that JAX does not know, such as a string."""

    def is_foreign(leaf: Any) -> bool:
        if is_graph(leaf):
            return True
        try:
            jax.typeof(leaf)
        except TypeError:
            return True
        return False

    return jax.tree.map(lambda x: Hidden(Reference(x, True)) if is_foreign(x) else x, tree)


def show(tree: Any) -> Any:
    """Put the hidden nodes and States back."""
    return _replace(Hidden, lambda x: x.token.get(), tree)


def punch(tree: Any) -> tuple[Any, list]:
    """Replace nodes and States by numbered holes; returns the tree, and what was in the holes."""
    objects: list = []

    def one(leaf: Any) -> Any:
        if not is_graph(leaf):
            return leaf
        objects.append(leaf)
        return Hole(len(objects) - 1)

    return jax.tree.map(one, tree), objects


def fill(tree: Any, objects: Sequence[Callable[[], Any]]) -> Any:
    """Put what weak references give into the holes."""
    return _replace(Hole, lambda x: objects[x.index](), tree)


def _replace(kind: type, by: Callable[[Any], Any], tree: Any) -> Any:
    def is_leaf(x: Any) -> bool:
        return isinstance(x, kind)

    return jax.tree.map(lambda x: by(x) if is_leaf(x) else x, tree, is_leaf=is_leaf)


def has_graph(tree: Any) -> bool:
    return any(map(is_graph, jax.tree.leaves(tree)))
