"""A loop cut into blocks of equal length, and the steps left over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def in_blocks(
    block: Callable,
    rest: Callable,
    carry: Any,
    xs: Any,
    length: int,
    size: int,
    count: int,
    reverse: bool = False,
) -> tuple[Any, Any, Any]:
    """Scan ``block(carry, xs) -> carry, (ys, extra)`` over `count` blocks of `size` steps.

    Blocks of one step get its `xs` without an axis for them. What is left over runs afterwards as
    ``rest(carry, xs, length) -> carry, ys``, so that no step is padded or masked. Returns the
    carry, the outputs of all steps, and one `extra` for each block, all in the order of `xs`.
    """
    left = length - count * size
    head, tail = _split(jax.tree.map(jnp.asarray, xs), length, left, reverse)
    if size > 1:
        head = jax.tree.map(lambda x: x.reshape(count, size, *x.shape[1:]), head)
    carry, (ys, extra) = jax.lax.scan(block, carry, head, count, reverse=reverse)
    if size > 1:
        ys = jax.tree.map(lambda y: y.reshape(y.shape[0] * y.shape[1], *y.shape[2:]), ys)
    if left:
        carry, last = rest(carry, tail, left)
        ys = jax.tree.map(lambda a, b: jnp.concatenate([b, a] if reverse else [a, b]), ys, last)
    return carry, ys, extra


def _split(xs: Any, length: int, left: int, reverse: bool) -> tuple[Any, Any]:
    """The steps that run first, and the `left` ones that run last."""
    cut = left if reverse else length - left
    low = jax.tree.map(lambda x: x[:cut], xs)
    high = jax.tree.map(lambda x: x[cut:], xs)
    return (high, low) if reverse else (low, high)
