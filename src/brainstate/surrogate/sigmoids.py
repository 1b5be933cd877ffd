"""Surrogates that are derivatives of a smooth step with a closed form."""

from __future__ import annotations

import functools
import math
import operator

import jax
import jax.numpy as jnp
import numpy as np

from .._engine.jax_api import is_tracer
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


class SoftSign(Surrogate):
    """The derivative of ``x / (2/α + 2|x|) + ½``: ``(α/2) / (1 + |αx|)²``.

    >>> import brainstate
    >>> brainstate.surrogate.SoftSign().surrogate_grad(1.0).item()
    0.125
    """

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        return self.alpha / 2 / (1 + jnp.abs(self.alpha * x)) ** 2

    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        return x / (2 / self.alpha + 2 * jnp.abs(x)) + 0.5


class ERF(Surrogate):
    """The derivative of ``½ (1 + erf(αx))``: ``(α/√π) exp(-α²x²)``.

    >>> import brainstate
    >>> round(brainstate.surrogate.ERF().surrogate_grad(0.0).item(), 4)
    0.5642
    """

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        return self.alpha / math.sqrt(math.pi) * jnp.exp(-((self.alpha * x) ** 2))

    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        return (1 + jax.scipy.special.erf(self.alpha * x)) / 2


class PiecewiseExp(Surrogate):
    """The Laplace density ``(α/2) exp(-α|x|)``, the derivative of its distribution function.

    >>> import brainstate
    >>> brainstate.surrogate.PiecewiseExp(alpha=2.0).surrogate_grad(0.0).item()
    1.0
    """

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        return self.alpha / 2 * jnp.exp(-self.alpha * jnp.abs(x))

    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        sign, size = _sign_and_size(x)
        return (1 + sign * (1 - jnp.exp(-self.alpha * size))) / 2


class QPseudoSpike(Surrogate):
    """A bump with tails of power `α` > 1: ``(1 + 2|x|/(α-1))^(-α)``.

    Herranz-Celotti & Rouat (2022), Stabilizing Spiking Neuron Training, arXiv:2202.00282. The step
    rises from 0 to 1, whatever `α` is.

    >>> import brainstate
    >>> round(brainstate.surrogate.QPseudoSpike(alpha=2.0).surrogate_grad(0.5).item(), 4)
    0.25
    """

    def __init__(self, alpha: float = 2.0):
        if not is_tracer(alpha) and not np.all(np.asarray(alpha) > 1):
            raise ValueError(f"`alpha` of QPseudoSpike must be above 1; found {alpha!r}. [BST-A02]")
        self.alpha = alpha

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        return (1 + 2 / (self.alpha - 1) * jnp.abs(x)) ** -self.alpha

    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        sign, size = _sign_and_size(x)
        return (1 + sign * (1 - (1 + 2 / (self.alpha - 1) * size) ** (1 - self.alpha))) / 2


class NonzeroSignLog(Surrogate):
    """The derivative of ``sign(x) ln(|αx| + 1)``: ``1 / (1/α + |x|)``, which falls off slowly.

    >>> import brainstate
    >>> brainstate.surrogate.NonzeroSignLog().surrogate_grad(1.0).item()
    0.5
    """

    def __init__(self, alpha: float = 1.0):
        self.alpha = alpha

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        return 1 / (1 / self.alpha + jnp.abs(x))

    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        sign, size = _sign_and_size(x)
        return sign * jnp.log1p(self.alpha * size)


class SquarewaveFourierSeries(Surrogate):
    """The first ``n - 1`` terms (one at least) of the Fourier series of a square wave.

    ``(4/T) Σ cos((2i-1) ωx)`` with ``ω = 2π/T`` and ``i = 1 ... n-1``, `T` being `t_period`.

    >>> import brainstate
    >>> brainstate.surrogate.SquarewaveFourierSeries(n=3, t_period=8.0).surrogate_grad(0.0).item()
    1.0
    """

    def __init__(self, n: int = 2, t_period: float = 8.0):
        self.n, self.t_period = operator.index(n), t_period

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        waves = [jnp.cos(order * self._phase(x)) for order in self._orders()]
        return 4 / self.t_period * functools.reduce(jnp.add, waves)

    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        waves = [jnp.sin(order * self._phase(x)) / order for order in self._orders()]
        return 0.5 + 2 / math.pi * functools.reduce(jnp.add, waves)

    def _orders(self) -> range:
        return range(1, 2 * max(self.n, 2) - 2, 2)

    def _phase(self, x: jax.Array) -> jax.Array:
        return 2 * math.pi / self.t_period * x


def _sign_and_size(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """`x` as a product whose derivative at 0 is 1, which ``sign(x) * abs(x)`` does not have."""
    return jnp.where(x < 0, -1.0, 1.0).astype(jnp.result_type(x)), jnp.where(x < 0, -x, x)


def sigmoid(x: ArrayLike, alpha: float = 4.0) -> jax.Array:
    """``Sigmoid(alpha)(x)``."""
    return Sigmoid(alpha)(x)


def arctan(x: ArrayLike, alpha: float = 1.0) -> jax.Array:
    """``Arctan(alpha)(x)``."""
    return Arctan(alpha)(x)


def soft_sign(x: ArrayLike, alpha: float = 1.0) -> jax.Array:
    """``SoftSign(alpha)(x)``."""
    return SoftSign(alpha)(x)


def erf(x: ArrayLike, alpha: float = 1.0) -> jax.Array:
    """``ERF(alpha)(x)``."""
    return ERF(alpha)(x)


def piecewise_exp(x: ArrayLike, alpha: float = 1.0) -> jax.Array:
    """``PiecewiseExp(alpha)(x)``."""
    return PiecewiseExp(alpha)(x)


def q_pseudo_spike(x: ArrayLike, alpha: float = 2.0) -> jax.Array:
    """``QPseudoSpike(alpha)(x)``."""
    return QPseudoSpike(alpha)(x)


def nonzero_sign_log(x: ArrayLike, alpha: float = 1.0) -> jax.Array:
    """``NonzeroSignLog(alpha)(x)``."""
    return NonzeroSignLog(alpha)(x)


def squarewave_fourier_series(x: ArrayLike, n: int = 2, t_period: float = 8.0) -> jax.Array:
    """``SquarewaveFourierSeries(n, t_period)(x)``."""
    return SquarewaveFourierSeries(n, t_period)(x)
