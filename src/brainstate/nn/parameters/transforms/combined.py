"""Transformations made of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...._units import attach, split
from ....typing import ArrayLike
from .base import Transform, floats


class ChainT(Transform):
    """One transformation after another: ``y = last(... second(first(x)))``.

    >>> import brainunit as u
    >>> from brainstate import nn
    >>> t = ChainT(nn.SoftplusT(0.0), nn.AffineT(-2.0 * u.mV, 1.0 * u.mV))
    >>> t.forward(0.0), t.inverse(t.forward(3.0))
    (Quantity(-0.38629436, "mV"), Array(3., dtype=float32))
    """

    def __init__(self, *transforms: Transform):
        self.transforms = tuple(_checked("ChainT", t) for t in transforms)
        self.event_ndim = max((t.event_ndim for t in transforms), default=0)

    def forward(self, x: ArrayLike) -> Any:
        for t in self.transforms:
            x = t.forward(x)
        return x

    def inverse(self, y: ArrayLike) -> Any:
        for t in reversed(self.transforms):
            y = t.inverse(y)
        return y

    def log_abs_det_jacobian(self, x: ArrayLike, y: ArrayLike | None = None) -> jax.Array:
        number = split(floats(x))[0]
        total = jnp.zeros(number.shape[: number.ndim - self.event_ndim], number.dtype)
        resized: Transform | None = None
        for t in self.transforms:
            if resized is not None:
                raise ValueError(
                    f"{self!r} has no determinant: {resized!r} changes the length, so it "
                    "must come last. [BST-N08]"
                )
            term = t.log_abs_det_jacobian(x)
            total = total + (jnp.sum(term, axis=-1) if self.event_ndim > t.event_ndim else term)
            before, x = x, t.forward(x)
            resized = t if _size(t, x) != _size(t, before) else None
        return total

    def __repr__(self) -> str:
        return f"ChainT({', '.join(map(repr, self.transforms))})"


class MaskedT(Transform):
    """`t` where `mask` is True; other elements stay as they are, in the unit of the values.

    The mask is an array of bool that has the last axes of the parameter.

    >>> from brainstate import nn
    >>> MaskedT([True, False], nn.ExpT(0.0)).forward(jnp.array([0.0, -3.0]))
    Array([ 1., -3.], dtype=float32)
    """

    def __init__(self, mask: ArrayLike, t: Transform):
        self.mask, self.t = np.asarray(mask), _checked("MaskedT", t)
        if self.mask.dtype != bool or self.mask.ndim == 0:
            raise ValueError(f"`mask` must be an array of bool; found {mask!r}. [BST-A01]")
        if t.event_ndim:
            raise ValueError(
                f"MaskedT takes transformations of single elements; found {t!r}. [BST-A01]"
            )

    def forward(self, x: ArrayLike) -> Any:
        return self._where_masked(self.t.forward, x)

    def inverse(self, y: ArrayLike) -> Any:
        return self._where_masked(self.t.inverse, y)

    def log_abs_det_jacobian(self, x: ArrayLike, y: ArrayLike | None = None) -> jax.Array:
        number, unit = split(floats(x))
        slope = self.t.log_abs_det_jacobian(attach(self._picked(number), unit))
        return jnp.zeros_like(number).at[..., self.mask].set(slope)

    def _where_masked(self, fun: Callable[[Any], Any], x: ArrayLike) -> Any:
        number, unit = split(floats(x))
        new, new_unit = split(fun(attach(self._picked(number), unit)))
        return attach(number.at[..., self.mask].set(new), new_unit)

    def _picked(self, number: jax.Array) -> jax.Array:
        shape = self.mask.shape
        if number.shape[number.ndim - len(shape) :] != shape or number.ndim < len(shape):
            raise ValueError(
                f"MaskedT with a mask of shape {shape} was given the shape {number.shape}. "
                "[BST-A04]"
            )
        return number[..., self.mask]


def _checked(owner: str, t: Any) -> Transform:
    if not isinstance(t, Transform):
        raise TypeError(
            f"{owner} is made of transformations, such as SigmoidT(0, 1); found {t!r}. [BST-A01]"
        )
    return t


def _size(t: Transform, x: ArrayLike) -> tuple[int, ...]:
    number = split(x)[0]
    return jnp.shape(number)[jnp.ndim(number) - t.event_ndim :]
