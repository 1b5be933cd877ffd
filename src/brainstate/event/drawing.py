"""How many synapses there are, and where they lead: drawn at random."""

from __future__ import annotations

import functools
import operator
from typing import Any

import jax
import jax.numpy as jnp

from ..init.sizes import needed_size
from ..random import DEFAULT, RandomState
from ..typing import SeedOrKey, Size

_TABLE = 2**25  # bytes of working memory


def neurons(size: Size, name: str) -> int:
    """A number of neurons, given as an integer or a tuple of one."""
    found = needed_size(size, name)
    if len(found) != 1 or found[0] < 1:
        raise ValueError(
            f"`{name}` must be a positive number of neurons; found {size!r}. [BST-A02]"
        )
    return found[0]


def share(prob: Any, n_post: int, name: str = "prob") -> int:
    """How many neurons this share of those behind is."""
    if not 0 <= prob <= 1:
        raise ValueError(f"`{name}` must be between 0 and 1; found {prob!r}. [BST-A02]")
    return int(n_post * prob + 1e-6)  # 0.29 * 100 is 28.999...


def number_or_share(amount: Any, n_post: int, name: str) -> int:
    """How many neurons behind: an integer, or a share of them as a float."""
    try:
        return operator.index(amount)
    except TypeError:
        return share(amount, n_post, name)


def targets(shape: tuple[int, int], count: int, repeats: bool, seed: SeedOrKey | None) -> jax.Array:
    """`count` random targets for each neuron before, from the default generator or of a seed."""
    n_pre, n_post = shape
    _check_count(count, n_post)
    generator = _generator(seed)
    if repeats:
        return generator.randint(0, n_post, size=(n_pre, count))
    if count > n_post:
        raise ValueError(
            f"{count} synapses from each neuron cannot lead to {n_post} neurons without repeats; "
            "give fewer, or allow_multi_conn=True. [BST-E03]"
        )
    return _distinct(generator.split_key(), n_pre, n_post, count)


def seed_word(shape: tuple[int, int], count: int, seed: SeedOrKey | None) -> jax.Array:
    """32 random bits that targets can be drawn from again and again."""
    _check_count(count, shape[1])
    return jax.random.bits(_generator(seed).split_key(), dtype=jnp.uint32)


def _generator(seed: SeedOrKey | None) -> RandomState:
    return DEFAULT if seed is None else RandomState(seed)


def _check_count(count: int, n_post: int) -> None:
    if count < 1:
        raise ValueError(
            f"Each neuron needs at least one synapse; found {count} to {n_post} neurons. Give a "
            "larger number or share. [BST-A02]"
        )


@functools.partial(jax.jit, static_argnums=(1, 2, 3))
def _distinct(key: jax.Array, n_pre: int, n_post: int, count: int) -> jax.Array:
    """Rows of `count` different numbers below `n_post` (Floyd's algorithm: Bentley & Floyd 1987).

    Of each pair of a number drawn up to a last one and that last one, the first is chosen unless
    it was chosen before; the last one cannot have been.
    """
    last = jnp.arange(n_post - count, n_post)

    def row(key: jax.Array) -> jax.Array:
        def choose(taken: jax.Array, pair: tuple) -> tuple[jax.Array, jax.Array]:
            drawn, last = pair
            target = jnp.where(taken[drawn], last, drawn)
            return taken.at[target].set(True), target

        drawn = jax.random.randint(key, (count,), 0, last + 1)
        return jax.lax.scan(choose, jnp.zeros(n_post, bool), (drawn, last))[1]

    rows = max(1, min(n_pre, _TABLE // n_post))  # not all at once: they need a table of this size
    return jax.lax.map(row, jax.random.split(key, n_pre), batch_size=rows)
