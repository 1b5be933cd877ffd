"""Where synapses lead is checked when they are made; a product leaves out wrong targets."""

from __future__ import annotations

import weakref
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._engine.jax_api import is_tracer

# Containers are made anew whenever a pytree is rebuilt; the same array is looked at once.
_seen: weakref.WeakValueDictionary[tuple, jax.Array] = weakref.WeakValueDictionary()


def as_indices(name: str, x: Any) -> jax.Array:
    """The array in 32 bits; ValueError for numbers that would become others."""
    if not is_tracer(x):
        found = np.asarray(x)
        changed = found[found != found.astype(np.int32)]
        if changed.size:
            raise ValueError(
                f"`{name}` must be integers below 2**31; found {changed[0]}. [BST-A02]"
            )
    return jnp.asarray(x, jnp.int32)


def check_targets(indices: Any, n_post: int) -> None:
    """ValueError for a target outside ``[0, n_post)``; abstract values are not looked at."""
    found = _not_seen(indices, n_post)
    if found is None or found.size == 0:
        return
    _check_integers("indices", found)
    if found.min() < 0 or found.max() >= n_post:
        raise ValueError(
            f"`indices` must be from 0 to {n_post - 1}; found {found.min()} to {found.max()}. "
            "[BST-A02]"
        )
    _remember(indices, n_post)


def check_rows(indices: Any, shape: tuple[int, int]) -> None:
    """ValueError unless there is a row of targets for each neuron; lanes may stand before."""
    found = getattr(indices, "shape", None)
    if found is not None and found[-2:-1] != shape[:1]:
        raise ValueError(
            f"`indices` must have a row for each of the {shape[0]} neurons before; found the shape "
            f"{found}. [BST-A04]"
        )


def check_starts(indptr: Any, indices: Any, shape: tuple[int, int]) -> None:
    """ValueError unless these are the starts of the rows of a compressed sparse matrix."""
    rows, count = (getattr(x, "shape", (None,))[-1:] for x in (indptr, indices))
    if rows != (None,) and rows != (shape[0] + 1,):
        raise ValueError(
            "`indptr` must have one element more than there are rows, so the shape "
            f"({shape[0] + 1},); found {indptr.shape}. [BST-E02]"
        )
    found = _not_seen(indptr, count)
    if found is None:
        return
    if not count:
        raise ValueError(
            f"`indices` must have one axis; found the shape {indices.shape}. [BST-E02]"
        )
    _check_integers("indptr", found)
    rises = (np.diff(found) >= 0).all()
    if not rises or (found[..., 0] != 0).any() or (found[..., -1] != count).any():
        raise ValueError(
            f"`indptr` must rise from 0 to the number of `indices`, {count[0]}; found {found}. "
            "[BST-E02]"
        )
    _remember(indptr, count)


def _check_integers(name: str, found: np.ndarray) -> None:
    if found.size and found.dtype.kind not in "iu":
        raise TypeError(f"`{name}` must be integers; found {found.dtype}. [BST-A09]")


def _not_seen(array: Any, fact: Any) -> np.ndarray | None:
    """The numbers of an array that has to be looked at; None for an abstract or a known one."""
    if not isinstance(array, (jax.Array, np.ndarray)) or is_tracer(array):
        return None
    return None if _seen.get((id(array), fact)) is array else np.asarray(array)


def _remember(array: Any, fact: Any) -> None:
    if isinstance(array, jax.Array):
        _seen[id(array), fact] = array
