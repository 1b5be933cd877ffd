"""Connectivity that is drawn anew from a seed at each use, so that it needs no memory.

Target `k` of neuron `i` is ``(m(m(m(seed) + i) + k) · n) >> 32``, where `m` is the finalizer of
MurmurHash3 (A. Appleby, 2011, public domain) on 32-bit words. `native/rows.h` has the same formula.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

_HALF = 16


def drawn_targets(seed: jax.Array, pre: jax.Array, fan_out: int, n_post: int) -> jax.Array:
    """The targets of the neurons `pre`, a row for each."""
    rows = _mixed(_mixed(seed.astype(jnp.uint32)) + pre.astype(jnp.uint32))
    draws = _mixed(rows[:, None] + jnp.arange(fan_out, dtype=jnp.uint32))
    return _high_word(draws, n_post).astype(jnp.int32)


def _mixed(x: jax.Array) -> jax.Array:
    x = (x ^ (x >> 16)) * jnp.uint32(0x85EBCA6B)
    x = (x ^ (x >> 13)) * jnp.uint32(0xC2B2AE35)
    return x ^ (x >> 16)


def _high_word(draws: jax.Array, n: int) -> jax.Array:
    """``(draws · n) >> 32`` without 64-bit integers, by halves of 16 bits."""
    mask = jnp.uint32((1 << _HALF) - 1)
    low, high = draws & mask, draws >> _HALF
    n_low, n_high = jnp.uint32(n & ((1 << _HALF) - 1)), jnp.uint32(n >> _HALF)
    middle = high * n_low + ((low * n_low) >> _HALF)
    crossed = low * n_high + (middle & mask)
    return high * n_high + (middle >> _HALF) + (crossed >> _HALF)
