"""Losses that are the negative logarithm of a prior density of the parameter.

Values are in the unit of the parameters of the density, and its numbers are those in this unit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy import stats

from ... import random
from ...typing import ArrayLike
from .horseshoe import horseshoe_log_density
from .regularization import WeightedLoss, unit_in


class Prior(WeightedLoss):
    """``-weight * sum(log p(x))`` of a normalised density `p`, whose parameters may be fitted, too.

    Subclasses hand over the parameters by name and define functions of their numbers, in this
    order: `_log_density` (after `x`), `_sample` (before `size`) and `_middle`. Parameters are
    positive and have a unit, unless they are in `_plain` or may lie `_anywhere`.
    """

    _plain: tuple[str, ...] = ()
    _anywhere: tuple[str, ...] = ()
    _log_density: Callable[..., Any]
    _sample: Callable[..., Any]
    _middle: Callable[..., Any]

    def __init__(self, weight: ArrayLike, fit_hyper: bool, **parameters: Any):
        measured = [value for name, value in parameters.items() if name not in self._plain]
        super().__init__(weight, fit_hyper, unit_in(measured[-1]) if measured else None)
        self._units = {name: None if name in self._plain else self.unit for name in parameters}
        for name, value in parameters.items():
            self._hold(name, value, self._units[name], positive=name not in self._anywhere)

    def _numbers(self) -> list[Any]:
        return [self._number(name, unit) for name, unit in self._units.items()]

    def _penalty(self, x: jax.Array) -> jax.Array:
        return -self._log_density(x, *self._numbers())

    def _draw(self, shape: tuple[int, ...]) -> Any:
        return self._sample(*self._numbers(), shape)

    def _center(self) -> Any:
        return self._middle(*self._numbers())


class GaussianReg(Prior):
    """Normal: ``log p = -((x - mean) / std)**2 / 2 - log(std * sqrt(2 pi))``.

    >>> import brainunit as u
    >>> GaussianReg(10.0 * u.ms, 2.0 * u.ms).sample_init(3).unit
    Unit("ms")
    """

    _anywhere = ("mean",)
    _log_density = staticmethod(stats.norm.logpdf)
    _sample = staticmethod(random.normal)
    _middle = staticmethod(lambda mean, std: mean)

    def __init__(
        self,
        mean: ArrayLike = 0.0,
        std: ArrayLike = 1.0,
        weight: ArrayLike = 1.0,
        fit_hyper: bool = False,
    ):
        super().__init__(weight, fit_hyper, mean=mean, std=std)


class _LocationScale(Prior):
    """Densities of ``(x - loc) / scale``."""

    _anywhere = ("loc",)
    _middle = staticmethod(lambda loc, scale: loc)

    def __init__(
        self,
        loc: ArrayLike = 0.0,
        scale: ArrayLike = 1.0,
        weight: ArrayLike = 1.0,
        fit_hyper: bool = False,
    ):
        super().__init__(weight, fit_hyper, loc=loc, scale=scale)


class LaplaceReg(_LocationScale):
    """Laplace: ``log p = -abs(x - loc) / scale - log(2 scale)``.

    >>> LaplaceReg().loss(1.0)
    Array(1.69314..., dtype=float32)
    """

    _log_density = staticmethod(stats.laplace.logpdf)
    _sample = staticmethod(random.laplace)


class LogisticReg(_LocationScale):
    """Logistic: ``p = sech((x - loc) / (2 scale))**2 / (4 scale)``.

    >>> LogisticReg().loss(0.0)
    Array(1.3862..., dtype=float32)
    """

    _log_density = staticmethod(stats.logistic.logpdf)
    _sample = staticmethod(random.logistic)


class CauchyReg(_LocationScale):
    """Cauchy: ``p = 1 / (pi * scale * (1 + ((x - loc) / scale)**2))``; far values cost little.

    >>> CauchyReg().loss(0.0)
    Array(1.1447..., dtype=float32)
    """

    _log_density = staticmethod(stats.cauchy.logpdf)
    _sample = staticmethod(lambda loc, scale, size: loc + scale * random.standard_cauchy(size))


class StudentTReg(Prior):
    """Student's t of `df` degrees of freedom: between `CauchyReg` (1) and `GaussianReg` (many).

    >>> StudentTReg(1.0).loss(0.0)
    Array(1.1447..., dtype=float32)
    """

    _plain, _anywhere = ("df",), ("loc",)
    _log_density = staticmethod(stats.t.logpdf)
    _sample = staticmethod(lambda df, loc, scale, size: loc + scale * random.standard_t(df, size))
    _middle = staticmethod(lambda df, loc, scale: loc)

    def __init__(
        self,
        df: ArrayLike = 3.0,
        loc: ArrayLike = 0.0,
        scale: ArrayLike = 1.0,
        weight: ArrayLike = 1.0,
        fit_hyper: bool = False,
    ):
        super().__init__(weight, fit_hyper, df=df, loc=loc, scale=scale)


class HorseshoeReg(Prior):
    """Normal of a scale that is half-Cauchy of scale `tau`: most numbers shrink to 0, few do not.

    Carvalho, Polson and Scott, 2010, Biometrika. The density has a pole at 0.

    >>> reg = HorseshoeReg(0.1)
    >>> bool(reg.loss(0.01) < reg.loss(0.1) < reg.loss(1.0))
    True
    """

    _log_density = staticmethod(horseshoe_log_density)
    _sample = staticmethod(
        lambda tau, size: tau * random.standard_cauchy(size) * random.normal(size=size)
    )
    _middle = staticmethod(jnp.zeros_like)

    def __init__(self, tau: ArrayLike = 1.0, weight: ArrayLike = 1.0, fit_hyper: bool = False):
        super().__init__(weight, fit_hyper, tau=tau)


class SpikeAndSlabReg(Prior):
    """A mixture of two normals around 0, of which `pi` is the share of the wide one, the slab.

    George and McCulloch, 1993, J. Am. Stat. Assoc. `pi` is not fitted.

    >>> SpikeAndSlabReg(1.0, 1.0).loss(0.0)
    Array(0.91893..., dtype=float32)
    """

    def __init__(
        self,
        spike_scale: ArrayLike = 0.1,
        slab_scale: ArrayLike = 1.0,
        pi: float = 0.5,
        weight: ArrayLike = 1.0,
        fit_hyper: bool = False,
    ):
        if not 0 < pi < 1:
            raise ValueError(
                f"`pi` of SpikeAndSlabReg must lie between 0 and 1; found {pi!r}. [BST-A02]"
            )
        super().__init__(weight, fit_hyper, spike_scale=spike_scale, slab_scale=slab_scale)
        self.pi = pi

    def _log_density(self, x: jax.Array, spike: Any, slab: Any) -> jax.Array:
        return jnp.logaddexp(
            jnp.log1p(-self.pi) + stats.norm.logpdf(x, 0, spike),
            jnp.log(self.pi) + stats.norm.logpdf(x, 0, slab),
        )

    def _sample(self, spike: Any, slab: Any, size: tuple[int, ...]) -> jax.Array:
        scale = jnp.where(random.bernoulli(self.pi, size), slab, spike)
        return scale * random.normal(size=size)

    def _middle(self, spike: Any, slab: Any) -> Any:
        return jnp.zeros_like(slab)
