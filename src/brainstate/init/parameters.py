"""From what users give for a parameter to its value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .. import environ
from .._state import State
from .._units import attach, is_quantity, split
from ..typing import ArrayLike, Size
from .sizes import to_size


def param(
    parameter: ArrayLike | Callable | State | None,
    sizes: Size,
    batch_size: int | None = None,
    allow_none: bool = True,
    allow_scalar: bool = True,
) -> Any:
    """The value of a parameter for a layer of shape `sizes`.

    A scalar stays as it is. A function is called with the shape, in front of which `batch_size`
    stands if given. An array must broadcast to `sizes`; it is repeated for the batch only. A State
    gives a new State of its class around the value.

    >>> param(2.0, 3), param(jnp.zeros, 3, batch_size=2).shape
    (2.0, (2, 3))
    """
    if parameter is None:
        if allow_none:
            return None
        raise ValueError(
            "This parameter is needed; found None. Give a number, array or function. [BST-A06]"
        )
    if isinstance(parameter, State):
        value = param(parameter.value, sizes, batch_size, allow_none, allow_scalar)
        return parameter.replace(value)
    shape = to_size(sizes)
    if shape is None:
        raise ValueError("param() needs the size of the layer; found None. [BST-A06]")
    if callable(parameter):
        return parameter(shape if batch_size is None else (batch_size, *shape))
    if not is_array(parameter):
        raise ValueError(
            "A parameter is a number, an array, a quantity or a function of the shape; found "
            f"{parameter!r}. [BST-A01]"
        )
    if jnp.ndim(split(parameter)[0]) == 0:
        if allow_scalar:
            return parameter
        raise ValueError(f"This parameter must not be a scalar; found {parameter!r}. [BST-A04]")
    return _fit(parameter, shape, batch_size)


def state(
    init: ArrayLike | Callable, sizes: Size | None = None, batch_size: int | None = None
) -> State:
    """A State with a first value: ``init(shape)``, or an array, which must have the shape `sizes`.

    >>> state(jnp.zeros, 3, batch_size=2).value.shape
    (2, 3)
    """
    shape = to_size(sizes)
    if callable(init):
        if shape is None:
            raise ValueError("state() needs `sizes` to call a function with. [BST-A06]")
        return State(init(shape if batch_size is None else (batch_size, *shape)))
    number, unit = split(init)
    number = jnp.asarray(number)
    if shape is not None and number.shape != shape:
        raise ValueError(
            f"state() was given a value of shape {number.shape}; expected {shape}. [BST-A04]"
        )
    if batch_size is not None:
        number = jnp.broadcast_to(number, (batch_size, *number.shape))
    return State(attach(number, unit))


def full_param(parameter: ArrayLike | Callable, shape: tuple[int, ...]) -> Any:
    """A trainable parameter: an array of floating-point numbers, of exactly this shape."""
    number, unit = split(param(parameter, shape, allow_none=False))
    array = jnp.asarray(number)
    if not hasattr(number, "dtype") or not jnp.issubdtype(array.dtype, jnp.inexact):
        array = jnp.asarray(array, environ.dftype())
    return attach(jnp.broadcast_to(array, shape), unit)


def is_array(x: Any) -> bool:
    """Whether `x` is a number or an array, with or without a unit."""
    return is_quantity(x) or isinstance(
        x, (bool, int, float, complex, np.generic, np.ndarray, jax.Array)
    )


def _fit(array: Any, shape: tuple[int, ...], batch_size: int | None) -> Any:
    number, unit = split(array)
    found = jnp.shape(number)
    if batch_size is not None and len(found) == len(shape) + 1:
        if found[0] != batch_size:
            raise ValueError(
                f"A parameter of shape {found} for a layer of shape {shape} must have batch_size="
                f"{batch_size} as its first dimension. [BST-A04]"
            )
        _check_broadcast(found[1:], shape)
        return array
    _check_broadcast(found, shape)
    if batch_size is None:
        return array
    padded = (1,) * (len(shape) - len(found)) + found
    return attach(jnp.repeat(jnp.reshape(number, (1, *padded)), batch_size, axis=0), unit)


def _check_broadcast(found: tuple[int, ...], shape: tuple[int, ...]) -> None:
    try:
        if np.broadcast_shapes(found, shape) == shape:
            return
    except ValueError:
        pass
    raise ValueError(
        f"A parameter of shape {found} does not fit a layer of shape {shape}; give a scalar, or an "
        "array that broadcasts to that shape. [BST-A04]"
    )
