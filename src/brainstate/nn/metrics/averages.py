"""Metrics of numbers: their mean and how far they scatter."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ... import environ
from ..._units import number_in
from ...util.struct import dataclass
from .base import Metric, MetricState


class Average(Metric):
    """The mean of all numbers given: ``update(values=x)``, or another name than `values`.

    An array counts as many times as it has elements. Without any, the mean is nan.

    >>> import brainstate, jax.numpy as jnp
    >>> loss = brainstate.nn.metrics.Average("loss")
    >>> loss.update(loss=4.0)
    >>> loss.update(loss=jnp.array([1.0, 1.0]))
    >>> loss.compute()
    Array(2., dtype=float32)
    """

    total: MetricState
    count: MetricState

    def __init__(self, argname: str = "values"):
        super().__init__()
        self.argname = argname

    def start(self) -> dict[str, Any]:
        return {"total": jnp.zeros((), wide_float()), "count": jnp.zeros((), wide_int())}

    def update(self, **kwargs: Any) -> None:
        self._add(named(self, kwargs))

    def _add(self, x: jax.Array) -> None:
        self.total.value += jnp.sum(x, dtype=self.total.value.dtype)
        self.count.value += x.size

    def compute(self) -> jax.Array:
        return self.total.value / self.count.value


@dataclass
class Statistics:
    """What `Welford` computes."""

    mean: jax.Array
    standard_error_of_mean: jax.Array
    standard_deviation: jax.Array


class Welford(Metric):
    """The mean of all numbers given and how far they scatter, as `Statistics`.

    The standard deviation is that of the numbers themselves (divided by `n`), and the standard
    error is it by ``√n``. Without any number, all are nan. Welford (1962), Note on a method for
    calculating corrected sums of squares and products, Technometrics; for whole arrays, Chan et al.
    (1983), Algorithms for computing the sample variance, The American Statistician.

    >>> import brainstate, jax.numpy as jnp
    >>> loss = brainstate.nn.metrics.Welford()
    >>> loss.update(values=jnp.array([1.0, 1.0, 3.0, 3.0]))
    >>> loss.compute()
    Statistics(mean=Array(2., dtype=float32),
               standard_error_of_mean=Array(0.5, dtype=float32),
               standard_deviation=Array(1., dtype=float32))
    """

    count: MetricState
    mean: MetricState
    m2: MetricState  # the sum of squared distances from the mean

    def __init__(self, argname: str = "values"):
        super().__init__()
        self.argname = argname

    def start(self) -> dict[str, Any]:
        zero = jnp.zeros((), wide_float())
        return {"count": jnp.zeros((), wide_int()), "mean": zero, "m2": zero}

    def update(self, **kwargs: Any) -> None:
        x = named(self, kwargs).astype(self.mean.value.dtype)
        if x.size == 0:
            return
        before, after = self.count.value, self.count.value + x.size
        delta = jnp.mean(x) - self.mean.value
        weight = x.size / after
        self.count.value = after
        self.mean.value += (delta * weight).astype(x.dtype)
        self.m2.value += (jnp.var(x) * x.size + delta**2 * weight * before).astype(x.dtype)

    def compute(self) -> Statistics:
        count = self.count.value
        deviation = jnp.sqrt(self.m2.value / count)
        mean = jnp.where(count == 0, jnp.nan, self.mean.value)
        return Statistics(mean, deviation / jnp.sqrt(count), deviation)


def named(metric: Average | Welford, given: dict[str, Any]) -> jax.Array:
    """The argument that a metric gathers."""
    if metric.argname not in given:
        raise TypeError(
            f"{type(metric).__name__} needs the argument `{metric.argname}`; found {list(given)}. "
            "[BST-A06]"
        )
    return jnp.asarray(number_in(given[metric.argname], None, metric.argname))


def wide_float() -> Any:
    """The type of sums: that of `environ`, but not too short for a sum."""
    return jnp.promote_types(environ.dftype(), jnp.float32)


def wide_int() -> Any:
    """The type of counts: that of `environ`, but not too short for a count."""
    return jnp.promote_types(environ.ditype(), jnp.int32)
