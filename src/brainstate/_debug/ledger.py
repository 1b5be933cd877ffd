"""The ledger: a hidden State in which a program notes the first bad value that it assigns.

Being a State, it is carried by loops, chosen by branches and split by `vmap` as what the program
writes, so nothing is called back from compiled code. Each lane of `vmap` has its own; a lane that
does not run, or a branch not taken, leaves nothing in it.
"""

from __future__ import annotations

import contextvars
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .._engine.jax_api import EAGER, set_current_trace
from .._state import State

LEVELS = 8  # of nested loops, and of nested maps, that are told apart
KINDS = ("", "NaN", "infinity", "a value below `low`", "a value above `high`")

_int = np.int32


class Found(NamedTuple):
    """The first bad write; `site` is 0 while there is none."""

    site: Any = _int(0)
    tick: Any = _int(0)
    kind: Any = _int(0)  # among KINDS
    leaf: Any = _int(0)  # which array of the value,
    element: Any = _int(0)  # and where in it, counted flat
    depth: Any = _int(0)  # loops around it,
    steps: Any = np.zeros(LEVELS, _int)  # and the step of each, the outermost first
    maps: Any = _int(0)  # maps around it,
    lanes: Any = np.zeros(LEVELS, _int)  # and the lane of each, the outermost first


class Tally(NamedTuple):
    """Where a program is, and what it found so far."""

    ticks: Any = _int(0)  # checked writes so far
    depth: Any = _int(0)  # loops under way
    steps: Any = np.zeros(LEVELS, _int)
    found: Found = Found()


class Ledger(State):
    """Holds a `Tally` in the frames of programs under `debug`, and nothing outside of them."""

    bookkeeping = True

    def leave_lanes(self, value: Tally, frame: Any) -> Tally:
        return _first_of_lanes(value, frame.outer_value(self), frame.lane_axes)


def _outside_everything() -> Ledger:
    # This module may be imported first inside a transformed function, which must not own it.
    with set_current_trace(EAGER):
        return contextvars.Context().run(Ledger, None, name="brainstate.debug")


ledger = _outside_everything()


@jax.jit
def noted(tally: Tally, numbers: list, site: Any) -> Tally:
    """After a write of `numbers`: arrays, each with its lower and upper bound or None."""
    faults = [_first_fault(*number) for number in numbers]
    kinds, elements = (jnp.stack(column) for column in zip(*faults, strict=True))
    leaf = jnp.argmax(kinds > 0).astype(_int)
    here = Found(site, tally.ticks, kinds[leaf], leaf, elements[leaf], tally.depth, tally.steps)
    is_first = (kinds[leaf] > 0) & (tally.found.site == 0)
    found = jax.tree.map(lambda new, old: jnp.where(is_first, new, old), here, tally.found)
    return tally._replace(ticks=tally.ticks + 1, found=found)


def _first_fault(x: Any, low: Any, high: Any) -> tuple[Any, Any]:
    x = jnp.ravel(x)
    kinds = jnp.zeros(x.shape, _int)
    if high is not None:
        kinds = jnp.where(x > high, 4, kinds)
    if low is not None:
        kinds = jnp.where(x < low, 3, kinds)
    if jnp.issubdtype(x.dtype, jnp.inexact):
        kinds = jnp.where(jnp.isinf(x), 2, kinds)
        kinds = jnp.where(jnp.isnan(x), 1, kinds)
    element = jnp.argmax(kinds > 0).astype(_int)
    return kinds[element].astype(_int), element


@jax.jit
def entered(tally: Tally, first: Any) -> Tally:
    """Before a loop whose first step has this number."""
    steps = tally.steps.at[tally.depth].set(first, mode="drop")
    return tally._replace(depth=tally.depth + 1, steps=steps)


@jax.jit
def stepped(tally: Tally, by: Any) -> Tally:
    """After a step of the innermost loop."""
    return tally._replace(steps=tally.steps.at[tally.depth - 1].add(by, mode="drop"))


@jax.jit
def left(tally: Tally) -> Tally:
    """After a loop."""
    return tally._replace(depth=tally.depth - 1)


def _first_of_lanes(tally: Tally, outside: Tally, axes: Any) -> Tally:
    """One tally for all lanes: that of the lane which found something first."""
    last = np.iinfo(_int).max
    lane = jax.lax.axis_index(axes)
    tick = jnp.where(tally.found.site > 0, tally.found.tick, last)
    first = jax.lax.pmin(tick, axes)
    chosen = jax.lax.pmin(jnp.where(tick == first, lane, last), axes)
    found: Found = jax.tree.map(
        lambda x: jax.lax.psum(jnp.where(lane == chosen, x, 0), axes), tally.found
    )
    is_new = (found.site > 0) & (outside.found.site == 0)
    lanes = jnp.roll(found.lanes, 1).at[0].set(chosen)
    found = found._replace(
        maps=jnp.where(is_new, found.maps + 1, found.maps),
        lanes=jnp.where(is_new, lanes, found.lanes),
    )
    return outside._replace(ticks=jax.lax.pmax(tally.ticks, axes), found=found)
