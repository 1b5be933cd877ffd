"""Functions cut off at given values, which are in the unit of `x`; plain values count in it."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from .._units import attach, is_quantity, number_in, split
from ..typing import ArrayLike


def hard_tanh(x: Any, min_val: ArrayLike = -1.0, max_val: ArrayLike = 1.0) -> Any:
    """`x`, clipped to [min_val, max_val].

    >>> import brainunit as u
    >>> hard_tanh(jnp.array([-2.0, 0.5]) * u.mV)
    Quantity([-1.   0.5], "mV")
    """
    number, unit = split(x)
    low, high = _in(unit, "min_val", min_val), _in(unit, "max_val", max_val)
    return attach(jnp.clip(number, low, high), unit)


def hard_shrink(x: Any, lambd: ArrayLike = 0.5) -> Any:
    """`x` where ``abs(x) > lambd``, else 0."""
    number, unit = split(x)
    return attach(jnp.where(jnp.abs(number) > _in(unit, "lambd", lambd), number, 0), unit)


def soft_shrink(x: Any, lambd: ArrayLike = 0.5) -> Any:
    """`x` moved towards 0 by `lambd`, but not beyond 0."""
    number, unit = split(x)
    limit = _in(unit, "lambd", lambd)
    return attach(number - jnp.clip(number, -limit, limit), unit)


def threshold(x: Any, threshold: ArrayLike, value: ArrayLike) -> Any:
    """`x` where ``x > threshold``, else `value`."""
    number, unit = split(x)
    kept = number > _in(unit, "threshold", threshold)
    return attach(jnp.where(kept, number, _in(unit, "value", value)), unit)


def _in(unit: Any, name: str, x: Any) -> Any:
    return number_in(x, unit, name) if is_quantity(x) else x
