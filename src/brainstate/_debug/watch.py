"""What `debug` looks for, and the check of one write."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .._engine import frames
from .._engine.jax_api import current_trace
from .._engine.names import path_of
from .._state import State
from .._units import attach, is_quantity, number_in, split
from ..typing import Predicate
from .ledger import ledger, noted
from .sites import Parts, site_number


class Bound(NamedTuple):
    """The end of a range. It holds for values of its dimension, and for no others."""

    number: float
    unit: Any | None

    @classmethod
    def of(cls, name: str, given: Any) -> Bound | None:
        """Validate an argument of `debug`."""
        if given is None:
            return None
        number, unit = split(given)
        try:
            bound = cls(float(number), unit)
        except (TypeError, ValueError):
            bound = cls(math.nan, None)
        if isinstance(given, str) or math.isnan(bound.number):
            raise TypeError(
                f"`{name}` of debug() is a number or a quantity; found {given!r}. [BST-A01]"
            )
        return bound

    def within(self, unit: Any | None) -> float | None:
        """The number that the bound is in `unit`, None for another dimension."""
        if (self.unit is None) != (unit is None):
            return None
        if unit is not None and not unit.has_same_dim(self.unit):
            return None
        return float(number_in(attach(self.number, self.unit), unit))


@dataclasses.dataclass(frozen=True)
class Watch:
    """Checks each write; programs are kept by what it looks for."""

    low: Bound | None
    high: Bound | None
    selects: Predicate

    def __call__(self, state: State, value: Any) -> None:
        """Note a write in the ledger of the body under way."""
        frame = frames.current_frame()
        if frame is None or state._home is not None or current_trace() is not frame.trace:
            return  # a variable of a plain JAX function, or a write that will be refused
        if not self.selects(path_of(state)[1], state):
            return
        parts, numbers = self._numbers(value)
        if numbers:
            site = np.int32(site_number(state, parts))
            frames.write(frame, ledger, noted(frames.read(frame, ledger), numbers, site))

    def _numbers(self, value: Any) -> tuple[Parts, list]:
        """The path and shape of each array to check; the arrays, each with the bounds for it."""
        parts, numbers = [], []
        for path, leaf in jax.tree_util.tree_leaves_with_path(value, is_leaf=is_quantity):
            number, unit = split(leaf)
            try:
                aval = jax.typeof(number)
            except TypeError:  # no JAX value
                continue
            bounds = self._bounds(aval.dtype, unit)
            is_looked_at = jnp.issubdtype(aval.dtype, jnp.inexact) or bounds != [None, None]
            if is_looked_at and 0 not in aval.shape:
                parts.append((jax.tree_util.keystr(path), aval.shape))
                numbers.append((jax.lax.stop_gradient(number), *bounds))
        return tuple(parts), numbers

    def _bounds(self, dtype: Any, unit: Any | None) -> list[float | None]:
        is_real = jnp.issubdtype(dtype, jnp.floating) or jnp.issubdtype(dtype, jnp.integer)
        ends = (self.low, self.high) if is_real else (None, None)
        return [None if end is None else end.within(unit) for end in ends]


def is_watched() -> bool:
    """Whether writes are noted here."""
    return any(isinstance(check, Watch) for check in frames.write_checks.get())


@contextlib.contextmanager
def watching(watch: Watch | None) -> Iterator[None]:
    """Inside, writes are noted by this watch alone, or by none."""
    others = tuple(c for c in frames.write_checks.get() if not isinstance(c, Watch))
    token = frames.write_checks.set(others if watch is None else (*others, watch))
    try:
        yield
    finally:
        frames.write_checks.reset(token)
