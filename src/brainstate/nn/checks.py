"""Checks of what a layer is called with; the errors say which layer it is."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from .._engine.names import describe
from .._units import split


def check_trailing(layer: Any, x: Any, size: tuple[int, ...], what: str = "inputs") -> None:
    """ValueError unless the last axes of `x` are `size`; any axes may stand before them."""
    shape = jnp.shape(split(x)[0])
    if shape[len(shape) - len(size) :] != tuple(size) or len(shape) < len(size):
        expected = ", ".join(["...", *map(str, size)])
        raise ValueError(
            f"{describe(layer)} takes {what} of shape ({expected}); found {shape}. [BST-A04]"
        )


def check_batch(layer: Any, x: Any, ndim: int, state: Any, state_ndim: int) -> None:
    """ValueError unless `x` and the value of a State have the same batch axes.

    These are the axes before the last `ndim`, and before the last `state_ndim`.
    """
    shape, state_shape = jnp.shape(x), jnp.shape(state)
    found, expected = shape[: len(shape) - ndim], state_shape[: len(state_shape) - state_ndim]
    if found != expected:
        batch_size = found[0] if len(found) == 1 else None
        where = "" if len(found) < 2 else ", inside brainstate.transform.vmap"
        raise ValueError(
            f"{describe(layer)} was given inputs with the batch axes {found}; its States have "
            f"{expected}. Make them anew: init_all_states(model, batch_size={batch_size})"
            f"{where}. [BST-N02]"
        )


def check_fits(layer: Any, x: Any, state: Any, what: str = "inputs") -> None:
    """ValueError unless `x` broadcasts to the shape of the value of a State."""
    found, shape = jnp.shape(split(x)[0]), jnp.shape(split(state)[0])
    trailing = zip(reversed(found), reversed(shape), strict=False)
    if len(found) > len(shape) or any(n not in (1, size) for n, size in trailing):
        raise ValueError(
            f"{describe(layer)} takes {what} that broadcast to {shape}, the shape of its States; "
            f"found {found}. For a batch of them, call init_all_states(model, batch_size) first. "
            "[BST-N02]"
        )
