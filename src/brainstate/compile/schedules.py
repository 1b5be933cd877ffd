"""Loops that store little for the backward pass, and compute the rest again."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import jax

from .loop_blocks import in_blocks


def checkpointed_steps(
    step: Callable,
    carry: Any,
    xs: Any,
    length: int,
    base: int,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """`jax.lax.scan(step, carry, xs)` as a tree of rematerialised loops.

    The leading axis is cut into blocks of a power of `base`; what is left over runs as smaller
    blocks.
    """
    if length <= base:
        return jax.lax.scan(step, carry, xs, length, reverse=reverse, unroll=unroll)
    size = base ** (math.ceil(math.log(length) / math.log(base) - 1e-9) - 1)

    def within(carry: Any, xs: Any, length: int) -> tuple[Any, Any]:
        return checkpointed_steps(step, carry, xs, length, base, reverse, unroll)

    @jax.checkpoint
    def block(carry: Any, xs: Any) -> tuple[Any, Any]:
        carry, ys = within(carry, xs, size)
        return carry, (ys, None)

    def rest(carry: Any, xs: Any, left: int) -> tuple[Any, Any]:
        return jax.checkpoint(lambda carry, xs: within(carry, xs, left))(carry, xs)

    carry, ys, _ = in_blocks(block, rest, carry, xs, length, size, length // size, reverse)
    return carry, ys


@dataclasses.dataclass(frozen=True)
class Blocks:
    """`count` blocks of `size` steps that are computed again backwards; the steps after them not.

    Of a step that is differentiated, `policy` says what is stored, as in `jax.checkpoint`; None:
    all that its derivative needs. Without blocks, this is one loop.
    """

    count: int = 0
    size: int = 1
    policy: Callable | None = None

    def run(
        self,
        step: Callable,
        carry: Any,
        xs: Any,
        length: int,
        reverse: bool = False,
        unroll: int | bool = 1,
    ) -> tuple[Any, Any]:
        """``jax.lax.scan(step, carry, xs, length)``."""
        if self.policy is not None:
            step = jax.checkpoint(step, policy=self.policy, prevent_cse=False)

        def scan(carry: Any, xs: Any, length: int) -> tuple[Any, Any]:
            return jax.lax.scan(step, carry, xs, length, reverse=reverse, unroll=unroll)

        if not self.count:
            return scan(carry, xs, length)

        # XLA cannot undo it, since forward and backward pass are loops of their own.
        @functools.partial(jax.checkpoint, prevent_cse=False)
        def block(carry: Any, xs: Any) -> tuple[Any, Any]:
            carry, ys = step(carry, xs) if self.size == 1 else scan(carry, xs, self.size)
            return carry, (ys, None)

        carry, ys, _ = in_blocks(block, scan, carry, xs, length, self.size, self.count, reverse)
        return carry, ys
