"""Activation functions.

Those of `jax.nn` work on the number of a quantity and keep its unit: ``relu(2 mV)`` is 2 mV.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from .._units import attach, split


def keeping_units(fun: Callable[..., jax.Array]) -> Callable[..., Any]:
    """Let a function of an array work on the number of a quantity."""

    @functools.wraps(fun)
    def wrapper(x: Any, *args: Any, **kwargs: Any) -> Any:
        number, unit = split(x)
        return attach(fun(number, *args, **kwargs), unit)

    return wrapper


@keeping_units
def relu(x: Any) -> Any:
    """``max(x, 0)``.

    >>> relu(jnp.array([-1.0, 2.0]))
    Array([0., 2.], dtype=float32)
    """
    return jax.nn.relu(x)


@keeping_units
def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``."""
    return jax.nn.sigmoid(x)


@keeping_units
def softplus(x: Any) -> Any:
    """``log(1 + exp(x))``, without overflow."""
    return jax.nn.softplus(x)


@keeping_units
def softmax(
    x: Any,
    axis: int | Sequence[int] | None = -1,
    where: Any = None,
    initial: Any = None,
) -> Any:
    """``exp(x) / sum(exp(x))`` along `axis` (None: all); 0 outside `where`.

    `initial` is accepted and not needed.
    """
    return jax.nn.softmax(x, axis=axis, where=where)


@keeping_units
def log_softmax(
    x: Any,
    axis: int | Sequence[int] | None = -1,
    where: Any = None,
    initial: Any = None,
) -> Any:
    """The logarithm of `softmax`; minus infinity outside `where`."""
    return jax.nn.log_softmax(x, axis=axis, where=where)


def tanh(x: Any) -> jax.Array:
    """The hyperbolic tangent, of plain numbers only."""
    number, unit = split(x)
    if unit is not None:
        raise TypeError(f"tanh takes plain numbers; found a quantity in {unit}. Divide by a scale.")
    return jnp.tanh(number)
