"""What `explain` sees: each transformation tells which body it is about to run.

Nobody watches most of the time, and then this costs one look-up on paths that trace.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from .names import function_name

if TYPE_CHECKING:
    from .._state import State


@dataclasses.dataclass
class Step:
    """One transformation of a body, and the transformations inside it."""

    name: str
    functions: tuple[str, ...]
    details: dict[str, Any]
    inner: list[Step] = dataclasses.field(default_factory=list)
    axes_in: dict[State, Any] = dataclasses.field(default_factory=dict)
    axes_out: dict[State, Any] = dataclasses.field(default_factory=dict)
    split: set[State] = dataclasses.field(default_factory=set)  # random States, for the lanes
    donated: set[State] = dataclasses.field(default_factory=set)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Step]]:
        """This step and all inside it, outside in, each with its depth."""
        yield depth, self
        for step in self.inner:
            yield from step.walk(depth + 1)


_under_way: ContextVar[Step | None] = ContextVar("brainstate_observed_step", default=None)


def is_observed() -> bool:
    """Whether somebody watches: bodies are then run, even where their programs are kept."""
    return _under_way.get() is not None


@contextlib.contextmanager
def observed(name: str, *funs: Callable, **details: Any) -> Iterator[Step]:
    """Watch what is called inside."""
    root = Step(name, tuple(map(function_name, funs)), details)
    token = _under_way.set(root)
    try:
        yield root
    finally:
        _under_way.reset(token)


@contextlib.contextmanager
def entering(name: str, *funs: Callable, **details: Any) -> Iterator[Step | None]:
    """Tell an observer that a transformation runs these bodies now; None if nobody watches."""
    outer = _under_way.get()
    if outer is None:
        yield None
        return
    with observed(name, *funs, **details) as step:
        outer.inner.append(step)
        yield step


def rename(name: str, funs: Iterable[Callable], details: dict[str, Any]) -> None:
    """The step under way is part of what the user knows under this name."""
    step = _under_way.get()
    if step is not None:
        step.name, step.functions, step.details = name, tuple(map(function_name, funs)), details
