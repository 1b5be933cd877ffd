"""Surrogates that are derivatives of a smooth step with a closed form."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..typing import ArrayLike
from .base import Surrogate


class Sigmoid(Surrogate):
    """The derivative of the logistic function `σ(αx)`: ``α σ(αx) (1 - σ(αx))``.

    >>> import brainstate
    >>> brainstate.surrogate.Sigmoid(alpha=4.0).surrogate_grad(0.0).item()
    1.0
    """

    def __init__(self, alpha: float = 4.0):
        self.alpha = alpha

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        y = jax.nn.sigmoid(self.alpha * x)
        return self.alpha * y * (1 - y)

    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        return jax.nn.sigmoid(self.alpha * x)


class Arctan(Surrogate):
    """The derivative of ``arctan(παx/2)/π + ½``: ``(α/2) / (1 + (παx/2)²)``.

    >>> import brainstate
    >>> brainstate.surrogate.Arctan().surrogate_grad(0.0)
    0.5
    """

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        return self.alpha / 2 / (1 + (jnp.pi / 2 * self.alpha * x) ** 2)

    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        return jnp.arctan(jnp.pi / 2 * self.alpha * x) / jnp.pi + 0.5


def sigmoid(x: ArrayLike, alpha: float = 4.0) -> jax.Array:
    """``Sigmoid(alpha)(x)``."""
    return Sigmoid(alpha)(x)


def arctan(x: ArrayLike, alpha: float = 1.0) -> jax.Array:
    """``Arctan(alpha)(x)``."""
    return Arctan(alpha)(x)
