"""Surrogates given as a bump around the threshold, without a smooth step behind them."""

from __future__ import annotations

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


def relu_grad(x: ArrayLike, alpha: float = 0.3, width: float = 1.0) -> jax.Array:
    """``ReluGrad(alpha, width)(x)``."""
    return ReluGrad(alpha, width)(x)


def inv_square_grad(x: ArrayLike, alpha: float = 100.0) -> jax.Array:
    """``InvSquareGrad(alpha)(x)``."""
    return InvSquareGrad(alpha)(x)
