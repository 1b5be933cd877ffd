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
from .backends import backend
from .lanes import Sharing, merged
from .native.calls import native_product, native_takes
from .rows import by_rows
from .structures import AllToAll, Arrays, Structure

# What one step takes on a CPU, in nanoseconds, measured (benchmarks/README.md, "Event products").
_TURN, _ADD_IN_TURN = 800.0, 1.2
_ADD, _MATMUL, _MATVEC = 0.9, 0.02, 0.12
_ROW_ADD = 0.2  # by vector instructions, of a row that is not in the cache


def product(
    structure: Structure, base: jax.Array, events: jax.Array, weight: jax.Array, arrays: Arrays
) -> jax.Array:
    """``base + events[..., n_pre] @ synapses``, for one set of weights and arrays.

    `base` has the shape and dtype of the result, which may take its place in memory.
    """
    structure.check(weight, arrays)
    if structure.n_pre == 0 or base.size == 0:
        return base
    rows = base.reshape(-1, structure.n_post), events.reshape(-1, structure.n_pre)
    return _product(structure, backend().name, *rows, weight, arrays).reshape(base.shape)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _product(
    structure: Structure,
    backend: str,
    base: jax.Array,
    events: jax.Array,
    weight: jax.Array,
    arrays: Arrays,
) -> jax.Array:
    one = Sharing(1, 1)
    weight, arrays = weight[None], tuple(x[None] for x in arrays)
    run = _of_lanes(structure, backend, jax.default_backend(), (one, one))
    return run(base, events, weight, arrays)


@_product.defjvp
def _product_jvp(structure: Structure, backend: str, primals: tuple, tangents: tuple) -> tuple:
    (base, events, weight, arrays), (d_base, d_events, d_weight, _) = primals, tangents
    out = _product(structure, backend, base, events, weight, arrays)
    if not _is_real(out):
        return out, d_base
    tangent = d_base
    if _is_real(events):
        tangent += structure.everywhere(d_events, weight, arrays)
    if _is_real(weight):
        if weight.ndim == 0:
            zeros, one = jnp.zeros_like(base), jnp.ones((), weight.dtype)
            tangent += _product(structure, backend, zeros, events, one, arrays) * d_weight
        else:
            tangent += structure.everywhere(events, d_weight, arrays)
    return out, tangent.astype(out.dtype)


def _is_real(x: jax.Array) -> bool:
    return jnp.issubdtype(x.dtype, jnp.inexact)


@functools.cache
def _of_lanes(
    structure: Structure, backend: str, platform: str, sharing: tuple[Sharing, Sharing]
) -> Any:
    """The product of ``events[batch, n_pre]``, with weights and arrays that samples share."""

    @jax.custom_batching.custom_vmap
    def of_lanes(
        base: jax.Array, events: jax.Array, weight: jax.Array, arrays: Arrays
    ) -> jax.Array:
        return _chosen(structure, backend, platform, sharing, base, events, weight, arrays)

    @of_lanes.def_vmap
    def of_more_lanes(
        n_lanes: int, batched: Any, base: Any, events: Any, weight: Any, arrays: Any
    ) -> tuple[jax.Array, bool]:
        on_base, on_events, on_weight, on_arrays = batched
        batch = events.shape[-2]
        base, events = _in_lanes(n_lanes, (base, events), (on_base, on_events))
        if any(on_arrays):
            arrays = _in_lanes(n_lanes, arrays, on_arrays)
        weight, of_weight = merged(weight, on_weight, sharing[0], batch, n_lanes)
        shared = [merged(x, any(on_arrays), sharing[1], batch, n_lanes) for x in arrays]
        of_arrays = shared[0][1] if shared else sharing[1]
        run = _of_lanes(structure, backend, platform, (of_weight, of_arrays))
        rows = base.reshape(-1, structure.n_post), events.reshape(-1, structure.n_pre)
        out = run(*rows, weight, tuple(x for x, _ in shared))
        return out.reshape(n_lanes, batch, structure.n_post), True

    return jax.jit(of_lanes, inline=True)


def _in_lanes(n_lanes: int, operands: Any, batched: Any) -> tuple[jax.Array, ...]:
    """Operands that all have an axis of lanes."""
    pairs = zip(operands, batched, strict=True)
    return tuple(x if on else jnp.broadcast_to(x, (n_lanes, *x.shape)) for x, on in pairs)


def _chosen(
    structure: Structure,
    backend: str,
    platform: str,
    sharing: tuple[Sharing, Sharing],
    *operands: Any,
) -> jax.Array:
    """The product by the way that is cheapest on the device for which it is compiled."""
    on_cpu = functools.partial(_on_cpu, structure, backend, sharing)
    if platform == "cpu":
        return on_cpu(*operands)
    elsewhere = functools.partial(_everywhere, structure, sharing)
    return lax.platform_dependent(*operands, cpu=on_cpu, default=elsewhere)


def _on_cpu(
    structure: Structure, backend: str, sharing: tuple[Sharing, Sharing],
    base: jax.Array, events: jax.Array, weight: jax.Array, arrays: Arrays,
) -> jax.Array:  # fmt: skip
    native = backend == "native" and native_takes(events, weight)
    if native and not isinstance(structure, AllToAll):
        return native_product(structure, sharing, base, events, weight, arrays)
    levels = spike_search.levels_of(events.reshape(-1) != 0)
    few = spike_search.count(levels) <= _worthwhile(structure, native, events, arrays)

    def event_by_event(*operands: Any) -> jax.Array:
        if native:
            return native_product(structure, sharing, *operands)
        return by_rows(structure, sharing, levels, *operands)

    everywhere = functools.partial(_everywhere, structure, sharing)
    return lax.cond(few, event_by_event, everywhere, base, events, weight, arrays)


def _worthwhile(structure: Structure, native: bool, events: jax.Array, arrays: Arrays) -> int:
    """Up to how many events one by one are cheaper than all synapses at once."""
    length = structure.row_length(arrays)
    synapses = events.size * length
    if not isinstance(structure, AllToAll):
        return int(synapses * _ADD / (_TURN + length * _ADD_IN_TURN))
    at_once = synapses * (_MATVEC if events.shape[0] < 4 else _MATMUL)
    each = length * _ROW_ADD if native else _TURN + length * _ROW_ADD
    return int(at_once / each)


def _everywhere(
    structure: Structure, sharing: tuple[Sharing, Sharing],
    base: jax.Array, events: jax.Array, weight: jax.Array, arrays: Arrays,
) -> jax.Array:  # fmt: skip
    """The product over all synapses, for each sample those that it uses."""
    of_weight, of_arrays = sharing
    if of_weight.entries == of_arrays.entries == 1:
        return base + structure.everywhere(events, weight[0], tuple(x[0] for x in arrays))
    batch = events.shape[0]
    weight, weight_axis = _for_each(weight, of_weight, batch)
    pairs = [_for_each(x, of_arrays, batch) for x in arrays]
    arrays, axes = tuple(x for x, _ in pairs), tuple(axis for _, axis in pairs)
    each = jax.vmap(structure.everywhere, in_axes=(0, weight_axis, axes))
    return base + each(events, weight, arrays)


def _for_each(x: jax.Array, sharing: Sharing, batch: int) -> tuple[jax.Array, int | None]:
    if sharing.entries == 1:
        return x[0], None
    return (x if sharing == Sharing(1, batch) else x[sharing.lanes(batch)]), 0
