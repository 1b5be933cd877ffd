"""`Cell`: where a State keeps its value, as leaves ready for JAX.

A compiled function passes the leaves of its States as one flat list. Those that it only reads are
collected again after some cell changed, which one comparison tells. A value with structure is put
together when it is read; since the reader may edit that container in place, it is looked at before
each call for as long as somebody holds it.
"""

from __future__ import annotations

import sys
import threading
import weakref
from operator import is_not
from typing import Any

import jax

UNSET: Any = type("Unset", (), {"__repr__": lambda self: "<unset>", "__slots__": ()})()
"""The value of a State that has none: its transformation failed, or its loop is over."""

_NONE: Any = object()


class _Clock:
    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now = object()


changes = _Clock()
"""`now` becomes another object whenever a compiled function may have to look again: after the
assignment of a State or of a node's attribute. Compiled code moves it only if the State that it
writes is remembered elsewhere."""


class Cell:
    """The leaves of one value and their structure (None for a bare leaf).

    `leaves` stays the same list. `container` is the value as its owner wrote it, or as it was put
    together for a reader; `_NONE` where neither happened since the leaves changed.
    """

    __slots__ = ("__weakref__", "container", "leaves", "remembered", "tree", "watched")
    lasting = True  # `changes` tells when it changes

    def __init__(self) -> None:
        self.leaves: list = [UNSET]
        self.tree: Any = None
        self.container = _NONE
        self.watched = False  # whether `handed_out` looks after the container
        self.remembered = False  # whether the clock must move with this cell

    def set(self, value: Any) -> None:
        leaves, tree = jax.tree.flatten(value)
        bare = len(leaves) == 1 and leaves[0] is value
        self.leaves[:] = leaves
        self.tree, self.container = (None, _NONE) if bare else (tree, value)
        self._watch()
        changes.now = object()

    def get(self) -> Any:
        if self.tree is None:
            return self.leaves[0]
        if self.container is _NONE:
            self.container = self.tree.unflatten(self.leaves)
        self._watch()
        return self.container

    def put(self, leaves: list) -> None:
        """New leaves of the same structure; the caller moves the clock if it must."""
        self.leaves[:] = leaves
        self.container = _NONE

    def remember(self) -> None:
        """From now on the clock moves with this cell."""
        if not self.remembered:
            self.remembered = True
            changes.now = object()  # those who write this cell must learn of it

    def _watch(self) -> None:
        if self.container is not _NONE and not self.watched:
            self.watched = True
            handed_out.add(self)


class HandedOut:
    """The containers that somebody may hold and edit in place.

    Most are flat dicts of arrays, all found unchanged by one comparison at the speed of C: equal
    dicts hold the same arrays, since comparing two different ones gives no single truth value.
    """

    def __init__(self) -> None:
        self._cells: list[weakref.ref[Cell]] = []
        self._lock = threading.Lock()
        self.inspect = False  # whether all must be looked at one by one
        self.dicts: list[dict] = []
        self.copies: list[dict] = []

    def add(self, cell: Cell) -> None:
        self._cells.append(weakref.ref(cell, self._forget))
        self.inspect = True

    def _forget(self, _: Any) -> None:
        self.dicts, self.copies, self.inspect = [], [], True

    def absorb_edits(self) -> None:
        """Take over what was edited since the last time."""
        if self.inspect or not self._same():
            with self._lock:
                self.dicts, self.copies = [], []  # they would count as holders below
                alive = [(ref, cell) for ref in self._cells if (cell := ref()) is not None]
                held = [(ref, cell) for ref, cell in alive if self._absorb(cell)]
                simple = [cell for _, cell in held if _is_comparable(cell)]
                self._cells = [ref for ref, _ in held]
                self.dicts = [cell.container for cell in simple]
                self.copies = [dict(container) for container in self.dicts]
                self.inspect = len(simple) < len(held)

    def _same(self) -> bool:
        try:
            return self.dicts == self.copies
        except Exception:  # arrays of several elements, hence different ones
            return False

    def _absorb(self, cell: Cell) -> bool:
        """Take over the edits in one container; returns whether somebody still holds it."""
        container = cell.container
        if container is not _NONE:
            leaves, tree = jax.tree.flatten(container)
            if tree != cell.tree or any(map(is_not, leaves, cell.leaves)):
                cell.leaves[:], cell.tree = leaves, tree
                changes.now = object()
            if sys.getrefcount(container) > _ALONE:
                return True
        cell.watched = False
        return False


def _is_comparable(cell: Cell) -> bool:
    """Whether ``==`` tells every edit: a flat dict of arrays with several elements each."""
    container = cell.container
    return (
        type(container) is dict
        and {*map(id, container.values())} == {*map(id, cell.leaves)}
        and all(getattr(leaf, "size", 1) > 1 for leaf in cell.leaves)
    )


handed_out = HandedOut()


def _count_when_alone() -> int:
    """What `getrefcount` says in `HandedOut._absorb` of a container that nobody else holds."""
    cell = Cell()
    cell.container = {}
    container = cell.container
    return sys.getrefcount(container)


_ALONE = _count_when_alone()
