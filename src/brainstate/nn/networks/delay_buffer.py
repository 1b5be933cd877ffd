"""Histories: the last samples of a pytree along a leading time axis, in a ring or newest first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..._units import attach, is_quantity, number_in, split
from ...init.parameters import is_array

_KINDS = (jnp.bool_, jnp.integer, jnp.floating, jnp.complexfloating)


def blank(sample: Any, length: int, init: Any, batch: tuple[int, ...] = ()) -> Any:
    """A history of such samples, filled by `init`: a number, array, function, or None for 0."""
    if not (init is None or callable(init) or is_array(init)):
        raise TypeError(
            f"`init` must be a number, an array, a function of the shape or None; found {init!r}. "
            "[BST-A01]"
        )

    def one(leaf: Any) -> Any:
        number, unit = split(leaf)
        number = number if hasattr(number, "dtype") else jnp.asarray(number)
        shape, dtype = (length, *batch, *number.shape), number.dtype
        if init is None:
            return attach(jnp.zeros(shape, dtype), unit)
        first = init(shape, dtype=dtype) if callable(init) else init
        filled = jnp.broadcast_to(number_in(first, unit, "init"), shape)
        return attach(filled.astype(dtype), unit)

    return jax.tree.map(one, sample, is_leaf=is_quantity)


def length_of(history: Any) -> int:
    """How many samples there are."""
    return jax.tree.leaves(history)[0].shape[0]


def push_in_ring(history: Any, current: Any, slot: Any, stored: Any, name: str) -> Any:
    """Write `current` into a slot, where `stored`."""

    def one(old: Any, new: Any) -> Any:
        kept = new if stored is True else jnp.where(stored, new, old[slot])
        return jax.lax.dynamic_update_index_in_dim(old, kept, slot, 0)

    return _map_samples(one, history, current, name)


def push_first(history: Any, current: Any, stored: Any, name: str) -> Any:
    """Put `current` before all samples and drop the last one, where `stored`."""

    def one(old: Any, new: Any) -> Any:
        moved = jnp.concatenate([new[None], old[:-1]])
        return moved if stored is True else jnp.where(stored, moved, old)

    return _map_samples(one, history, current, name)


def _map_samples(fun: Callable[[Any, Any], Any], history: Any, current: Any, name: str) -> Any:
    expected = jax.tree.structure(history, is_leaf=is_quantity)
    found = jax.tree.structure(current, is_leaf=is_quantity)
    if found != expected:
        raise ValueError(f"{name} holds values like {expected}; it was given {found}. [BST-A01]")

    def one(old: Any, new: Any) -> Any:
        number, unit = split(old)
        sample = jnp.asarray(number_in(new, unit, f"the value given to {name}"))
        if sample.shape != number.shape[1:]:
            raise ValueError(
                f"{name} holds values of shape {number.shape[1:]}; it was given {sample.shape}. "
                "[BST-A04]"
            )
        if _kind(jnp.promote_types(sample.dtype, number.dtype)) != _kind(number.dtype):
            raise TypeError(f"{name} holds {number.dtype}; it was given {sample.dtype}. [BST-A09]")
        return attach(fun(number, sample.astype(number.dtype)), unit)

    return jax.tree.map(one, history, current, is_leaf=is_quantity)


def _kind(dtype: Any) -> list[bool]:
    return [jnp.issubdtype(dtype, kind) for kind in _KINDS]
