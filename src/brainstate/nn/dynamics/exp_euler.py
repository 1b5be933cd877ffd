"""Exponential Euler integration."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ... import environ
from ..._units import attach, number_in, split
from ...augment import jvp
from ...random import DEFAULT


def exp_euler_step(fn: Callable, *args: Any, **kwargs: Any) -> Any:
    """One step of length `dt`: ``exp_euler_step(drift, [diffusion,] x, *args, **kwargs)``.

    With ``f = drift(x, ...)`` and its slope ``λ = ∂f/∂x``, element by element, the result is
    ``x + dt φ(λ dt) f`` with ``φ(z) = (eᶻ - 1) / z``, which is exact where `drift` is linear in
    `x`. A diffusion `g` adds ``g(x, ...) √dt`` times a standard normal number. The drift is in the
    unit of `x` per unit of `dt`; the diffusion in that of `x` per root of it.

    >>> import brainstate
    >>> with brainstate.environ.context(dt=0.1):
    ...     x = brainstate.nn.exp_euler_step(lambda x: -x / 10.0, 1.0)
    >>> round(float(x), 6)
    0.99005
    """
    diffusion = None
    if args and callable(args[0]):
        diffusion, args = args[0], args[1:]
    if not args:
        raise TypeError(
            "exp_euler_step(drift, [diffusion,] x, ...) needs the value x to step. [BST-A06]"
        )
    (x, unit), args = split(args[0]), args[1:]
    dt, dt_unit = split(environ.get_dt())
    x = checked_real(x, "exp_euler_step")
    drift = named_for("drift", dt_unit)

    def slope(x: Any) -> Any:
        return number_in(fn(attach(x, unit), *args, **kwargs), per_time(unit, dt_unit), drift)

    f, rate = jvp(slope, (x,), (jnp.ones_like(x),))
    new = x + dt * _phi(dt * rate) * f
    if diffusion is not None:
        noise = diffusion(attach(x, unit), *args, **kwargs)
        g = number_in(noise, per_time(unit, dt_unit, 0.5), named_for("diffusion", dt_unit))
        new = new + g * dt**0.5 * DEFAULT.standard_normal(jnp.shape(x), dtype=x.dtype)
    return attach(new.astype(x.dtype), unit)


_SERIES = tuple(1 / math.factorial(k) for k in range(1, 6))


@functools.partial(jax.jit, inline=True)  # one operation in eager code, traced once in compiled
def _phi(z: Any) -> Any:
    """``(eᶻ - 1) / z``, which is 1 at 0, with derivatives of every order there.

    In single precision the plain quotient is exact enough away from zero, and `expm1` would take
    more time than all else in a step of neurons.
    """
    z = jnp.asarray(z)
    wide = z.dtype == jnp.float64
    small = jnp.abs(z) < (1e-3 if wide else 0.125)
    series = functools.reduce(lambda rest, c: c + z * rest, reversed(_SERIES))
    safe = jnp.where(small, 1, z)
    above_one = jnp.expm1(safe) if wide else jnp.exp(safe) - 1
    return jnp.where(small, series, above_one / safe)


def per_time(unit: Any, time: Any, power: float = 1.0) -> Any:
    """The unit of a derivative of this order, where `time` is the unit of `dt`."""
    if time is None:
        return unit
    rate = time**-power
    return rate if unit is None else unit * rate


def named_for(part: str, time: Any) -> str:
    """How errors call a part of an equation: the culprit is often the unit of `dt`."""
    return f"the {part} for a dt {'without a unit' if time is None else f'in {time}'}"


def checked_real(x: Any, step: str) -> jax.Array:
    """The floating-point array that a step starts from, else ValueError."""
    array = jnp.asarray(x)
    if not jnp.issubdtype(array.dtype, jnp.floating):
        raise ValueError(
            f"{step} steps floating-point values; found {array.dtype}. Write "
            "`x.astype(float)`, or 1.0 in place of 1. [BST-A09]"
        )
    return array
