"""The product by rows of synapses in pure JAX: one turn of a loop for each event."""

from __future__ import annotations

from typing import Any

import jax
from jax import lax

from . import spike_search
from .lanes import Sharing
from .structures import Arrays, Structure


def by_rows(
    structure: Structure,
    sharing: tuple[Sharing, Sharing],
    levels: spike_search.Levels,
    base: jax.Array,
    events: jax.Array,
    weight: jax.Array,
    arrays: Arrays,
) -> jax.Array:
    """``base + events[batch, n_pre] @ synapses``; samples share weights and arrays."""
    flat = events.reshape(-1)
    dtype = base.dtype

    def turn(carry: tuple) -> tuple:
        out, position = carry
        index, position = spike_search.advance(levels, position)
        sample, pre = index // structure.n_pre, index % structure.n_pre
        own_weight = _entry(weight, sharing[0].entry(sample))
        own_arrays = tuple(_entry(x, sharing[1].entry(sample)) for x in arrays)
        event = flat[index].astype(dtype)

        def add_part(part: Any, out: jax.Array) -> jax.Array:
            targets, weights = structure.row(own_arrays, own_weight, pre, part)
            return _added(out, sample, targets, (event * weights).astype(dtype))

        parts = structure.parts(own_arrays, pre)
        out = add_part(0, out)  # most rows have one part; a loop of no turns costs little
        return (out if isinstance(parts, int) else lax.fori_loop(1, parts, add_part, out)), position

    start = base, spike_search.start(levels)
    return lax.while_loop(lambda carry: spike_search.more(carry[1]), turn, start)[0]


def _entry(x: jax.Array, entry: Any) -> jax.Array:
    return x[0] if x.shape[0] == 1 else lax.dynamic_index_in_dim(x, entry, keepdims=False)


def _added(out: jax.Array, sample: jax.Array, targets: Any, values: jax.Array) -> jax.Array:
    if targets is None:  # a whole row
        return out.at[sample].add(values)
    if out.shape[0] == 1:
        return out.at[0, targets].add(values, mode="drop")
    return out.at[sample, targets].add(values, mode="drop")
