"""Laws of vectors, matrices and members of a population."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from .precision import wide


def categorical(key: Any, logits: Any, *, shape: Any, dtype: Any, axis: int) -> Any:
    """Index drawn along `axis`."""
    return jax.random.categorical(key, logits, axis, shape)


def multinomial(key: Any, n: Any, pvals: Any, *, shape: Any, dtype: Any) -> Any:
    """`shape` comes between the batch shape of the parameters and the outcomes.

    The last outcome gets what the others leave, as in NumPy.
    """
    n, pvals = jnp.asarray(n), jnp.asarray(pvals, wide(dtype))
    pvals = pvals.at[..., -1].set(jnp.maximum(0, 1 - pvals[..., :-1].sum(-1)))
    batch, outcomes = jnp.broadcast_shapes(n.shape, pvals.shape[:-1]), pvals.shape[-1:]
    ones = (1,) * len(shape)
    n = jnp.broadcast_to(n, batch).reshape(batch + ones)
    pvals = jnp.broadcast_to(pvals, batch + outcomes).reshape(batch + ones + outcomes)
    n = jnp.broadcast_to(n, batch + shape)
    pvals = jnp.broadcast_to(pvals, batch + shape + outcomes)
    return jax.random.multinomial(key, n, pvals, dtype=wide(dtype))


def multivariate_normal(
    key: Any, mean: Any, cov: Any, *, shape: Any, dtype: Any, method: str
) -> Any:
    """Normal vectors."""
    mean, cov = jnp.asarray(mean, wide(dtype)), jnp.asarray(cov, wide(dtype))
    return jax.random.multivariate_normal(key, mean, cov, shape, wide(dtype), method)


def orthogonal(key: Any, *, shape: Any, dtype: Any, n: int) -> Any:
    """Orthogonal matrices, uniform in the sense of Haar."""
    return jax.random.orthogonal(key, n, shape, wide(dtype))


def choice(key: Any, a: Any, p: Any, *, shape: Any, dtype: Any, replace: bool) -> Any:
    """Members of `a`."""
    return jax.random.choice(key, a, shape, replace, p)


def choice_of_range(key: Any, p: Any, *, shape: Any, dtype: Any, n: int, replace: bool) -> Any:
    """Members of ``range(n)``."""
    return jax.random.choice(key, n, shape, replace, p)


def permutation(key: Any, x: Any, *, shape: Any, dtype: Any, axis: int, independent: bool) -> Any:
    """A reordered array."""
    return jax.random.permutation(key, x, axis, independent)


def permutation_of_range(key: Any, *, shape: Any, dtype: Any, n: int) -> Any:
    """A reordered ``range(n)``."""
    return jax.random.permutation(key, n)
