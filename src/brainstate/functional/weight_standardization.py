"""Weights of mean zero and fixed length for each unit."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from .._units import attach, split
from ..typing import ArrayLike


def weight_standardization(
    w: ArrayLike, eps: float = 1e-4, gain: ArrayLike | None = None, out_axis: int = -1
) -> Any:
    """``gain · (w - mean) / √max(n·var, eps)``, over the n weights of each unit along `out_axis`.

    The result has no unit but that of `gain` (Qiao et al., 2019, arXiv:1903.10520; scaled as by
    Brock et al., 2021, arXiv:2101.08692).

    >>> weight_standardization(jnp.array([[0.0], [2.0], [4.0]]))[:, 0].round(4)
    Array([-0.7071,  0.    ,  0.7071], dtype=float32)
    """
    number = jnp.asarray(split(w)[0])
    if not -number.ndim <= out_axis < number.ndim:
        raise ValueError(
            f"`out_axis`={out_axis} is no axis of weights of shape {number.shape}. [BST-A02]"
        )
    axes = tuple(i for i in range(number.ndim) if i != out_axis % number.ndim)
    centred = number - jnp.mean(number, axes, keepdims=True)
    length = jnp.sum(centred**2, axes, keepdims=True)
    factor, unit = split(1.0 if gain is None else gain)
    return attach(centred * (factor * jax.lax.rsqrt(jnp.maximum(length, eps))), unit)
