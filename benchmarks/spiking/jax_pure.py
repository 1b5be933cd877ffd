"""Contender: a scan by hand in JAX alone; each turn of a loop finds a spike and adds its row.

Spikes are packed into words of 32 bits. Prefix sums of the words' counts tell in which word the
k-th spike is, and those within the word, which bit it is.
"""

from __future__ import annotations

import os

import jax
import jax.numpy as jnp
from jax_scan import builder
from serve import serve

LANES = jnp.arange(32, dtype=jnp.uint32)


def arrive(spikes: jax.Array, targets: jax.Array, weight: float, g: jax.Array) -> jax.Array:
    bits = jnp.pad(spikes, (0, -spikes.size % 32)).reshape(-1, 32)
    words = (bits.astype(jnp.uint32) << LANES).sum(axis=1, dtype=jnp.uint32)
    counts = jnp.cumsum(jax.lax.population_count(words).astype(jnp.int32))
    up_to = (2 << LANES) - 1  # of a word, the bits up to each lane

    def add_row(turn: tuple) -> tuple:
        k, g = turn
        at = (counts <= k).sum()
        word = words[at]
        rank = k - counts[at] + jax.lax.population_count(word).astype(jnp.int32)
        lane = (jax.lax.population_count(word & up_to).astype(jnp.int32) <= rank).sum()
        return k + 1, g.at[targets[32 * at + lane]].add(weight)

    return jax.lax.while_loop(lambda turn: turn[0] < counts[-1], add_row, (0, g))[1]


if __name__ == "__main__":
    os.environ["NPROC"] = "1"  # one thread, as all others
    serve(builder(arrive))
