"""Laws of positive numbers."""

from __future__ import annotations

from typing import Any

import jax

from ..laws import continuous
from .sampler import OptDType, OptKey, OptReal, OptSize, Real, Sampler


class Positive(Sampler):
    """Positive numbers. Where there is a `scale`, it multiplies, and may have a unit."""

    def exponential(
        self,
        scale: OptReal = None,
        size: OptSize = None,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> Any:
        """Exponential, of mean `scale` (None: 1)."""
        return self._scaled(continuous.exponential, size, key, dtype, loc=None, scale=scale)

    def standard_exponential(
        self, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Exponential of mean 1."""
        return self._real(jax.random.exponential, size, key, dtype)

    def gamma(
        self,
        shape: Real,
        scale: OptReal = None,
        size: OptSize = None,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> Any:
        """Gamma, of mean ``shape * scale`` (None: scale 1)."""
        return self._scaled(continuous.gamma, size, key, dtype, shape=shape, scale=scale)

    def standard_gamma(
        self, shape: Real, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Gamma of scale 1."""
        return self._real(jax.random.gamma, size, key, dtype, shape=shape)

    def chisquare(
        self, df: Real, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Chi-square with `df` degrees of freedom, whole or not."""
        return self._real(jax.random.chisquare, size, key, dtype, df=df)

    def noncentral_chisquare(
        self, df: Real, nonc: Real, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Sum of `df` squared normal numbers whose squared means add up to `nonc`."""
        return self._real(continuous.noncentral_chisquare, size, key, dtype, df=df, nonc=nonc)

    def f(
        self,
        dfnum: Real,
        dfden: Real,
        size: OptSize = None,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> jax.Array:
        """Fisher's F: a ratio of two chi-square numbers, each over its degrees of freedom."""
        return self._real(jax.random.f, size, key, dtype, dfnum=dfnum, dfden=dfden)

    def noncentral_f(
        self,
        dfnum: Real,
        dfden: Real,
        nonc: Real,
        size: OptSize = None,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> jax.Array:
        """F with a noncentral chi-square number above."""
        parameters = {"dfnum": dfnum, "dfden": dfden, "nonc": nonc}
        return self._real(continuous.noncentral_f, size, key, dtype, **parameters)

    def pareto(
        self, a: Real, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Pareto of exponent `a` and smallest value 1."""
        return self._real(jax.random.pareto, size, key, dtype, a=a)

    def rayleigh(
        self, scale: Real = 1.0, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> Any:
        """Length of a plane vector whose coordinates are normal with deviation `scale`."""
        return self._scaled(continuous.rayleigh, size, key, dtype, scale=scale)

    def maxwell(
        self, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Length of a vector of three standard normal numbers."""
        return self._real(jax.random.maxwell, size, key, dtype)

    def wald(
        self,
        mean: Real,
        scale: Real,
        size: OptSize = None,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> jax.Array:
        """Inverse Gaussian, of variance ``mean**3 / scale``."""
        return self._real(continuous.wald, size, key, dtype, mean=mean, scale=scale)

    def weibull(
        self, a: Real, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Weibull of shape `a` and scale 1."""
        return self._scaled(continuous.weibull, size, key, dtype, a=a, scale=None)

    def weibull_min(
        self,
        a: Real,
        scale: OptReal = None,
        size: OptSize = None,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> Any:
        """Weibull of shape `a`, times `scale`."""
        return self._scaled(continuous.weibull, size, key, dtype, a=a, scale=scale)
