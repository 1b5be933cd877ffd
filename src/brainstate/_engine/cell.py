"""`Cell`: where a State keeps its value, as leaves ready for JAX.

A compiled function passes the leaves of its States as one flat list. Those that it only reads are
collected again after some cell changed, which one comparison tells. A value with structure is put
together when it is read; since the reader may edit that container in place, it is looked at before
each call for as long as somebody holds it.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
import threading
import weakref
from collections import deque
from operator import is_not
from typing import Any

import jax

UNSET: Any = type("Unset", (), {"__repr__": lambda self: "<unset>", "__slots__": ()})()
"""The value of a State that has none: its transformation failed, or its loop is over."""

UNREAD: Any = object()
_LOOK: list = [object()]  # equal to no list of dicts
_NO_LOCK = contextlib.nullcontext()


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
    together for a reader; `UNREAD` where neither happened since the leaves changed.
    """

    __slots__ = ("__weakref__", "container", "leaves", "remembered", "tree", "watched")
    lasting = True  # `changes` tells when it changes

    def __init__(self) -> None:
        self.leaves: list = [UNSET]
        self.tree: Any = None
        self.container = UNREAD
        self.watched = False  # whether `handed_out` looks after the container
        self.remembered = False  # whether the clock must move with this cell

    def set(self, value: Any) -> None:
        self.place(value, *jax.tree.flatten(value))

    def place(self, value: Any, leaves: list, tree: Any) -> None:
        """Set a value that was flattened already."""
        bare = len(leaves) == 1 and leaves[0] is value
        with self._guarded():
            self.leaves[:] = leaves
            self.tree, self.container = (None, UNREAD) if bare else (tree, value)
        self._watch()
        changes.now = object()

    def get(self) -> Any:
        if self.tree is None:
            return self.leaves[0]
        container = self.container
        if container is UNREAD:
            container = self.container = self.tree.unflatten(self.leaves)
        self._watch()  # held here by now, so it stays watched
        return container

    def put(self, leaves: list) -> None:
        """New leaves of the same structure; the caller moves the clock if it must."""
        with self._guarded():
            self.leaves[:] = leaves
            self.container = UNREAD

    def remember(self) -> None:
        """From now on the clock moves with this cell."""
        if not self.remembered:
            self.remembered = True
            changes.now = object()  # those who write this cell must learn of it

    def _guarded(self) -> contextlib.AbstractContextManager:
        """Keeps other threads from taking over an old container meanwhile."""
        return handed_out.lock if self.watched else _NO_LOCK

    def _is_fixed(self) -> bool:
        """Whether there is no container, or one that nobody can edit: None, a tuple of leaves."""
        container = self.container
        if container is UNREAD or container is None:
            return True
        if type(container) is not tuple or len(container) != len(self.leaves):
            return False
        return not any(map(is_not, container, self.leaves))

    def _watch(self) -> None:
        if not self.watched and not self._is_fixed():
            self.watched = True
            handed_out.add(self)


class HandedOut:
    """The containers that somebody may hold and edit in place.

    Most are flat dicts of arrays, all found unchanged by one comparison at the speed of C: equal
    dicts hold the same arrays, since comparing two different ones gives no single truth value.
    ``dicts != copies`` says that `absorb_edits` has something to look at, in any thread at any
    time: while one thread is at it, the others find them different, and wait.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._cells: list[weakref.ref[Cell]] = []
        self._added: deque[weakref.ref[Cell]] = deque()
        self.dicts: list = []
        self.copies: list = []

    def add(self, cell: Cell) -> None:
        self._added.append(weakref.ref(cell, self._look))
        self._look()

    def _look(self, _: Any = None) -> None:
        self.dicts, self.copies = _LOOK, []  # a dead cell's values are let go of

    def absorb_edits(self) -> None:
        """Take over what was edited since the last time."""
        if self._same():
            return
        with self.lock:
            self._look()  # `dicts` and `copies` would count as holders below
            while self._added:
                self._cells.append(self._added.popleft())
            alive = [(ref, cell) for ref in self._cells if (cell := ref()) is not None]
            # Copied before they are looked at, lest an edit of another thread fall in between.
            copies = [_copy(cell.container) for _, cell in alive]
            kept = [_absorb(cell) for _, cell in alive]
            held = [*itertools.compress(zip(alive, copies, strict=True), kept)]
            self._cells = [ref for (ref, _), _ in held]
            simple = [(cell.container, copy) for (_, cell), copy in held if _is_comparable(cell)]
            self.copies = [copy for _, copy in simple]
            if len(simple) == len(held):
                self.dicts = [container for container, _ in simple]
            if self._added:
                self._look()

    def _same(self) -> bool:
        try:
            return self.dicts == self.copies
        except Exception:  # arrays of several elements, hence different ones
            return False


def _absorb(cell: Cell) -> bool:
    """Take over the edits in one container; returns whether somebody still holds it."""
    container = cell.container
    if container is not UNREAD:
        leaves, tree = jax.tree.flatten(container)
        if tree != cell.tree or any(map(is_not, leaves, cell.leaves)):
            cell.leaves[:], cell.tree = leaves, tree
            changes.now = object()
    cell.watched = False  # before counting: whoever takes it from now on adds it again
    if container is not UNREAD and sys.getrefcount(container) > _ALONE:
        cell.watched = True
        return True
    return False


def _copy(container: Any) -> Any:
    return dict(container) if type(container) is dict else None


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
    """What `getrefcount` says in `_absorb` of a container that nobody else holds."""
    cell = Cell()
    cell.container = {}
    container = cell.container
    return sys.getrefcount(container)


_ALONE = _count_when_alone()
