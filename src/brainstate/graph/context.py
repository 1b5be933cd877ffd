"""Splitting and merging several nodes, or the same one again and again, with one numbering."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from ..typing import Filter
from ..util.frozen_dict import FrozenDict
from .convert import merged, split_with
from .definition import GraphDef, NodeDef
from .flattening import unflatten
from .ref_map import RefMap

_open: ContextVar[tuple[UpdateContext, ...]] = ContextVar("brainstate_updates", default=())


class SplitContext:
    """Splits nodes; what was split before comes out as a reference."""

    def __init__(self, update: UpdateContext | None = None):
        self._numbers: RefMap[Any, int] = RefMap()
        self._update = update

    def treefy_split(self, node: Any, *filters: Filter) -> tuple[Any, ...]:
        """Split as `graph.treefy_split` does."""
        graphdef, *states = split_with(node, filters, self._numbers)
        if self._update is not None:
            graphdef = self._update.mapped(graphdef, self._numbers)
        return (graphdef, *states)

    def _close(self) -> None:
        if self._update is not None:
            self._update.was_split(self._numbers)


class MergeContext:
    """Merges what one SplitContext split; equal numbers give the same object."""

    def __init__(self, update: UpdateContext | None = None):
        self._made: dict[int, Any] = {}
        self._update = update
        self._updates_outside = False

    def treefy_merge(self, graphdef: GraphDef, state_mapping: Any, /, *state_mappings: Any) -> Any:
        """Merge as `graph.treefy_merge` does."""
        mapping = getattr(graphdef, "index_mapping", None)
        originals: dict[int, Any] = {}
        if self._update is not None and mapping is not None:
            originals = self._update.originals(mapping)
            self._updates_outside = True
        return unflatten(
            graphdef,
            merged(state_mapping, *state_mappings),
            index_ref=self._made,
            index_ref_cache=originals,
        )

    def _close(self) -> None:
        if self._update is not None and not self._updates_outside:
            self._update.was_merged(self._made)


class UpdateContext:
    """Carries changes made to a merged copy back to the original; see `update_context`."""

    def __init__(self, tag: str):
        self.tag = tag
        self._outside: RefMap[Any, int] | None = None  # originals and their numbers, after step 1
        self._inside: RefMap[Any, int] | None = None  # copies and these numbers, after step 2

    def split(self, node: Any, *filters: Filter) -> tuple[Any, ...]:
        """Split the original, or the copy after it was changed; gives ``(graphdef, *states)``."""
        with _closing(SplitContext(self)) as context:
            return context.treefy_split(node, *filters)

    def merge(self, graphdef: GraphDef, state: Any, *states: Any) -> Any:
        """Make the copy, or bring the original up to date with the changed copy."""
        with _closing(MergeContext(self)) as context:
            return context.treefy_merge(graphdef, state, *states)

    def mapped(self, graphdef: GraphDef, numbers: RefMap[Any, int]) -> GraphDef:
        """Say in a definition of the copy which numbers the originals have."""
        if self._inside is None or not isinstance(graphdef, NodeDef):
            return graphdef
        pairs = {old: numbers[copy] for copy, old in self._inside.items() if copy in numbers}
        return dataclasses.replace(graphdef, index_mapping=FrozenDict(pairs))

    def was_split(self, numbers: RefMap[Any, int]) -> None:
        if self._inside is None:
            self._outside = numbers
        self._inside = None

    def was_merged(self, made: dict[int, Any]) -> None:
        self._inside = RefMap((part, number) for number, part in made.items())

    def originals(self, mapping: FrozenDict[int, int]) -> dict[int, Any]:
        """The originals by the numbers of their changed copies."""
        if self._outside is None:
            raise ValueError(
                f"update_context {self.tag!r} cannot merge a changed copy: the original was not "
                "split in it. Split it first, outside, in the same context. [BST-G05]"
            )
        original = {number: part for part, number in self._outside.items()}
        return {new: original[old] for old, new in mapping.items()}


@contextlib.contextmanager
def split_context(ctxtag: str | None = None) -> Iterator[SplitContext]:
    """Split several nodes with one numbering, so that what they share stays shared.

    With `ctxtag` it takes part in the `update_context` of that tag.

    >>> import brainstate
    >>> cell = brainstate.graph.Dict(V=brainstate.State(0.0))
    >>> with split_context() as ctx:
    ...     first, again = ctx.treefy_split(cell), ctx.treefy_split(cell)
    >>> with merge_context() as ctx:
    ...     ctx.treefy_merge(*first) is ctx.treefy_merge(*again)
    True
    """
    with _closing(SplitContext(_update_of(ctxtag))) as context:
        yield context


@contextlib.contextmanager
def merge_context(ctxtag: str | None = None) -> Iterator[MergeContext]:
    """Merge what was split in one `split_context`."""
    with _closing(MergeContext(_update_of(ctxtag))) as context:
        yield context


@contextlib.contextmanager
def update_context(tag: str) -> Iterator[UpdateContext]:
    """Carry a node through a function of pytrees and bring it up to date with what happened there.

    Four steps in order: split the original outside, merge a copy inside, split the copy when it
    has changed, and merge outside, which changes the original: new values, attributes and nodes
    appear on it. Also a decorator; `current_update_context` then finds the context.

    >>> import brainstate, jax
    >>> cell = brainstate.graph.Dict(V=brainstate.State(1.0))
    >>> with update_context("step") as ctx:
    ...
    ...     @jax.jit
    ...     def step(graphdef, states):
    ...         copy = ctx.merge(graphdef, states)
    ...         copy["V"].value += 1.0
    ...         return ctx.split(copy)
    ...
    ...     updated = ctx.merge(*step(*ctx.split(cell)))
    >>> updated is cell, cell["V"].value.item()
    (True, 2.0)
    """
    context = UpdateContext(tag)
    token = _open.set((*_open.get(), context))
    try:
        yield context
    finally:
        _open.reset(token)


def current_update_context(tag: str) -> UpdateContext:
    """Find the innermost open `update_context` with this tag; ValueError if there is none."""
    for context in reversed(_open.get()):
        if context.tag == tag:
            return context
    raise ValueError(
        f"No update_context {tag!r} is open; those open are {[c.tag for c in _open.get()]}. "
        f"Write `with update_context({tag!r}):` around it. [BST-G05]"
    )


def _update_of(tag: str | None) -> UpdateContext | None:
    return None if tag is None else current_update_context(tag)


@contextlib.contextmanager
def _closing(context: Any) -> Iterator[Any]:
    yield context
    context._close()  # not after an exception
