"""Prior densities of positive numbers; the loss of any other number is infinite."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy import special, stats

from ... import random
from ...typing import ArrayLike
from .priors import Prior
from .transforms.checks import interval


class ExponentialReg(Prior):
    """Exponential: ``log p = -x / scale - log(scale)``.

    >>> ExponentialReg(2.0).loss(2.0)
    Array(1.69314..., dtype=float32)
    """

    _log_density = staticmethod(lambda x, scale: stats.expon.logpdf(x, 0, scale))
    _sample = staticmethod(random.exponential)
    _middle = staticmethod(lambda scale: scale)

    def __init__(self, scale: ArrayLike = 1.0, weight: ArrayLike = 1.0, fit_hyper: bool = False):
        super().__init__(weight, fit_hyper, scale=scale)


class _ShapeScale(Prior):
    """Densities of ``x / scale`` with one parameter of shape."""

    _plain = ("a",)

    def __init__(
        self,
        a: ArrayLike = 2.0,
        scale: ArrayLike = 1.0,
        weight: ArrayLike = 1.0,
        fit_hyper: bool = False,
    ):
        super().__init__(weight, fit_hyper, a=a, scale=scale)


class GammaReg(_ShapeScale):
    """Gamma: ``log p = (a - 1) log(x / scale) - x / scale - log(scale * gamma(a))``.

    The centre is its mean, ``a * scale``.

    >>> GammaReg(2.0, scale=3.0).reset_value()
    Array(6., dtype=float32)
    """

    _log_density = staticmethod(lambda x, a, scale: stats.gamma.logpdf(x, a, 0, scale))
    _sample = staticmethod(random.gamma)
    _middle = staticmethod(lambda a, scale: a * scale)


def _inverse_gamma_log_density(x: jax.Array, a: Any, scale: Any) -> jax.Array:
    positive = x > 0
    ratio = scale / jnp.where(positive, x, 1)
    log_density = (a + 1) * jnp.log(ratio) - ratio - jnp.log(scale) - special.gammaln(a)
    return jnp.where(positive, log_density, -jnp.inf)


class InverseGammaReg(_ShapeScale):
    """Inverse gamma: ``log p = (a + 1) log(scale / x) - scale / x - log(scale * gamma(a))``.

    The centre is its mode, ``scale / (a + 1)``.

    >>> InverseGammaReg(2.0, scale=3.0).reset_value()
    Array(1., dtype=float32)
    """

    _log_density = staticmethod(_inverse_gamma_log_density)
    _sample = staticmethod(lambda a, scale, size: scale / random.gamma(a, size=size))
    _middle = staticmethod(lambda a, scale: scale / (a + 1))


def _log_normal_log_density(x: jax.Array, s: Any, scale: Any) -> jax.Array:
    positive = x > 0
    log = jnp.log(jnp.where(positive, x, 1))
    return jnp.where(positive, stats.norm.logpdf(log, jnp.log(scale), s) - log, -jnp.inf)


class LogNormalReg(Prior):
    """Log-normal: ``log(x / scale)`` is normal, of mean 0 and standard deviation `s`.

    The centre is its median, `scale`.

    >>> LogNormalReg().loss(1.0)
    Array(0.91893..., dtype=float32)
    """

    _plain = ("s",)
    _log_density = staticmethod(_log_normal_log_density)
    _sample = staticmethod(lambda s, scale, size: scale * jnp.exp(s * random.normal(size=size)))
    _middle = staticmethod(lambda s, scale: scale)

    def __init__(
        self,
        s: ArrayLike = 1.0,
        scale: ArrayLike = 1.0,
        weight: ArrayLike = 1.0,
        fit_hyper: bool = False,
    ):
        super().__init__(weight, fit_hyper, s=s, scale=scale)


def _log_uniform_log_density(x: jax.Array, lower: Any, upper: Any) -> jax.Array:
    inside = (lower <= x) & (x <= upper)
    x = jnp.where(inside, x, lower)
    return jnp.where(inside, -jnp.log(x) - jnp.log(jnp.log(upper / lower)), -jnp.inf)


class LogUniformReg(Prior):
    """``p = 1 / (x * log(upper / lower))`` between the bounds; the centre is their geometric mean.

    >>> LogUniformReg(1.0, 100.0).reset_value()
    Array(10., dtype=float32)
    """

    _log_density = staticmethod(_log_uniform_log_density)
    _sample = staticmethod(
        lambda lower, upper, size: jnp.exp(random.uniform(jnp.log(lower), jnp.log(upper), size))
    )
    _middle = staticmethod(lambda lower, upper: jnp.sqrt(lower * upper))

    def __init__(self, lower: ArrayLike, upper: ArrayLike, weight: ArrayLike = 1.0):
        interval(self, lower, upper)
        super().__init__(weight, False, lower=lower, upper=upper)


class BetaReg(Prior):
    """Beta, of numbers between 0 and 1: ``p ~ x**(a - 1) * (1 - x)**(b - 1)``.

    The centre is its mean, ``a / (a + b)``.

    >>> BetaReg(2.0, 6.0).reset_value()
    Array(0.25, dtype=float32)
    """

    _plain = ("a", "b")
    _log_density = staticmethod(stats.beta.logpdf)
    _sample = staticmethod(random.beta)
    _middle = staticmethod(lambda a, b: a / (a + b))

    def __init__(
        self,
        a: ArrayLike = 2.0,
        b: ArrayLike = 2.0,
        weight: ArrayLike = 1.0,
        fit_hyper: bool = False,
    ):
        super().__init__(weight, fit_hyper, a=a, b=b)


class DirichletReg(Prior):
    """Dirichlet, of positive vectors with sum 1 along the last axis: ``p ~ prod(x**(alpha - 1))``.

    `alpha` is one number or one for each element; use it with `SimplexT`. The centre is its mean.

    >>> DirichletReg(jnp.array([1.0, 3.0])).reset_value()
    Array([0.25, 0.75], dtype=float32)
    """

    _plain = ("alpha",)

    def __init__(self, alpha: ArrayLike = 1.0, weight: ArrayLike = 1.0, fit_hyper: bool = False):
        super().__init__(weight, fit_hyper, alpha=alpha)

    @staticmethod
    def _log_density(x: jax.Array, alpha: Any) -> jax.Array:
        alpha = jnp.broadcast_to(alpha, _vector(x.shape))
        constant = special.gammaln(jnp.sum(alpha)) - jnp.sum(special.gammaln(alpha))
        return constant + jnp.sum(special.xlogy(alpha - 1, x), axis=-1)

    @staticmethod
    def _sample(alpha: Any, size: tuple[int, ...]) -> jax.Array:
        return random.dirichlet(jnp.broadcast_to(alpha, _vector(size)), size[:-1])

    @staticmethod
    def _middle(alpha: Any) -> Any:
        return alpha / jnp.sum(jnp.broadcast_to(alpha, _vector(jnp.shape(alpha))))


def _vector(shape: tuple[int, ...]) -> tuple[int, ...]:
    if not shape:
        raise ValueError(
            "DirichletReg needs the length of its vectors; found a single number. Give a shape or "
            "an array with an axis. [BST-A04]"
        )
    return shape[-1:]
