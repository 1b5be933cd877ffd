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
        raise ValueError(f"{describe(layer)} takes {what} of shape ({expected}); found {shape}.")


def check_batch(layer: Any, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    """ValueError unless the batch axes of the inputs are those of the layer's States."""
    if found != expected:
        size = found[0] if len(found) == 1 else None
        raise ValueError(
            f"{describe(layer)} was given inputs with the batch axes {found}; its States have "
            f"{expected}. Make them anew for such inputs: init_all_states(model, batch_size={size})"
            + ("." if len(found) < 2 else " in brainstate.transform.vmap.")
        )
