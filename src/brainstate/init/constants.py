"""Initializers that give the same value every time."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from .._units import attach, split
from ..typing import ArrayLike, DTypeLike
from .base import Initializer


class ZeroInit(Initializer):
    """Zeros.

    >>> import brainstate
    >>> brainstate.init.ZeroInit()((2,))
    Array([0., 0.], dtype=float32)
    """

    def __init__(self, unit: Any = None):
        self.unit = unit

    def _number(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        return jnp.zeros(shape, dtype)


class Constant(Initializer):
    """One value everywhere, with or without a unit; an array is broadcast.

    >>> import brainstate, brainunit as u
    >>> brainstate.init.Constant(-65.0 * u.mV)((2,))
    Quantity([-65. -65.], "mV")
    """

    def __init__(self, value: ArrayLike = 1.0):
        self.value = value

    def _number(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        number, unit = split(self.value)
        return attach(jnp.full(shape, number, dtype), unit)


class Identity(Initializer):
    """`value` on the diagonal of a matrix; an integer as shape gives a square one.

    >>> import brainstate
    >>> brainstate.init.Identity(2.0)((2, 2)).tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """

    def __init__(self, value: ArrayLike = 1.0, unit: Any = None):
        self.value, self.unit = value, unit

    def _number(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        if len(shape) == 1:
            shape = (*shape, *shape)
        if len(shape) != 2:
            raise ValueError(f"Identity makes matrices; found the shape {shape}. [BST-A04]")
        number, unit = split(self.value)
        return attach(jnp.eye(*shape, dtype=dtype) * jnp.asarray(number, dtype), unit)
