"""Between nested mappings and mappings from paths, in plain dicts."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import jax

from brainstate.typing import PathParts

__all__ = ["EmptyNode", "flat_items", "nest_items"]

IsLeaf: TypeAlias = Callable[[PathParts, Mapping], bool]


@jax.tree_util.register_static
class EmptyNode:
    """Stands for an empty mapping among the values of a flat one; has no leaves."""

    def __repr__(self) -> str:
        return "EmptyNode()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EmptyNode)

    def __hash__(self) -> int:
        return hash(EmptyNode)


def flat_items(
    xs: Mapping,
    path: PathParts = (),
    *,
    keep_empty_nodes: bool = False,
    is_leaf: IsLeaf | None = None,
) -> Iterator[tuple[PathParts, Any]]:
    """Walk a nested mapping, giving `(path, leaf)`; whatever is no mapping is a leaf."""
    for key, value in xs.items():
        here = (*path, key)
        if not isinstance(value, Mapping) or (is_leaf is not None and is_leaf(here, value)):
            yield here, value
        elif value:
            yield from flat_items(value, here, keep_empty_nodes=keep_empty_nodes, is_leaf=is_leaf)
        elif keep_empty_nodes:
            yield here, EmptyNode()


def nest_items(items: Iterable[tuple[PathParts, Any]]) -> dict:
    """Build a nested dict from `(path, value)` pairs; ValueError if one path leads through a leaf.

    Of two values with the same path the later one is kept.
    """
    root: dict = {}
    levels: dict[PathParts, dict] = {(): root}
    leaves: set[PathParts] = set()
    for path, value in items:
        if not isinstance(path, tuple):
            raise TypeError(
                f"Expected a path (tuple of keys), found {path!r} of type {type(path).__name__}; "
                "write ('a', 'b'), or give `sep` if keys are joined strings. [BST-A01]"
            )
        if not path:
            raise ValueError(
                "The empty path () stands for the whole tree and cannot be nested. [BST-A06]"
            )
        if path in levels:
            raise ValueError(
                f"Path {path!r} cannot hold a value, since other paths go through it. [BST-A11]"
            )
        leaves.add(path)
        level = _level(path[:-1], levels, leaves)
        level[path[-1]] = {} if isinstance(value, EmptyNode) else value
    return root


def _level(path: PathParts, levels: dict[PathParts, dict], leaves: set[PathParts]) -> dict:
    known = len(path)
    while path[:known] not in levels:
        if path[:known] in leaves:
            raise ValueError(
                f"Path {path[:known]!r} holds a value, so that no other path can go "
                "through it. [BST-A11]"
            )
        known -= 1
    for end in range(known, len(path)):
        levels[path[: end + 1]] = levels[path[:end]][path[end]] = {}
    return levels[path]
