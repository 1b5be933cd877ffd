"""Loops that store few intermediate values for the backward pass and compute the rest again."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from .._engine.frames import commit
from .._engine.hidden import show
from .compiled_call import compiled_call
from .loops import as_scan_body, check_loop, step_of, trace_body
from .progress import ProgressBar, ProgressBarRunner
from .watched_loops import bar_for, metrics_of, watched


def checkpointed_scan(
    f: Callable,
    init: Any,
    xs: Any,
    length: int | None = None,
    base: int = 16,
    pbar: ProgressBar | None = None,
) -> tuple[Any, Any]:
    """`scan` whose gradient needs memory for about ``base * log(length) / log(base)`` steps.

    The loop becomes a tree of loops of `base` steps each, and every inner one is computed again in
    the backward pass. Values, final States and gradients are those of `scan`.

    >>> import brainstate, jax.numpy as jnp
    >>> carry, ys = brainstate.compile.checkpointed_scan(
    ...     lambda c, x: (c + x, c), 0.0, jnp.arange(20.0), base=4
    ... )
    >>> float(carry)
    190.0
    """
    length = check_loop("checkpointed_scan", f, xs, length)
    check_base("checkpointed_scan", base)
    bar, metrics = bar_for("checkpointed_scan", pbar, length)
    static = {"length": length, "base": base, "bar": bar}
    with jax.disable_jit(False):  # a tree of loops is no help to a debugger
        return compiled_call(_checkpointed_scan, (f, *metrics), (init, xs), static)


def check_base(loop: str, base: Any) -> None:
    """A tree of loops needs at least two branches at each level."""
    if isinstance(base, bool) or not isinstance(base, int) or base < 2:
        raise ValueError(f"{loop}: base must be at least 2; found {base!r}.")


def checkpointed_for_loop(
    f: Callable,
    *xs: Any,
    length: int | None = None,
    base: int = 16,
    pbar: ProgressBar | None = None,
) -> Any:
    """`for_loop` with the memory of `checkpointed_scan`."""
    length = check_loop("checkpointed_for_loop", f, xs, length)
    return checkpointed_scan(as_scan_body(f), None, xs, length, base, pbar)[1]


def _checkpointed_scan(
    funs: tuple, init: Any, xs: Any, length: int, base: int, bar: ProgressBarRunner | None
) -> tuple[Any, Any]:
    program, init, values = trace_body("checkpointed_scan", funs[0], init, xs, length)
    states = program.writes

    def step(carry: tuple, x: Any) -> tuple:
        return step_of(program, values, carry, x)

    show_metrics = metrics_of(funs[1:], program, values, program.out_type()[1])
    carry = (init, [values[state] for state in states])
    body, start, leave = watched(bar, step, carry, show_metrics, xs)
    last, ys = checkpointed_steps(body, start, xs, length, base)
    carry, final = leave(last)
    commit(states, final)
    return show(carry), ys


def checkpointed_steps(
    step: Callable, carry: Any, xs: Any, length: int, base: int
) -> tuple[Any, Any]:
    """`jax.lax.scan(step, carry, xs)` as a tree of rematerialised loops.

    The leading axis is cut into blocks of a power of `base`; what is left over runs as smaller
    blocks, so that no step is padded or masked.
    """
    if length <= base:
        return jax.lax.scan(step, carry, xs, length)
    block = base ** (math.ceil(math.log(length) / math.log(base) - 1e-9) - 1)
    blocks, rest = divmod(length, block)
    head = jax.tree.map(lambda x: jnp.asarray(x)[: blocks * block], xs)
    head = jax.tree.map(lambda x: x.reshape(blocks, block, *x.shape[1:]), head)

    @jax.checkpoint
    def run_block(carry: Any, xs: Any) -> tuple[Any, Any]:
        return checkpointed_steps(step, carry, xs, block, base)

    carry, ys = jax.lax.scan(run_block, carry, head, blocks)
    ys = jax.tree.map(lambda y: y.reshape(blocks * block, *y.shape[2:]), ys)
    if not rest:
        return carry, ys
    tail = jax.tree.map(lambda x: jnp.asarray(x)[blocks * block :], xs)
    run_rest = jax.checkpoint(lambda c, x: checkpointed_steps(step, c, x, rest, base))
    carry, last = run_rest(carry, tail)
    return carry, jax.tree.map(lambda a, b: jnp.concatenate([a, b]), ys, last)
