"""Laws with a location and a scale, which may have units."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ..laws import continuous
from .sampler import OptDType, OptKey, OptReal, OptSize, Real, Sampler


class LocationScale(Sampler):
    """``loc + scale * z`` for a standard number `z`; None leaves a step out.

    `loc` and `scale` share a dimension, and the sample is in the unit of `scale`.
    """

    def randn(self, *dn: int, key: OptKey = None, dtype: OptDType = None) -> jax.Array:
        """Standard normal, of shape `dn`."""
        return self._real(jax.random.normal, dn, key, dtype)

    def randn_like(self, input: Any, *, dtype: OptDType = None, key: OptKey = None) -> jax.Array:
        """Standard normal, of the shape of `input` and the default type."""
        return self._real(jax.random.normal, jnp.shape(input), key, dtype)

    def standard_normal(
        self, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Standard normal."""
        return self._real(jax.random.normal, size, key, dtype)

    def normal(
        self,
        loc: OptReal = None,
        scale: OptReal = None,
        size: OptSize = None,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> Any:
        """Normal, of mean `loc` and standard deviation `scale`.

        >>> import brainstate, brainunit as u
        >>> brainstate.random.normal(-65.0 * u.mV, 5.0 * u.mV, size=3).unit
        Unit("mV")
        """
        return self._in_unit_of("scale", continuous.normal, size, key, dtype, loc=loc, scale=scale)

    def gumbel(
        self,
        loc: OptReal = None,
        scale: OptReal = None,
        size: OptSize = None,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> Any:
        """Gumbel law of maxima, of mode `loc`."""
        return self._in_unit_of("scale", continuous.gumbel, size, key, dtype, loc=loc, scale=scale)

    def laplace(
        self,
        loc: OptReal = None,
        scale: OptReal = None,
        size: OptSize = None,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> Any:
        """Laplace, or double exponential."""
        return self._in_unit_of("scale", continuous.laplace, size, key, dtype, loc=loc, scale=scale)

    def logistic(
        self,
        loc: OptReal = None,
        scale: OptReal = None,
        size: OptSize = None,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> Any:
        """Logistic, whose distribution function is the sigmoid."""
        return self._in_unit_of(
            "scale", continuous.logistic, size, key, dtype, loc=loc, scale=scale
        )

    def lognormal(
        self,
        mean: OptReal = None,
        sigma: OptReal = None,
        size: OptSize = None,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> Any:
        """Exponential of a normal number; the unit of `mean` passes to the sample."""
        return self._in_unit_of(
            "mean", continuous.lognormal, size, key, dtype, mean=mean, sigma=sigma
        )

    def truncated_normal(
        self,
        lower: Real,
        upper: Real,
        size: OptSize = None,
        loc: Real = 0.0,
        scale: Real = 1.0,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> Any:
        """Normal, strictly between `lower` and `upper`, and in the unit of `lower`.

        In single precision, bounds more than 12 scales to one side of `loc` give the nearer bound.
        """
        parameters = {"lower": lower, "upper": upper, "loc": loc, "scale": scale}
        return self._in_unit_of(
            "lower", continuous.truncated_normal, size, key, dtype, **parameters
        )
