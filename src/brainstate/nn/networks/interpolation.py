"""Interpolation between equidistant samples, as weights for neighbouring ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

_SLOPES = np.gradient(np.eye(4), axis=0)  # of four samples: central inside, one-sided at the ends


class Interpolation(NamedTuple):
    """`weights(x)` are for the samples 0, 1, ... of a window of `samples`, at the place `x`."""

    samples: int
    weights: Callable[[Any], list]


def _nearest(x: Any) -> list:
    return [jnp.ones_like(x)]


def _linear(x: Any) -> list:
    return [1 - x, x]


def _cubic(x: Any) -> list:
    """The polynomial through four samples (Lagrange)."""
    nodes = range(4)
    return [
        np.prod([1.0 / (j - m) for m in nodes if m != j])
        * jnp.prod(jnp.stack([x - m for m in nodes if m != j]), axis=0)
        for j in nodes
    ]


def _hermite(x: Any) -> list:
    """The cubic through two samples with the slopes there (Catmull and Rom)."""
    j = jnp.clip(jnp.floor(x), 0, 2)
    u = (x - j)[..., None]
    j = j.astype(int)
    samples, slopes = jnp.eye(4, dtype=x.dtype), jnp.asarray(_SLOPES, x.dtype)
    weights = (
        samples[j]
        + (samples[j + 1] - samples[j]) * u * u * (3 - 2 * u)
        + slopes[j] * u * (1 - u) ** 2
        - slopes[j + 1] * u * u * (1 - u)
    )
    return [weights[..., k] for k in range(4)]


INTERPOLATIONS = {
    "nearest": Interpolation(1, _nearest),
    "round": Interpolation(1, _nearest),
    "linear": Interpolation(2, _linear),
    "linear_interp": Interpolation(2, _linear),
    "cubic": Interpolation(4, _cubic),
    "hermite": Interpolation(4, _hermite),
}


def window(method: Interpolation, x: Any, length: int) -> tuple[Any, list]:
    """The first of the samples around the place `x`, and the weights of these samples.

    >>> first, weights = window(INTERPOLATIONS["linear"], jnp.asarray(2.25), 5)
    >>> int(first), [float(w) for w in weights]
    (2, [0.75, 0.25])
    """
    before = method.samples // 2 - 1
    first = jnp.round(x) if before < 0 else jnp.floor(x) - before
    first = jnp.clip(first, 0, max(length - method.samples, 0))
    return first.astype(int), method.weights(x - first)
