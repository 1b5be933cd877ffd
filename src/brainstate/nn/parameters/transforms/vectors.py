"""Transformations of vectors along the last axis, after the reference manual of Stan."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .base import NumberTransform
from .curves import EXP


class OrderedT(NumberTransform):
    """Increasing vectors, in `unit`: ``y[0] = x[0]``, ``y[k] = y[k-1] + exp(x[k])``.

    >>> OrderedT().forward(jnp.array([1.0, 0.0, 0.0]))
    Array([1., 2., 3.], dtype=float32)
    """

    event_ndim = 1

    def __init__(self, unit: Any = None):
        self.unit = self._y_unit = unit

    def _forward(self, x: jax.Array) -> jax.Array:
        return jnp.cumsum(_behind_first(x, EXP.forward(x[..., 1:])), axis=-1)

    def _inverse(self, y: jax.Array) -> jax.Array:
        return _behind_first(y, EXP.inverse(jnp.diff(y, axis=-1)))

    def _log_slope(self, x: jax.Array) -> jax.Array:
        return jnp.sum(x[..., 1:], axis=-1)

    def _reaches(self, y: np.ndarray) -> Any:
        return np.all(np.diff(y, axis=-1) >= 0, axis=-1)

    def _image(self) -> str:
        return "increasing vectors"


class SimplexT(NumberTransform):
    """Positive vectors of length K and sum 1, from K - 1 free numbers, by breaking a stick.

    Piece k is the part ``sigmoid(x[k] - log(K - 1 - k))`` of what is left, so that ``x = 0`` gives
    equal pieces. The determinant is of all pieces but the last.

    >>> SimplexT().forward(jnp.zeros(3))
    Array([0.25, 0.25, 0.25, 0.25], dtype=float32)
    """

    event_ndim = 1

    def _forward(self, x: jax.Array) -> jax.Array:
        part, left = _log_parts(x)
        return jnp.exp(jnp.concatenate([part + left[..., :-1], left[..., -1:]], axis=-1))

    def _inverse(self, y: jax.Array) -> jax.Array:
        left = jax.lax.cumsum(y, axis=y.ndim - 1, reverse=True)[..., 1:]
        ratio = EXP.inverse(y[..., :-1]) - EXP.inverse(left)
        return ratio + _log_pieces_left(left)

    def _log_slope(self, x: jax.Array) -> jax.Array:
        part, left = _log_parts(x)
        return jnp.sum(part + left[..., 1:], axis=-1)

    def _reaches(self, y: np.ndarray) -> Any:
        return np.all(y >= 0, axis=-1) & _is_1(np.sum(y, axis=-1))

    def _image(self) -> str:
        return "vectors of positive numbers with the sum 1"


class UnitVectorT(NumberTransform):
    """Vectors of length 1: ``y = x / ‖x‖``.

    This loses the length of `x`, so there is no determinant. `log_abs_det_jacobian` gives
    ``-‖x‖² / 2`` as Stan does, with which a flat density of `y` is a proper one of `x`.

    >>> UnitVectorT().forward(jnp.array([3.0, 4.0]))
    Array([0.6, 0.8], dtype=float32)
    """

    event_ndim = 1

    def _forward(self, x: jax.Array) -> jax.Array:
        return x / jnp.linalg.norm(x, axis=-1, keepdims=True)

    def _inverse(self, y: jax.Array) -> jax.Array:
        return y

    def _log_slope(self, x: jax.Array) -> jax.Array:
        return -jnp.sum(x**2, axis=-1) / 2

    def _reaches(self, y: np.ndarray) -> Any:
        return _is_1(np.linalg.norm(y, axis=-1))

    def _image(self) -> str:
        return "vectors of length 1"


def _is_1(x: np.ndarray) -> np.ndarray:
    return np.abs(x - 1) < np.sqrt(np.finfo(x.dtype).eps)


def _behind_first(x: jax.Array, others: jax.Array) -> jax.Array:
    return jnp.concatenate([x[..., :1], others], axis=-1)


def _log_pieces_left(x: jax.Array) -> jax.Array:
    """How many pieces are to come behind each of the first K - 1, as logarithms."""
    return jnp.log(jnp.arange(x.shape[-1], 0, -1, dtype=x.dtype))


def _log_parts(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Logarithms of: the part that each piece takes; what is left before it, and at the end."""
    z = x - _log_pieces_left(x)
    left = jnp.cumsum(_behind_first(jnp.zeros_like(z), jax.nn.log_sigmoid(-z)), axis=-1)
    return jax.nn.log_sigmoid(z), left
