"""Surrogates given as a bump around the threshold, without a smooth step behind them."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from ..typing import ArrayLike
from .base import Surrogate


class ReluGrad(Surrogate):
    """A triangle: ``max(α · width - α |x|, 0)``.

    >>> import brainstate
    >>> brainstate.surrogate.ReluGrad(alpha=0.3, width=1.0).surrogate_grad(0.5).item()
    0.15...
    """

    def __init__(self, alpha: float = 0.3, width: float = 1.0):
        self.alpha, self.width = alpha, width

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        return jnp.maximum(self.alpha * self.width - self.alpha * jnp.abs(x), 0)


class InvSquareGrad(Surrogate):
    """A peak with long tails: ``1 / (α |x| + 1)²``.

    >>> import brainstate
    >>> brainstate.surrogate.InvSquareGrad(alpha=1.0).surrogate_grad(1.0).item()
    0.25
    """

    def __init__(self, alpha: float = 100.0):
        self.alpha = alpha

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        return 1 / (self.alpha * jnp.abs(x) + 1) ** 2


class GaussianGrad(Surrogate):
    """A bell: ``α`` times the normal density of mean 0 and standard deviation `σ`.

    >>> import brainstate
    >>> round(brainstate.surrogate.GaussianGrad().surrogate_grad(0.0).item(), 4)
    0.3989
    """

    def __init__(self, sigma: float = 0.5, alpha: float = 0.5):
        self.sigma, self.alpha = sigma, alpha

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        return self.alpha * _normal_density(x, 0.0, self.sigma)


class MultiGaussianGrad(Surrogate):
    """A bell with a negative surround on both sides.

    ``scale [(1 + h) N(x; 0, σ) - h N(x; σ, sσ) - h N(x; -σ, sσ)]`` with normal densities `N`.
    Yin, Corradi & Bohté (2021), Nature Machine Intelligence 3:905.

    >>> import brainstate
    >>> round(brainstate.surrogate.MultiGaussianGrad().surrogate_grad(0.0).item(), 4)
    0.4391
    """

    def __init__(self, h: float = 0.15, s: float = 6.0, sigma: float = 0.5, scale: float = 0.5):
        self.h, self.s, self.sigma, self.scale = h, s, sigma, scale

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        wide = self.s * self.sigma
        centre = (1 + self.h) * _normal_density(x, 0.0, self.sigma)
        surround = _normal_density(x, self.sigma, wide) + _normal_density(x, -self.sigma, wide)
        return self.scale * (centre - self.h * surround)


class SlayerGrad(Surrogate):
    """A peak that falls off exponentially: ``exp(-α |x|)``.

    Shrestha & Orchard (2018), SLAYER, NeurIPS.

    >>> import brainstate
    >>> brainstate.surrogate.SlayerGrad().surrogate_grad(0.0).item()
    1.0
    """

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        return jnp.exp(-self.alpha * jnp.abs(x))


def _normal_density(x: jax.Array, mean: float, deviation: float) -> jax.Array:
    return jnp.exp(-(((x - mean) / deviation) ** 2) / 2) / (math.sqrt(2 * math.pi) * deviation)


def relu_grad(x: ArrayLike, alpha: float = 0.3, width: float = 1.0) -> jax.Array:
    """``ReluGrad(alpha, width)(x)``."""
    return ReluGrad(alpha, width)(x)


def inv_square_grad(x: ArrayLike, alpha: float = 100.0) -> jax.Array:
    """``InvSquareGrad(alpha)(x)``."""
    return InvSquareGrad(alpha)(x)


def gaussian_grad(x: ArrayLike, sigma: float = 0.5, alpha: float = 0.5) -> jax.Array:
    """``GaussianGrad(sigma, alpha)(x)``."""
    return GaussianGrad(sigma, alpha)(x)


def multi_gaussian_grad(
    x: ArrayLike, h: float = 0.15, s: float = 6.0, sigma: float = 0.5, scale: float = 0.5
) -> jax.Array:
    """``MultiGaussianGrad(h, s, sigma, scale)(x)``."""
    return MultiGaussianGrad(h, s, sigma, scale)(x)


def slayer_grad(x: ArrayLike, alpha: float = 1.0) -> jax.Array:
    """``SlayerGrad(alpha)(x)``."""
    return SlayerGrad(alpha)(x)
