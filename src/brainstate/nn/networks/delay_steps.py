"""Delay times, and the numbers of steps that they take."""

from __future__ import annotations

import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np

from ... import environ
from ..._engine.jax_api import is_tracer
from ..._engine.names import describe, stacklevel
from ..._units import attach, number_in, split

TOLERANCE = 1e-3  # of a step: 0.3 ms is 3 steps of 0.1 ms, whatever the rounding of the ratio


def steps_in(time: Any) -> Any:
    """The steps that `time` takes: the nearest number if it is that but for rounding, else more.

    >>> with environ.context(dt=0.1):
    ...     int(steps_in(0.3)), int(steps_in(0.31))
    (3, 4)
    """
    ratio = ratio_to_dt(time)
    xp = jnp if is_tracer(ratio) else np
    nearest = xp.round(ratio)
    steps = xp.where(abs(ratio - nearest) <= TOLERANCE, nearest, xp.ceil(ratio))
    return steps.astype(np.int32)


def warn_of_rounding(time: Any, owner: Any) -> None:
    """Say it where a time lies between two steps and is rounded up."""
    ratio = ratio_to_dt(time)
    if not is_tracer(ratio) and np.any(abs(ratio - np.round(ratio)) > TOLERANCE):
        warnings.warn(
            f"{describe(owner)} takes {steps_in(time)} steps for a delay of {time}, which is no "
            f"multiple of dt={environ.get_dt()}. Choose a multiple, or give the Delay an "
            "`interpolation`. [BST-P05]",
            stacklevel=stacklevel(),
        )


def ratio_to_dt(time: Any) -> Any:
    """How often `dt` fits into `time`, as a real number."""
    dt, unit = split(environ.get_dt())
    number = number_in(time, unit, "a delay time")
    if is_tracer(number) or is_tracer(dt):
        return number / dt
    return np.asarray(number, float) / np.asarray(dt, float)


def longer(known: Any, time: Any) -> Any:
    """The longest of a known time, or None, and new ones."""
    number, unit = split(time)
    number = np.asarray(number, float)
    if not np.all(number >= 0):
        raise ValueError(f"A delay time must not be negative; found {time}. [BST-A02]")
    top = float(np.max(number, initial=0.0))
    if known is not None and number_in(known, unit, "a delay time") >= top:
        return known
    return attach(top, unit)


def checked_steps(steps: Any) -> Any:
    """These numbers of steps, which must be whole and not negative."""
    if not jnp.issubdtype(jnp.result_type(steps), jnp.integer):
        raise TypeError(f"A number of delay steps is an integer; found {steps!r}. [BST-A01]")
    if is_tracer(steps):
        return steps
    steps = np.asarray(steps)
    if np.any(steps < 0):
        raise ValueError(f"A number of delay steps must not be negative; found {steps}. [BST-A02]")
    return steps
