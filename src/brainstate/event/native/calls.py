"""Calls of the native product."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

if TYPE_CHECKING:
    from ..lanes import Sharing
    from ..structures import Arrays, Structure

TARGETS = "fan_out", "compressed", "all_to_all", "regenerated"
_NUMBERS = jnp.float32, jnp.float64


def target_name(kernel: str) -> str:
    """The name of a kernel in the library and in compiled programs."""
    return f"brainstate_{kernel}"


def native_takes(events: jax.Array, weight: jax.Array) -> bool:
    """Whether these dtypes can be handed to the native product, perhaps after a conversion."""
    return _number(events, weight) in _NUMBERS


def native_product(
    structure: Structure,
    sharing: tuple[Sharing, Sharing],
    base: jax.Array,
    events: jax.Array,
    weight: jax.Array,
    arrays: Arrays,
) -> jax.Array:
    """``base + events[batch, n_pre] @ synapses`` by the C++ kernel of this kind of structure."""
    number = _number(events, weight)
    weight = weight.astype(number)
    events = events if events.dtype == bool else events.astype(number)
    of_weight, of_arrays = sharing
    call = jax.ffi.ffi_call(
        target_name(structure.kernel),
        jax.ShapeDtypeStruct(base.shape, base.dtype),
        input_output_aliases={0: 0},
    )
    attributes = {
        "weight_repeat": of_weight.repeat,
        "structure_repeat": of_arrays.repeat,
        **structure.attributes(),
    }
    return call(
        base,
        events,
        weight,
        *structure.for_kernel(arrays),
        **{name: np.int64(value) for name, value in attributes.items()},
    )


def _number(events: jax.Array, weight: jax.Array) -> np.dtype:
    return jnp.result_type(events, weight)
