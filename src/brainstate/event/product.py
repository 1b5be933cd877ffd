"""``events @ synapses``: one operation, and the choice of how it is computed.

The product is linear in events and in weights. Its value is computed event by event, where that is
cheaper; its tangents over all synapses, in operations that JAX transposes. Lanes of a `vmap` become
samples of one batch.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from . import spike_search
from .backends import active_backend
from .lanes import Sharing, merged
from .native.calls import native_product, native_takes
from .rows import by_rows
from .structures import AllToAll, Arrays, Structure

# What one step takes on a CPU, in nanoseconds, measured (benchmarks/README.md, "Event products").
_TURN, _ADD_IN_TURN = 350.0, 1.2
_ADD, _MATMUL, _MATVEC = 0.9, 0.03, 0.12
_NATIVE_ADD = 0.06  # of a whole row, by vector instructions


def product(
    structure: Structure, events: jax.Array, weight: jax.Array, arrays: Arrays
) -> jax.Array:
    """The product of ``events[..., n_pre]`` for one set of weights and arrays."""
    if 0 in (structure.n_pre, structure.n_post) or events.size == 0:
        dtype = jnp.result_type(events, weight)
        return jnp.zeros((*events.shape[:-1], structure.n_post), dtype)
    batch = events.reshape(-1, structure.n_pre)
    out = _product(structure, active_backend(), batch, weight, arrays)
    return out.reshape(*events.shape[:-1], structure.n_post)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _product(
    structure: Structure, backend: str, events: jax.Array, weight: jax.Array, arrays: Arrays
) -> jax.Array:
    one = Sharing(1, 1)
    weight, arrays = weight[None], tuple(x[None] for x in arrays)
    return _of_lanes(structure, backend, (one, one))(events, weight, arrays)


@_product.defjvp
def _product_jvp(structure: Structure, backend: str, primals: tuple, tangents: tuple) -> tuple:
    (events, weight, arrays), (d_events, d_weight, _) = primals, tangents
    out = _product(structure, backend, events, weight, arrays)
    tangent = jnp.zeros_like(out)
    if _is_real(events):
        tangent += structure.everywhere(d_events, weight, arrays)
    if _is_real(weight):
        if weight.ndim == 0:
            one = jnp.ones((), weight.dtype)
            tangent += _product(structure, backend, events, one, arrays) * d_weight
        else:
            tangent += structure.everywhere(events, d_weight, arrays)
    return out, tangent.astype(out.dtype)


def _is_real(x: jax.Array) -> bool:
    return jnp.issubdtype(x.dtype, jnp.inexact)


@functools.cache
def _of_lanes(structure: Structure, backend: str, sharing: tuple[Sharing, Sharing]) -> Any:
    """The product of ``events[batch, n_pre]``, with weights and arrays that samples share."""

    @functools.partial(jax.jit, inline=True)
    @jax.custom_batching.custom_vmap
    def of_lanes(events: jax.Array, weight: jax.Array, arrays: Arrays) -> jax.Array:
        return _chosen(structure, backend, events, weight, arrays, sharing)

    @of_lanes.__wrapped__.def_vmap
    def of_more_lanes(n_lanes: int, batched: Any, events: jax.Array, weight: jax.Array, arrays: Any):
        on_events, on_weight, on_arrays = batched
        batch = events.shape[-2]
        if not on_events:
            events = jnp.broadcast_to(events, (n_lanes, *events.shape))
        if any(on_arrays) and not all(on_arrays):
            arrays = tuple(
                x if on else jnp.broadcast_to(x, (n_lanes, *x.shape))
                for x, on in zip(arrays, on_arrays, strict=True)
            )
        weight, of_weight = merged(weight, on_weight, sharing[0], batch, n_lanes)
        of_arrays = sharing[1]
        for_arrays = [merged(x, any(on_arrays), sharing[1], batch, n_lanes) for x in arrays]
        if for_arrays:
            of_arrays = for_arrays[0][1]
        arrays = tuple(x for x, _ in for_arrays)
        run = _of_lanes(structure, backend, (of_weight, of_arrays))
        out = run(events.reshape(-1, structure.n_pre), weight, arrays)
        return out.reshape(n_lanes, batch, structure.n_post), True

    return of_lanes


def _chosen(
    structure: Structure, backend: str, events: jax.Array, weight: jax.Array, arrays: Arrays,
    sharing: tuple[Sharing, Sharing],
) -> jax.Array:  # fmt: skip
    """The product by the way that is cheapest on the device for which it is compiled."""
    on_cpu = functools.partial(_on_cpu, structure, backend, sharing)
    if jax.default_backend() == "cpu":
        return on_cpu(events, weight, arrays)
    elsewhere = functools.partial(_everywhere, structure, sharing)
    return lax.platform_dependent(events, weight, arrays, cpu=on_cpu, default=elsewhere)


def _on_cpu(
    structure: Structure, backend: str, sharing: tuple[Sharing, Sharing],
    events: jax.Array, weight: jax.Array, arrays: Arrays,
) -> jax.Array:  # fmt: skip
    native = backend == "native" and native_takes(events, weight)
    if native and not isinstance(structure, AllToAll):
        return native_product(structure, events, weight, arrays, sharing)
    levels = spike_search.levels_of(events.reshape(-1) != 0)
    few = spike_search.count(levels) <= _worthwhile(structure, native, events, arrays)

    def event_by_event(*operands: Any) -> jax.Array:
        events, weight, arrays = operands
        if native:
            return native_product(structure, events, weight, arrays, sharing)
        return by_rows(structure, levels, events, weight, arrays, sharing)

    everywhere = functools.partial(_everywhere, structure, sharing)
    return lax.cond(few, event_by_event, everywhere, events, weight, arrays)


def _worthwhile(structure: Structure, native: bool, events: jax.Array, arrays: Arrays) -> int:
    """Up to how many events one by one are cheaper than all synapses at once."""
    length = structure.row_length(arrays)
    synapses = events.size * length
    if not isinstance(structure, AllToAll):
        return int(synapses * _ADD / (_TURN + length * _ADD_IN_TURN))
    at_once = synapses * (_MATVEC if events.shape[0] < 4 else _MATMUL)
    each = length * _NATIVE_ADD if native else _TURN + length * _NATIVE_ADD
    return int(at_once / each)


def _everywhere(
    structure: Structure, sharing: tuple[Sharing, Sharing], events: jax.Array, weight: jax.Array,
    arrays: Arrays,
) -> jax.Array:  # fmt: skip
    """The product over all synapses, for each sample those that it uses."""
    of_weight, of_arrays = sharing
    if of_weight.count == of_arrays.count == 1:
        return structure.everywhere(events, weight[0], tuple(x[0] for x in arrays))
    batch = events.shape[0]
    weight, weight_axis = _for_each(weight, of_weight, batch)
    pairs = [_for_each(x, of_arrays, batch) for x in arrays]
    arrays, axes = tuple(x for x, _ in pairs), tuple(axis for _, axis in pairs)
    return jax.vmap(structure.everywhere, in_axes=(0, weight_axis, axes))(events, weight, arrays)


def _for_each(x: jax.Array, sharing: Sharing, batch: int) -> tuple[jax.Array, int | None]:
    if sharing.count == 1:
        return x[0], None
    return (x if sharing == Sharing(1, batch) else x[sharing.lanes(batch)]), 0
