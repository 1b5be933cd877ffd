"""Activation functions.

Most work on the number of a quantity and keep its unit; the others take plain numbers only.

>>> import brainunit as u
>>> relu(jnp.array([-1.0, 2.0]) * u.mV)
Quantity([0. 2.], "mV")
>>> tanh(jnp.array([-1.0, 0.0]))
Array([-0.7615942,  0.       ], dtype=float32)
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from .. import environ
from .._units import attach, number_in, plain_number, split, unit_of
from ..random import uniform
from ..typing import ArrayLike, DTypeLike


def keeping_units(fun: Callable[..., Any], doc: str | None = None) -> Callable[..., Any]:
    """Let a function of an array work on the number of a quantity."""

    def wrapper(x: Any, *args: Any, **kwargs: Any) -> Any:
        number, unit = split(x)
        return attach(fun(number, *args, **kwargs), unit)

    return _in_the_place_of(fun, wrapper, doc)


def of_plain_numbers(fun: Callable[..., Any], doc: str | None = None) -> Callable[..., Any]:
    """Have a function of an array refuse quantities."""

    def wrapper(x: Any, *args: Any, **kwargs: Any) -> Any:
        return fun(plain_number(x, fun.__name__), *args, **kwargs)

    return _in_the_place_of(fun, wrapper, doc)


def _in_the_place_of(fun: Callable, wrapper: Callable, doc: str | None) -> Callable[..., Any]:
    functools.update_wrapper(wrapper, fun)
    if doc is not None:
        wrapper.__module__, wrapper.__doc__ = __name__, doc
    return wrapper


# ---------------------------------------------------------------- as in jax.nn

relu = keeping_units(jax.nn.relu, "``max(x, 0)``.")
relu6 = keeping_units(jax.nn.relu6, "``min(max(x, 0), 6)``.")
leaky_relu = keeping_units(jax.nn.leaky_relu, "`x` where ``x >= 0``, else ``negative_slope * x``.")
elu = keeping_units(jax.nn.elu, "`x` where ``x > 0``, else ``alpha * (exp(x) - 1)``.")
celu = keeping_units(jax.nn.celu, "`x` where ``x > 0``, else ``alpha * (exp(x / alpha) - 1)``.")
selu = keeping_units(
    jax.nn.selu, "`elu` scaled to keep mean 0 and variance 1: 1.0507 times that of alpha 1.6733."
)
gelu = keeping_units(
    jax.nn.gelu, "``x * Phi(x)``, with the normal distribution function, or its tanh approximation."
)
silu = swish = keeping_units(jax.nn.silu, "``x * sigmoid(x)``.")
sigmoid = keeping_units(jax.nn.sigmoid, "``1 / (1 + exp(-x))``.")
log_sigmoid = keeping_units(jax.nn.log_sigmoid, "``-softplus(-x)``.")
hard_sigmoid = keeping_units(jax.nn.hard_sigmoid, "``relu6(x + 3) / 6``.")
hard_silu = hard_swish = keeping_units(jax.nn.hard_silu, "``x * hard_sigmoid(x)``.")
sparse_sigmoid = keeping_units(jax.nn.sparse_sigmoid, "``(x + 1) / 2``, clipped to [0, 1].")
softplus = keeping_units(jax.nn.softplus, "``log(1 + exp(x))``, without overflow.")
sparse_plus = keeping_units(
    jax.nn.sparse_plus, "0 below -1, `x` above 1, ``(x + 1)**2 / 4`` in between."
)
squareplus = keeping_units(jax.nn.squareplus, "``(x + sqrt(x**2 + b)) / 2``.")
soft_sign = keeping_units(jax.nn.soft_sign, "``x / (1 + abs(x))``.")
logsumexp = jax.nn.logsumexp
mish = of_plain_numbers(jax.nn.mish, "``x * tanh(softplus(x))``.")


# ---------------------------------------------------------------- of plain numbers


@of_plain_numbers
def tanh(x: Any) -> jax.Array:
    """The hyperbolic tangent."""
    return jnp.tanh(x)


@of_plain_numbers
def tanh_shrink(x: Any) -> jax.Array:
    """``x - tanh(x)``."""
    return x - jnp.tanh(x)


@of_plain_numbers
def prelu(x: Any, a: ArrayLike = 0.25) -> jax.Array:
    """`x` where ``x >= 0``, else ``a * x``: a `leaky_relu` whose slope is learned."""
    return jnp.where(x >= 0, x, a * x)


@of_plain_numbers
def softmin(x: Any, axis: int | Sequence[int] | None = -1) -> jax.Array:
    """``softmax(-x)``."""
    return jax.nn.softmax(-x, axis=axis)


# ---------------------------------------------------------------- along axes


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


@keeping_units
def glu(x: Any, axis: int = -1) -> Any:
    """The first half of `x` along `axis`, times the sigmoid of the second half."""
    if jnp.shape(x)[axis] % 2:
        raise ValueError(
            f"glu() halves axis {axis}, which is odd: found the shape {jnp.shape(x)}. [BST-A04]"
        )
    return jax.nn.glu(x, axis=axis)


def standardize(
    x: Any,
    axis: int | Sequence[int] | None = -1,
    variance: ArrayLike | None = None,
    epsilon: ArrayLike = 1e-5,
    where: ArrayLike | None = None,
) -> Any:
    """``(x - mean) / sqrt(variance + epsilon)`` along `axis` (None: all); keeps the unit.

    >>> standardize(jnp.array([1.0, 3.0]), epsilon=0.0)
    Array([-1.,  1.], dtype=float32)
    """
    number, unit = split(x)
    kept: dict[str, Any] = {"axis": axis, "where": where, "keepdims": True}
    if variance is None:
        variance = jnp.var(number, **kept)
    elif unit_of(variance) is not None:
        variance = number_in(variance, None if unit is None else unit**2, "variance")
    deviation = number - jnp.mean(number, **kept)
    return attach(deviation * jax.lax.rsqrt(variance + epsilon), unit)


# ---------------------------------------------------------------- others


@keeping_units
def rrelu(x: Any, lower: float = 1 / 8, upper: float = 1 / 3) -> Any:
    """A `leaky_relu` with slopes drawn uniformly from [lower, upper), anew at each call."""
    x = jnp.asarray(x)
    dtype = x.dtype if jnp.issubdtype(x.dtype, jnp.floating) else None
    return jnp.where(x >= 0, x, uniform(lower, upper, x.shape, dtype=dtype) * x)


@keeping_units
def one_hot(x: Any, num_classes: int, *, dtype: DTypeLike = float, axis: int = -1) -> Any:
    """1 at index `x` of a new `axis`, else 0; all 0 for an index out of range.

    `float` stands for the default floating-point type.

    >>> one_hot([0, 2, 5], 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    """
    dtype = environ.dftype() if dtype is float else dtype
    return jax.nn.one_hot(jnp.asarray(x), num_classes, dtype=dtype, axis=axis)
