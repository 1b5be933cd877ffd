"""Increasing functions of numbers, each with its inverse and the logarithm of its slope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

Function = Callable[[jax.Array], jax.Array]


class Curve(NamedTuple):
    """An increasing function, whose values lie between `low` and `high`."""

    forward: Function
    inverse: Function
    log_slope: Function
    low: Any = -jnp.inf
    high: Any = jnp.inf


def _open_below(z: jax.Array) -> jax.Array:
    """For 0, which only infinity would reach, the smallest number above."""
    return jnp.maximum(z, jnp.finfo(z.dtype).tiny)


def _open(z: jax.Array) -> jax.Array:
    """The same, and for 1 the largest number below."""
    return jnp.minimum(_open_below(z), 1 - jnp.finfo(z.dtype).epsneg)


def _softplus_inverse(z: jax.Array) -> jax.Array:
    z = _open_below(z)
    return z + jnp.log(-jnp.expm1(-z))


def _logit(z: jax.Array) -> jax.Array:
    z = _open(z)
    return jnp.log(z) - jnp.log1p(-z)


def _softsign_inverse(z: jax.Array) -> jax.Array:
    z = _open(z)
    return (z - 0.5) / jnp.minimum(z, 1 - z)


def _log_slope_of_softsign(x: jax.Array) -> jax.Array:
    return -2 * jnp.log1p(jnp.abs(x)) - jnp.log(2.0).astype(x.dtype)


def _flat_outside(x: jax.Array, inside: jax.Array) -> jax.Array:
    return jnp.where(inside, jnp.zeros_like(x), -jnp.inf)


LINE = Curve(lambda x: x, lambda z: z, jnp.zeros_like)
EXP = Curve(jnp.exp, lambda z: jnp.log(_open_below(z)), lambda x: x, low=0.0)
LOG = Curve(jnp.log, jnp.exp, lambda x: -jnp.log(x))
SOFTPLUS = Curve(jax.nn.softplus, _softplus_inverse, jax.nn.log_sigmoid, low=0.0)
RELU = Curve(jax.nn.relu, lambda z: z, lambda x: _flat_outside(x, x > 0), low=0.0)
SIGMOID = Curve(
    jax.nn.sigmoid,
    _logit,
    lambda x: jax.nn.log_sigmoid(x) + jax.nn.log_sigmoid(-x),
    low=0.0,
    high=1.0,
)
SOFTSIGN = Curve(  # from 0 to 1
    lambda x: (jax.nn.soft_sign(x) + 1) / 2,
    _softsign_inverse,
    _log_slope_of_softsign,
    low=0.0,
    high=1.0,
)


def clipped(low: Any, high: Any) -> Curve:
    """The line between `low` and `high`, and flat outside."""
    return Curve(
        lambda x: jnp.clip(x, low, high),
        lambda z: z,
        lambda x: _flat_outside(x, (low < x) & (x < high)),
        low,
        high,
    )


def box_cox(power: float) -> Curve:
    """``(x**power - 1) / power`` of positive numbers, and the logarithm for 0."""
    if power == 0:
        return LOG
    end = -1 / power

    def inverse(z: jax.Array) -> jax.Array:
        above = jnp.maximum(power * z, jnp.finfo(z.dtype).epsneg - 1)
        return jnp.exp(jnp.log1p(above) / power)

    return Curve(
        lambda x: jnp.expm1(power * jnp.log(x)) / power,
        inverse,
        lambda x: (power - 1) * jnp.log(x),
        *((end, jnp.inf) if power > 0 else (-jnp.inf, end)),
    )
