"""Containers of nodes and States, opened one level at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from types import FunctionType
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np
from jax.tree_util import DictKey, FlattenedIndexKey, GetAttrKey, SequenceKey

from ..typing import Key
from ..util.nested_dict import FlattedDict, NestedDict
from ..util.sorted_children import sorted_keys

_DICTS = (dict, NestedDict, FlattedDict)
_SEQUENCES = (list, tuple)
_ATOMS = (str, int, float, complex, bytes, FunctionType, np.ndarray)  # only to save time


class Shape(Protocol):
    """What remains of a container once its children are taken out; hashable."""

    def rebuild(self, children: Sequence[Any]) -> Any:
        """Put children, in the order in which they came out, into a new container."""


class Opened(NamedTuple):
    """One level of a container: its children, the key of each, and the rest."""

    keys: Sequence[Key]
    children: Sequence[Any]
    shape: Shape


@dataclasses.dataclass(frozen=True)
class DictShape:
    """A dict, or the attributes of a node, in the order in which it was filled."""

    kind: type[dict]
    keys: tuple[Key, ...]

    def rebuild(self, children: Sequence[Any]) -> dict:
        found = dict(zip(sorted_keys(self.keys), children, strict=True))
        return self.kind((key, found[key]) for key in self.keys)


@dataclasses.dataclass(frozen=True)
class SequenceShape:
    """A list or tuple."""

    kind: type

    def rebuild(self, children: Sequence[Any]) -> Any:
        return self.kind(children)


class TreeShape:
    """Any other container that JAX knows."""

    def __init__(self, kind: type, treedef: Any):
        self.kind, self.treedef = kind, treedef

    def rebuild(self, children: Sequence[Any]) -> Any:
        return self.treedef.unflatten(children)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TreeShape) or self.kind is not other.kind:
            return False
        try:
            return self.treedef is other.treedef or bool(self.treedef == other.treedef)
        except (TypeError, ValueError):  # the container keeps an array as static data
            return False

    def __hash__(self) -> int:
        try:
            return hash(self.treedef)
        except TypeError:
            return hash(self.kind)

    def __repr__(self) -> str:
        return str(self.treedef)


def open_dict(mapping: dict) -> Opened:
    """The children of a dict ordered by key; its own order is kept in the shape."""
    keys = sorted_keys(mapping)
    return Opened(keys, [mapping[key] for key in keys], DictShape(type(mapping), tuple(mapping)))


def open_container(value: Any) -> Opened | None:
    """One level of a pytree container, None for what JAX takes for a leaf."""
    if type(value) in _DICTS:  # JAX would sort their keys, or fail to
        return open_dict(value)
    if type(value) in _SEQUENCES:
        return Opened(range(len(value)), value, SequenceShape(type(value)))
    if isinstance(value, _ATOMS):
        return None
    entries, treedef = jax.tree.flatten_with_path(value, is_leaf=lambda part: part is not value)
    if entries and not entries[0][0]:
        return None
    keys = [_key(path[0]) for path, _ in entries]
    return Opened(keys, [child for _, child in entries], TreeShape(type(value), treedef))


def renew(tree: Any) -> Any:
    """The same leaves in new containers."""
    opened = open_container(tree)
    if opened is None:
        return tree
    return opened.shape.rebuild([renew(child) for child in opened.children])


def _key(entry: Any) -> Key:
    match entry:
        case SequenceKey():
            return entry.idx
        case DictKey() | FlattenedIndexKey():
            return entry.key
        case GetAttrKey():
            return entry.name
    return entry
