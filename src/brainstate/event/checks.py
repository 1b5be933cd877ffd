"""Where synapses lead is checked when they are made; a product leaves out wrong targets."""

from __future__ import annotations

import weakref
from typing import Any

import jax
import numpy as np

from .._engine.jax_api import is_tracer

# Containers are made anew whenever a pytree is rebuilt; the same array is looked at once.
_checked: weakref.WeakValueDictionary[tuple[int, int], jax.Array] = weakref.WeakValueDictionary()


def check_indices(indices: Any, n_post: int) -> None:
    """ValueError for a target outside ``[0, n_post)``; abstract values are not looked at."""
    if not isinstance(indices, (jax.Array, np.ndarray)) or is_tracer(indices):
        return
    key = id(indices), n_post
    if _checked.get(key) is indices or indices.size == 0:
        return
    found = np.asarray(indices)
    if found.dtype.kind not in "iu":
        raise TypeError(f"`indices` must be integers; found {found.dtype}.")
    if found.min() < 0 or found.max() >= n_post:
        raise ValueError(
            f"`indices` must be from 0 to {n_post - 1}; found {found.min()} to {found.max()}."
        )
    if isinstance(indices, jax.Array):
        _checked[key] = indices


def check_rows(indices: Any, shape: tuple[int, int]) -> None:
    """ValueError unless there is a row of targets for each neuron; lanes may stand before."""
    found = getattr(indices, "shape", None)
    if found is not None and found[-2:-1] != shape[:1]:
        raise ValueError(
            f"`indices` must have a row for each of the {shape[0]} neurons before; found the shape "
            f"{found}."
        )
