"""Laws of counts."""

from __future__ import annotations

from typing import Any

import jax

from ..drawing import as_number, broadcast_shape, check
from ..laws import counts
from .sampler import OptDType, OptKey, OptSize, Real, Sampler


class Discrete(Sampler):
    """Counts. Probabilities outside [0, 1] raise ValueError where their values are known."""

    def bernoulli(self, p: Real, size: OptSize = None, key: OptKey = None) -> jax.Array:
        """True with probability `p`."""
        p = probability(p)
        return self._sample(counts.bernoulli, broadcast_shape(size, {"p": p}), None, key, p)

    def binomial(
        self, n: Real, p: Real, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Successes in `n` trials of probability `p`."""
        n = as_number("n", n)
        check(is_count, "`n` must not be negative; found {n}.", n=n)
        return self._integer(counts.binomial, size, key, dtype, n=n, p=probability(p))

    def negative_binomial(
        self, n: Real, p: Real, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Failures before the `n`-th success; `n` need not be whole."""
        return self._integer(counts.negative_binomial, size, key, dtype, n=n, p=probability(p))

    def geometric(
        self, p: Real, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Failures before the first success, from 0 on, as a floating-point number."""
        return self._real(counts.geometric, size, key, dtype, p=probability(p))

    def poisson(
        self, lam: Real = 1.0, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Events in an interval where `lam` are expected."""
        return self._integer(counts.poisson, size, key, dtype, lam=lam)

    def hypergeometric(
        self,
        ngood: Real,
        nbad: Real,
        nsample: Real,
        size: OptSize = None,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> jax.Array:
        """Good items among `nsample` drawn without replacement.

        Takes as many steps as the fewest of good, bad, drawn and left items.
        """
        urn = {"ngood": ngood, "nbad": nbad, "nsample": nsample}
        urn = {name: as_number(name, n) for name, n in urn.items()}
        message = (
            "No number may be negative, nor `nsample` above `ngood + nbad`; found ngood={ngood}, "
            "nbad={nbad} and nsample={nsample}."
        )
        check(is_urn, message, **urn)
        return self._integer(counts.hypergeometric, size, key, dtype, **urn)

    def logseries(
        self, p: Real, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Whole `k` from 1 on with probability proportional to ``p**k / k``."""
        return self._integer(counts.logseries, size, key, dtype, p=probability(p))

    def zipf(
        self, a: Real, size: OptSize = None, key: OptKey = None, dtype: OptDType = None
    ) -> jax.Array:
        """Whole `k` from 1 on, below the largest of `dtype`, proportionally to ``k**-a``."""
        a = as_number("a", a)
        check(is_above_one, "`a` must be above 1; found {a}.", a=a)
        return self._integer(counts.zipf, size, key, dtype, a=a)


def probability(p: Any) -> Any:
    """`p`, checked."""
    p = as_number("p", p)
    check(is_probability, "`p` must lie in [0, 1]; found {p}.", p=p)
    return p


def is_probability(p: Any) -> Any:
    """Whether `p` lies in [0, 1]."""
    return (p >= 0) & (p <= 1)


def is_count(n: Any) -> Any:
    """Whether `n` is not negative."""
    return n >= 0


def is_above_one(a: Any) -> Any:
    """Whether `a` is above 1."""
    return a > 1


def is_urn(good: Any, bad: Any, drawn: Any) -> Any:
    """Whether so many items can be drawn."""
    return (good >= 0) & (bad >= 0) & (drawn >= 0) & (drawn <= good + bad)
