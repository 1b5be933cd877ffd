"""Laws of vectors and matrices."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ..._units import attach, number_in, split
from ..drawing import as_number, as_shape, check, with_options
from ..laws import vectors
from .sampler import OptDType, OptKey, OptSize, Real, Sampler, integer_type, real_type

FACTORS = ("cholesky", "svd", "eigh")


class Vectors(Sampler):
    """Vectors and matrices; `size` is the shape of the batch of them."""

    def categorical(
        self, logits: Real, axis: int = -1, size: OptSize = None, key: OptKey = None
    ) -> jax.Array:
        """Index along `axis`, drawn with probability ``softmax(logits)``."""
        law = with_options(vectors.categorical, axis=axis)
        logits = as_number("logits", logits)
        return self._sample(law, as_shape(size), None, key, logits)

    def dirichlet(
        self, alpha: Real, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Proportions that add up to 1; of shape ``size + (k,)`` for `k` concentrations."""
        alpha = as_number("alpha", alpha)
        shape = jnp.shape(alpha)[:-1] if size is None else as_shape(size)
        return self._sample(jax.random.dirichlet, shape, real_type(dtype), key, alpha)

    def multinomial(
        self, n: Real, pvals: Real, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """How often each of `k` outcomes comes in `n` trials; ``batch + size + (k,)``.

        `batch` is what `n` and the leading axes of `pvals` broadcast to.
        """
        n, pvals = as_number("n", n), as_number("pvals", pvals)
        check(is_distribution, "`pvals` must be parts of 1; found {pvals}.", pvals=pvals)
        law, shape = vectors.multinomial, as_shape(size) or ()
        return self._sample(law, shape, integer_type(dtype), key, n, pvals)

    def multivariate_normal(
        self,
        mean: Real,
        cov: Real,
        size: OptSize = None,
        method: str = "cholesky",
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> Any:
        """Normal vectors, in the unit of `mean`; that of `cov` is its square.

        `method` is the factorisation of `cov`: "cholesky", or "svd" or "eigh" for a singular one.
        """
        if method not in FACTORS:
            raise ValueError(f"`method` must be one of {FACTORS}; found {method!r}. [BST-A03]")
        mean, unit = split(mean)
        cov = number_in(cov, None if unit is None else unit**2, "cov")
        law = with_options(vectors.multivariate_normal, method=method)
        mean, cov = as_number("mean", mean), as_number("cov", cov)
        batch = jnp.broadcast_shapes(jnp.shape(mean)[:-1], jnp.shape(cov)[:-2])
        shape = batch if size is None else as_shape(size)
        return attach(self._sample(law, shape, real_type(dtype), key, mean, cov), unit)

    def orthogonal(
        self, n: int, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Orthogonal ``n x n`` matrices, uniform in the sense of Haar."""
        law = with_options(vectors.orthogonal, n=n)
        return self._sample(law, as_shape(size) or (), real_type(dtype), key)


def is_distribution(pvals: Any) -> Any:
    """Whether all but the last, which is what they leave, are parts of 1; some rounding is fine."""
    others = pvals[..., :-1]
    return (others >= 0).all() & (others.sum(-1) <= 1 + 1e-6).all()
