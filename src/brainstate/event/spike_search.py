"""Finding the few events among many neurons, in operations that XLA compiles well on a CPU.

Neurons with an event are set bits of 32-bit words, words with a set bit are set bits of words of
the next level, and so on to a single word. So the next event is a few bit operations away, however
many neurons are silent, and none is left out however many spike at once.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from ..util.bits import packed

Levels = list[jax.Array]


class Position(NamedTuple):
    """Where a search stands: per level, the bits of the present word to come, and its index."""

    rest: tuple[jax.Array, ...]
    word: tuple[jax.Array, ...]


def levels_of(active: jax.Array) -> Levels:
    """The words of each level for a vector of bools; bit `j` of `n` words stands for `j n + i`."""
    levels = [packed(active, jnp.uint32)]
    while levels[-1].size > 1:
        levels.append(packed(levels[-1] != 0, jnp.uint32))
    return levels


def count(levels: Levels) -> jax.Array:
    """The number of set bits."""
    return jnp.sum(lax.population_count(levels[0]), dtype=jnp.int32)


def start(levels: Levels) -> Position:
    """The position before the first event."""
    empty, top = jnp.uint32(0), levels[-1][0]
    return Position((empty,) * (len(levels) - 1) + (top,), (jnp.int32(0),) * len(levels))


def more(position: Position) -> jax.Array:
    """Whether there is an event behind this position."""
    found = position.rest[0]
    for rest in position.rest[1:]:
        found = found | rest
    return found != 0


def advance(levels: Levels, position: Position) -> tuple[jax.Array, Position]:
    """The index of the next event, and the position behind it."""
    rest, word = list(position.rest), list(position.word)
    moves = [jnp.bool_(True)]  # a level moves on if the words of all levels below are used up
    for below in rest[:-1]:
        moves.append(moves[-1] & (below == 0))
    for level in reversed(range(len(levels))):
        lowest = rest[level] & (~rest[level] + jnp.uint32(1))
        bit = lax.population_count(lowest - jnp.uint32(1)).astype(jnp.int32)
        index = bit * levels[level].size + word[level]
        rest[level] = jnp.where(moves[level], rest[level] ^ lowest, rest[level])
        if level:
            lower = levels[level - 1]
            word[level - 1] = jnp.where(moves[level], index, word[level - 1])
            found = lower[jnp.minimum(word[level - 1], lower.size - 1)]
            rest[level - 1] = jnp.where(moves[level], found, rest[level - 1])
    return index, Position(tuple(rest), tuple(word))
