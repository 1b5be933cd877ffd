"""Laws of real numbers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.special import ndtr, ndtri

from ..drawing import Law
from .precision import wide


def uniform(key: Any, low: Any, high: Any, *, shape: Any, dtype: Any) -> Any:
    """Uniform on ``[low, high)``."""
    return jax.random.uniform(key, shape, dtype, low, high)


# ---------------------------------------------------------------- location and scale


def _affine(standard: Law) -> Law:
    def law(key: Any, loc: Any, scale: Any, *, shape: Any, dtype: Any) -> Any:
        sample = standard(key, shape=shape, dtype=dtype)
        sample = sample if scale is None else sample * scale
        return sample if loc is None else sample + loc

    return law


normal = _affine(jax.random.normal)
gumbel = _affine(jax.random.gumbel)
laplace = _affine(jax.random.laplace)
logistic = _affine(jax.random.logistic)
exponential = _affine(jax.random.exponential)


def lognormal(key: Any, mean: Any, sigma: Any, *, shape: Any, dtype: Any) -> Any:
    """Exponential of a normal number."""
    return jnp.exp(normal(key, mean, sigma, shape=shape, dtype=wide(dtype)))


def truncated_normal(
    key: Any, lower: Any, upper: Any, loc: Any, scale: Any, *, shape: Any, dtype: Any
) -> Any:
    """Inverse of the distribution function, taken in the tail where it keeps its digits."""
    real = wide(dtype)
    a, b = (jnp.asarray((bound - loc) / scale, real) for bound in (lower, upper))
    right = a + b > 0  # the interval lies more on this side: mirror it
    a, b = jnp.where(right, -b, a), jnp.where(right, -a, b)
    p = jax.random.uniform(key, shape, real, ndtr(a), ndtr(b))
    z = jnp.clip(ndtri(jnp.maximum(p, jnp.finfo(real).tiny)), a, b)
    sample = (jnp.where(right, -z, z) * scale + loc).astype(dtype)
    lower, upper = jnp.asarray(lower, dtype), jnp.asarray(upper, dtype)
    inside = (
        jnp.nextafter(lax.stop_gradient(lower), jnp.asarray(jnp.inf, dtype)),
        jnp.nextafter(lax.stop_gradient(upper), jnp.asarray(-jnp.inf, dtype)),
    )
    return jnp.clip(sample, *inside)


# ---------------------------------------------------------------- positive numbers


def gamma(key: Any, shape_parameter: Any, scale: Any, *, shape: Any, dtype: Any) -> Any:
    """Gamma; its own shape parameter goes by position."""
    sample = jax.random.gamma(key, shape_parameter, shape, dtype)
    return sample if scale is None else sample * scale


def weibull(key: Any, a: Any, scale: Any, *, shape: Any, dtype: Any) -> Any:
    """Power of an exponential number."""
    real = wide(dtype)
    sample = jax.random.exponential(key, shape, real) ** (1 / jnp.asarray(a, real))
    return sample if scale is None else sample * scale


def power(key: Any, a: Any, *, shape: Any, dtype: Any) -> Any:
    """The power ``1 / a`` of a uniform number, written with its negative logarithm."""
    real = wide(dtype)
    return jnp.exp(-jax.random.exponential(key, shape, real) / jnp.asarray(a, real))


def rayleigh(key: Any, scale: Any, *, shape: Any, dtype: Any) -> Any:
    """Square root of an exponential number."""
    return jnp.sqrt(2 * jax.random.exponential(key, shape, wide(dtype))) * scale


def wald(key: Any, mean: Any, scale: Any, *, shape: Any, dtype: Any) -> Any:
    """Michael, Schucany and Haas (1976), with the larger root first: it loses no digits."""
    real = wide(dtype)
    root_key, choice_key = jax.random.split(key)
    mean, scale = jnp.asarray(mean, real), jnp.asarray(scale, real)
    half = mean * jax.random.normal(root_key, shape, real) ** 2 / (2 * scale)
    ratio = 1 + half + jnp.sqrt(half * (2 + half))  # the larger root, over the mean
    take_larger = jax.random.uniform(choice_key, shape, real) * (1 + ratio) < 1
    return mean * jnp.where(take_larger, ratio, 1 / ratio)


def noncentral_chisquare(key: Any, df: Any, nonc: Any, *, shape: Any, dtype: Any) -> Any:
    """A chi-square law whose degrees of freedom are a Poisson mixture."""
    real = wide(dtype)
    count_key, own_key = jax.random.split(key)
    count = jax.random.poisson(threefry(count_key), jnp.asarray(nonc, real) / 2, shape)
    df = jnp.asarray(df, real) + 2 * count.astype(real)
    return jax.random.chisquare(own_key, df, shape, real)


def noncentral_f(key: Any, dfnum: Any, dfden: Any, nonc: Any, *, shape: Any, dtype: Any) -> Any:
    """A noncentral chi-square number over a chi-square number."""
    real = wide(dtype)
    dfnum, dfden = jnp.asarray(dfnum, real), jnp.asarray(dfden, real)
    above, below = jax.random.split(key)
    numerator = noncentral_chisquare(above, dfnum, nonc, shape=shape, dtype=real) / dfnum
    return numerator / (jax.random.chisquare(below, dfden, shape, real) / dfden)


def threefry(key: Any) -> Any:
    """A key of the default kind, which `jax.random.poisson` needs, made from any other kind."""
    kind = "threefry2x32"
    if jax.random.key_impl(key) == kind:
        return key
    return jax.random.wrap_key_data(jax.random.bits(key, (2,), jnp.uint32), impl=kind)


# ---------------------------------------------------------------- angles


def vonmises(key: Any, mu: Any, kappa: Any, *, shape: Any, dtype: Any) -> Any:
    """Best and Fisher (1979): rejection from a wrapped Cauchy law.

    With ``c = 1 - cos(angle)`` in place of the cosine, no digits are lost near angle 0, where a
    concentrated law lives; and at ``kappa = 0`` every proposal, then uniform, is accepted.
    """
    real = wide(dtype)
    kappa = jnp.broadcast_to(jnp.asarray(kappa, real), shape)
    root = jnp.sqrt(1 + 4 * kappa**2)
    tau = 1 + root
    stretch = jnp.sqrt(tau) * 2 / ((1 + root) * (jnp.sqrt(tau) + jnp.sqrt(2.0)))  # rho / kappa
    rho = kappa * stretch
    gap = jnp.where(
        kappa > 1,
        (jnp.sqrt(2 * tau) - 1 - 1 / (2 * kappa + root)) / (2 * kappa),
        1 - rho,
    )  # 1 - rho

    def propose(carry: tuple) -> tuple:
        key, done, c = carry
        key, angle_key, accept_key = jax.random.split(key, 3)
        half = jnp.pi / 2 * jax.random.uniform(angle_key, shape, real)
        new = gap**2 * 2 * jnp.sin(half) ** 2 / (gap**2 + 4 * rho * jnp.cos(half) ** 2)
        y = gap**2 / (2 * stretch) + kappa * new
        v = jax.random.uniform(accept_key, shape, real, jnp.finfo(real).tiny, 1)
        accepted = jnp.log(y / v) + 1 - y >= 0
        return key, done | accepted, jnp.where(done, c, new)

    key, sign_key = jax.random.split(key)
    valid = kappa >= 0
    start = key, ~valid | jnp.isinf(kappa), jnp.where(valid, 0.0, jnp.nan).astype(real)
    _, _, c = lax.while_loop(lambda carry: ~jnp.all(carry[1]), propose, start)
    angle = 2 * jnp.arcsin(jnp.sqrt(jnp.clip(c / 2, 0, 1)))
    angle = mu + jax.random.rademacher(sign_key, shape, real) * angle
    return wrap_angle(angle)


def wrap_angle(angle: Any) -> Any:
    """The same angle in ``[-pi, pi)``."""
    return jnp.remainder(angle + jnp.pi, 2 * jnp.pi) - jnp.pi
