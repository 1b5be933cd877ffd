"""Other laws on the whole line, an interval or the circle."""

from __future__ import annotations

from typing import Any

import jax

from ..laws import continuous
from .sampler import OptDType, OptKey, OptSize, Real, Sampler


class Continuous(Sampler):
    """Real numbers of either sign, proportions and angles."""

    def standard_cauchy(
        self, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Cauchy of location 0 and scale 1."""
        return self._real(jax.random.cauchy, size, key, dtype)

    def t(
        self, df: Real, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Student's t with `df` degrees of freedom."""
        return self._real(jax.random.t, size, key, dtype, df=df)

    standard_t = t

    def triangular(
        self,
        left: Real = -1.0,
        mode: Real = 0.0,
        right: Real = 1.0,
        size: OptSize = None,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> Any:
        """Density rising from `left` to `mode` and falling to `right`, in the unit of `left`."""
        parameters = {"left": left, "mode": mode, "right": right}
        return self._in_unit_of("left", jax.random.triangular, size, key, dtype, **parameters)

    def vonmises(
        self,
        mu: Real,
        kappa: Real,
        size: OptSize = None,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> jax.Array:
        """Normal law of angles around `mu`, in ``[-pi, pi)``; `kappa` is like 1 / variance."""
        return self._real(continuous.vonmises, size, key, dtype, mu=mu, kappa=kappa)

    def beta(
        self, a: Real, b: Real, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Beta on ``(0, 1)``."""
        return self._real(jax.random.beta, size, key, dtype, a=a, b=b)

    def power(
        self, a: Real, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Density ``a * x**(a - 1)`` on ``[0, 1]``."""
        return self._real(continuous.power, size, key, dtype, a=a)

    def loggamma(
        self, a: Real, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Logarithm of a gamma number; keeps its digits where `a` is small."""
        return self._real(jax.random.loggamma, size, key, dtype, a=a)
