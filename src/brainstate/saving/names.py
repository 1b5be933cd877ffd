"""The leaves of all States of a target, each under a name such as ``layers.0.weight``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import jax

from .._state import State
from .._units import is_quantity
from ..graph import Node, states
from ..graph.walk import iter_leaf
from ..typing import PathParts


class Leaf(NamedTuple):
    """One leaf of the value of a State."""

    path: PathParts  # of the State
    state: State
    value: Any
    owner: str  # the name of the State; that of the leaf says also where in its value it is

    def __str__(self) -> str:
        return f"{type(self.state).__name__} `{self.owner}`"


def leaves_of(target: Any) -> dict[str, Leaf]:
    """The leaves of the States in `target` by name; None counts as a leaf."""
    _check_that_all_are_states(target)
    found: dict[str, Leaf] = {}
    for path, state in states(target).items():
        owner = _joined(path)
        for keys, value in jax.tree_util.tree_leaves_with_path(state.value, is_leaf=_is_leaf):
            name = _joined((*path, *map(_key, keys)))
            leaf = Leaf(path, state, value, owner)
            if name in found:
                raise ValueError(
                    f"{leaf} and {found[name]} both hold a value that would be called {name!r}. "
                    "Rename one of their keys. [BST-F03]"
                )
            found[name] = leaf
    return found


def with_leaves(state: State, leaves: list) -> Any:
    """The value of the State with other leaves."""
    return jax.tree.structure(state.value, is_leaf=_is_leaf).unflatten(leaves)


def path_of_name(name: str) -> PathParts:
    """The path that a name in a file stands for."""
    parts = re.findall(r"(?:\\.|[^.\\])+", name)
    parts = [re.sub(r"\\(.)", r"\1", part) for part in parts]
    return tuple(int(part) if part.isdecimal() else part for part in parts)


def _is_leaf(value: Any) -> bool:
    return value is None or is_quantity(value)


def _key(key: Any) -> Any:
    """What a key of a pytree is called."""
    if isinstance(key, jax.tree_util.DictKey):
        return key.key
    return jax.tree_util.keystr((key,), simple=True)


def _joined(keys: Iterable) -> str:
    return ".".join(re.sub(r"([.\\])", r"\\\1", part) for part in _parts(keys))


def _parts(keys: Iterable) -> Iterator[str]:
    """Keys as strings; those that are paths themselves, as optimizers have them, part by part."""
    for key in keys:
        if isinstance(key, tuple):
            yield from _parts(key)
        else:
            yield str(key)


def _check_that_all_are_states(target: Any) -> None:
    if isinstance(target, (Node, State)):
        return
    for path, leaf in iter_leaf(target, (0, 0)):
        if not isinstance(leaf, State):
            raise TypeError(
                f"What is saved and loaded are States; at {path} stands {leaf!r} of type "
                f"{type(leaf).__name__}. Hold it in a State. [BST-A01]"
            )
