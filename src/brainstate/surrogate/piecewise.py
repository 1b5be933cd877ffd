"""Surrogates put together from pieces that have formulas of their own.

What a piece computes outside its range is kept finite, so that higher derivatives are too.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..typing import ArrayLike
from .base import Surrogate


class PiecewiseQuadratic(Surrogate):
    """A triangle of area 1 on ``|x| <= 1/α``: ``α - α²|x|``; its step is made of two parabolas.

    >>> import brainstate
    >>> brainstate.surrogate.PiecewiseQuadratic(alpha=2.0).surrogate_grad(0.25).item()
    1.0
    """

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        return jnp.maximum(self.alpha - self.alpha**2 * jnp.abs(x), 0)

    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        inside = jnp.clip(self.alpha * x, -1, 1)
        return inside * (1 - jnp.abs(inside) / 2) + 0.5


class PiecewiseLeakyRelu(Surrogate):
    """Slope ``1/(2w)`` on ``|x| <= w`` and `c` outside.

    >>> import brainstate
    >>> brainstate.surrogate.PiecewiseLeakyRelu(c=0.01, w=1.0).surrogate_grad(0.0).item()
    0.5
    """

    def __init__(self, c: float = 0.01, w: float = 1.0):
        self.c, self.w = c, w

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        return _choose(x, jnp.abs(x) > self.w, self.c, 1 / (2 * self.w))

    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        inside = jnp.clip(x, -self.w, self.w)
        return inside / (2 * self.w) + 0.5 + self.c * (x - inside)


class LeakyRelu(Surrogate):
    """Slope `α` below 0 and `β` from there on.

    >>> import brainstate
    >>> round(brainstate.surrogate.LeakyRelu(alpha=0.1).surrogate_grad(-1.0).item(), 4)
    0.1
    """

    def __init__(self, alpha: float = 0.1, beta: float = 1.0):
        self.alpha, self.beta = alpha, beta

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        return _choose(x, x < 0, self.alpha, self.beta)

    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        return jnp.where(x < 0, self.alpha * x, self.beta * x)


class LogTailedRelu(Surrogate):
    """Slope `α` up to 0, 1 up to 1, and ``1/x`` beyond; the step goes on as ``1 + ln x`` there.

    Cai et al. (2017), Deep Learning with Low Precision by Half-wave Gaussian Quantization, CVPR.

    >>> import brainstate
    >>> brainstate.surrogate.LogTailedRelu().surrogate_grad(2.0).item()
    0.5
    """

    def __init__(self, alpha: float = 0.0):
        self.alpha = alpha

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        return jnp.where(x > 0, 1 / jnp.maximum(x, 1), self.alpha)

    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        tail = 1 + jnp.log(jnp.maximum(x, 1))
        return jnp.where(x > 1, tail, jnp.where(x > 0, x, self.alpha * x))


class S2NN(Surrogate):
    """Below 0 the derivative of ``σ(αx)``; from 0 on that of ``β ln(x + 1)``, ``β / (x + 1)``.

    Suetake et al. (2022), S3NN: Time step reduction of spiking surrogate gradients for training
    energy efficient single-step spiking neural networks, arXiv:2201.10879. `ε` keeps the logarithm
    in `surrogate_fun` finite.

    >>> import brainstate
    >>> brainstate.surrogate.S2NN().surrogate_grad(1.0).item()
    0.5
    """

    def __init__(self, alpha: float = 4.0, beta: float = 1.0, epsilon: float = 1e-8):
        self.alpha, self.beta, self.epsilon = alpha, beta, epsilon

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        y = jax.nn.sigmoid(self.alpha * x)
        return jnp.where(x < 0, self.alpha * y * (1 - y), self.beta / (jnp.maximum(x, 0) + 1))

    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        tail = self.beta * jnp.log(jnp.maximum(x, 0) + 1 + self.epsilon) + 0.5
        return jnp.where(x < 0, jax.nn.sigmoid(self.alpha * x), tail)


def _choose(x: jax.Array, where: jax.Array, yes: float, no: float) -> jax.Array:
    """One of two constants, in the type of `x`."""
    return jnp.where(where, yes, no).astype(jnp.result_type(x))


def piecewise_quadratic(x: ArrayLike, alpha: float = 1.0) -> jax.Array:
    """``PiecewiseQuadratic(alpha)(x)``."""
    return PiecewiseQuadratic(alpha)(x)


def piecewise_leaky_relu(x: ArrayLike, c: float = 0.01, w: float = 1.0) -> jax.Array:
    """``PiecewiseLeakyRelu(c, w)(x)``."""
    return PiecewiseLeakyRelu(c, w)(x)


def leaky_relu(x: ArrayLike, alpha: float = 0.1, beta: float = 1.0) -> jax.Array:
    """``LeakyRelu(alpha, beta)(x)``."""
    return LeakyRelu(alpha, beta)(x)


def log_tailed_relu(x: ArrayLike, alpha: float = 0.0) -> jax.Array:
    """``LogTailedRelu(alpha)(x)``."""
    return LogTailedRelu(alpha)(x)


def s2nn(x: ArrayLike, alpha: float = 4.0, beta: float = 1.0, epsilon: float = 1e-8) -> jax.Array:
    """``S2NN(alpha, beta, epsilon)(x)``."""
    return S2NN(alpha, beta, epsilon)(x)
