"""`debug`: check each write of the State programs inside a block."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from .._engine import frames
from .._engine.jax_api import EAGER, current_trace
from .._errors import BadWriteError, TraceContextError
from .._state import State
from ..typing import Filter
from ..util.filter import to_predicate
from .ledger import KINDS, LEVELS, Found, Tally, ledger
from .sites import Site, site
from .watch import Bound, Watch, watching


@contextlib.contextmanager
def debug(*, low: Any = None, high: Any = None, states: Filter = ...) -> Iterator[None]:
    """Inside, raise BadWriteError at the first assignment of NaN, infinity, or beyond a range.

    The error names the State, the element, the step of each loop, the lane of each `vmap`, and the
    line that assigned, however deep in `jit`, `grad`, `vmap` and loops that is. It comes once the
    outermost transformation has run, and every State keeps its value from before that call.

    Real values below `low` or above `high` are bad too, where these bounds are plain numbers and so
    are the values, or both have units of one dimension. `states` is a filter: which States are
    looked at. First values of new States are not looked at, nor are edits of a container in place
    outside of transformations, nor what was compiled ahead of time (``jit(f).lower``). What is
    compiled inside is kept apart and runs somewhat slower; outside, nothing changes. Usable as a
    decorator.

    >>> import brainstate, jax.numpy as jnp
    >>> rate = brainstate.State(1.0, name="rate")
    >>> def step(x):
    ...     rate.value = rate.value / x
    >>> try:
    ...     with brainstate.debug():
    ...         brainstate.transform.for_loop(step, jnp.array([2.0, 1.0, 0.0]))
    ... except brainstate.util.BadWriteError as error:
    ...     print(error)
    State 'rate' was assigned infinity in step 2, by ... in step: `rate.value = rate.value / x`. ...
    >>> rate.value
    1.0
    """
    watch = Watch(Bound.of("low", low), Bound.of("high", high), to_predicate(states))
    _check_range(watch, low, high)
    _refuse_inside()
    with watching(watch), _DebugFrame():
        yield


class _DebugFrame(frames.PassingFrame):
    """Holds the ledger between the calls inside the block, and looks at what each adds to it."""

    def __init__(self) -> None:
        super().__init__()
        self.tally = Tally()

    def read(self, state: State) -> Any:
        return self.tally if state is ledger else super().read(state)

    def write(self, state: State, value: Any) -> None:
        if state is ledger:
            _refuse_bad(value)
            self.tally = value
        else:
            super().write(state, value)

    def inspect(self, new: dict[State, Any]) -> None:
        if ledger in new:
            _refuse_bad(new[ledger])
        super().inspect({state: value for state, value in new.items() if state is not ledger})


def _refuse_bad(tally: Tally) -> None:
    found = tally.found
    if int(found.site):
        found = Found(*map(np.asarray, jax.device_get(found)))
        raise _error(found, site(found.site))


def _error(found: Found, site: Site) -> BadWriteError:
    path, shape = site.parts[int(found.leaf)]
    index = tuple(map(int, np.unravel_index(int(found.element), shape)))
    steps = tuple(map(int, found.steps[: min(found.depth, LEVELS)]))
    lanes = tuple(map(int, found.lanes[: min(found.maps, LEVELS)]))
    kind = KINDS[int(found.kind)]
    where = [f"at {path}{list(index) if index else ''}"] if path or index else []
    where += [_nested("step", steps)] if steps else []
    where += [_nested("lane", lanes)] if lanes else []
    error = BadWriteError(
        f"{site.state_name()} was assigned {' '.join([kind, ', '.join(where)]).strip()}, by "
        f"{site.where()}. States keep their values from before the call. If this one may hold "
        "such values, leave it out: brainstate.debug(states=...). [BST-V03]"
    )
    error.state, error.index, error.steps, error.lanes = site.state, index, steps, lanes
    error.kind, error.file, error.line = kind, site.file, site.line
    return error


def _nested(noun: str, numbers: tuple[int, ...]) -> str:
    """``step 3``, or where loops are nested ``step 3 > 0``, the outermost first."""
    return f"in {noun} {' > '.join(map(str, numbers))}"


def _check_range(watch: Watch, low: Any, high: Any) -> None:
    if watch.low is not None and watch.high is not None:
        highest = watch.high.within(watch.low.unit)
        if highest is not None and watch.low.number > highest:
            raise ValueError(f"debug() needs low <= high; found low={low}, high={high}. [BST-A02]")


def _refuse_inside() -> None:
    frame = frames.current_frame()
    while isinstance(frame, frames.PassingFrame):
        frame = frame.parent
    if frame is not None or current_trace() is not EAGER:
        raise TraceContextError(
            "debug() was entered inside a transformation, which cannot report what it finds "
            "there. Enter it around the outermost call. [BST-V04]"
        )
