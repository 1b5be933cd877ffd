"""Flags packed into words."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def packed(flags: jax.Array, word: type = jnp.uint8) -> jax.Array:
    """One bit for each flag of a vector: bit ``b`` of word ``i`` of `n` tells of ``b n + i``.

    Flags of one word lie far apart, so that all words are made by the same few vector operations.
    """
    width = jnp.iinfo(word).bits
    words = -(-flags.size // width)
    rows = jnp.pad(flags, (0, width * words - flags.size)).reshape(width, words)
    places = jnp.arange(width, dtype=word)[:, None]
    return jnp.sum(rows.astype(word) << places, axis=0, dtype=word)
