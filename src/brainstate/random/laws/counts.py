"""Laws of counts and other integers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from .continuous import threefry
from .precision import wide


def randint(key: Any, low: Any, high: Any, *, shape: Any, dtype: Any) -> Any:
    """Whole numbers in ``[low, high)``, from 0 on where `low` is None."""
    return jax.random.randint(key, shape, 0 if low is None else low, high, dtype)


def bernoulli(key: Any, p: Any, *, shape: Any, dtype: Any) -> Any:
    """Compares in single precision at least: small probabilities must not round to 0."""
    p = jnp.asarray(p)
    return jax.random.bernoulli(key, p.astype(jnp.promote_types(p.dtype, jnp.float32)), shape)


def poisson(key: Any, lam: Any, *, shape: Any, dtype: Any) -> Any:
    """Poisson, for keys of every kind."""
    return jax.random.poisson(threefry(key), lam, shape)


def binomial(key: Any, n: Any, p: Any, *, shape: Any, dtype: Any) -> Any:
    """Binomial, by way of floating-point numbers."""
    return jax.random.binomial(key, n, p, shape, wide(dtype))


def negative_binomial(key: Any, n: Any, p: Any, *, shape: Any, dtype: Any) -> Any:
    """A Poisson law whose rate has a gamma law."""
    real = wide(dtype)
    rate_key, count_key = jax.random.split(key)
    p = jnp.asarray(p, real)
    rate = jax.random.gamma(rate_key, jnp.asarray(n, real), shape, real) * (1 - p) / p
    return jax.random.poisson(threefry(count_key), rate, shape)


def geometric(key: Any, p: Any, *, shape: Any, dtype: Any) -> Any:
    """Whole part of an exponential number: failures before the first success."""
    real = wide(dtype)
    return jnp.floor(jax.random.exponential(key, shape, real) / -jnp.log1p(-jnp.asarray(p, real)))


def hypergeometric(key: Any, ngood: Any, nbad: Any, nsample: Any, *, shape: Any, dtype: Any) -> Any:
    """Draw one by one from the equivalent urn that takes the fewest draws.

    The sample counts what two subsets share. They may change places, and each may be replaced by
    what it leaves, so the steps needed are the fewest of good, bad, drawn and left items.
    """
    good, bad, drawn = (jnp.broadcast_to(jnp.asarray(n), shape) for n in (ngood, nbad, nsample))
    left = good + bad - drawn
    ours, theirs = jnp.minimum(good, bad), jnp.minimum(drawn, left)
    shared = _shared(key, good + bad, jnp.maximum(ours, theirs), jnp.minimum(ours, theirs))
    shared = jnp.where(drawn > left, ours - shared, shared)
    return jnp.where(good > bad, drawn - shared, shared)


def _shared(key: Any, total: Any, marked: Any, draws: Any) -> Any:
    """How many of `draws` items, out of `total`, are marked."""
    real = jnp.result_type(float)

    def step(i: Any, hits: Any) -> Any:
        u = jax.random.uniform(jax.random.fold_in(key, i), jnp.shape(total), real)
        hit = u * (total - i).astype(real) < (marked - hits).astype(real)
        return hits + (hit & (i < draws)).astype(hits.dtype)

    return lax.fori_loop(0, jnp.max(draws, initial=0), step, jnp.zeros_like(total))


def logseries(key: Any, p: Any, *, shape: Any, dtype: Any) -> Any:
    """Kemp (1981), algorithm LK."""
    real = wide(dtype)
    u_key, v_key = jax.random.split(key)
    p = jnp.asarray(p, real)
    v = jax.random.uniform(v_key, shape, real, jnp.finfo(real).tiny, 1)
    q = -jnp.expm1(jnp.log1p(-p) * jax.random.uniform(u_key, shape, real))
    tail = jnp.floor(1 + jnp.log(v) / jnp.log(q))
    return jnp.where((v >= p) | (v >= q), 1, jnp.where(v <= q * q, tail, 2))


def zipf(key: Any, a: Any, *, shape: Any, dtype: Any) -> Any:
    """Devroye (1986), X.6.1: rejection from a rounded Pareto law; larger than `dtype` is redrawn.

    0, which is no outcome, stands for a parameter that is not above 1.
    """
    real = wide(dtype)
    excess = jnp.broadcast_to(jnp.asarray(a, real) - 1, shape)
    largest = float(jnp.iinfo(dtype).max) if jnp.issubdtype(dtype, jnp.integer) else jnp.inf

    def propose(carry: tuple) -> tuple:
        key, done, x = carry
        key, x_key, v_key = jax.random.split(key, 3)
        new = jnp.floor(jnp.exp(jax.random.exponential(x_key, shape, real) / excess))
        rise = jnp.expm1(excess * jnp.log1p(1 / new))  # (1 + 1/x)^(a-1) - 1
        v = jax.random.uniform(v_key, shape, real)
        bound = (1 + rise) * jnp.expm1(excess * jnp.log(2.0)) / 2**excess
        accepted = (v * new * rise <= bound) & (new < largest)
        return key, done | accepted, jnp.where(done, x, new)

    start = key, ~(excess > 0), jnp.zeros(shape, real)
    _, _, x = lax.while_loop(lambda carry: ~jnp.all(carry[1]), propose, start)
    return x
