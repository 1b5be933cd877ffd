"""Loops that store few intermediate values for the backward pass and compute the rest again."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax

from .loops import as_scan_body, check_loop, compiled_loop, only_outputs, run_loop
from .progress import ProgressBar, ProgressBarRunner
from .recording import Named
from .schedules import checkpointed_steps
from .watched_loops import bar_for


def checkpointed_scan(
    f: Callable,
    init: Any,
    xs: Any,
    length: int | None = None,
    base: int = 16,
    pbar: ProgressBar | None = None,
    record: Any = None,
) -> Any:
    """`scan` whose gradient needs memory for about ``base * log(length) / log(base)`` steps.

    The loop becomes a tree of loops of `base` steps each, and every inner one is computed again in
    the backward pass. Values, final States and gradients are those of `scan`, and so is `record`;
    only that every step has its entry until the loop is over, whatever the stride.

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
    funs, args = (f, *metrics), (init, xs)
    with jax.disable_jit(False):  # a tree of loops is no help to a debugger
        return compiled_loop(
            "checkpointed_scan", _checkpointed_scan, funs, args, static, record, None
        )


def check_base(loop: str, base: Any) -> None:
    """A tree of loops needs at least two branches at each level."""
    if isinstance(base, bool) or not isinstance(base, int) or base < 2:
        raise ValueError(f"{loop}: base must be at least 2; found {base!r}. [BST-A02]")


def checkpointed_for_loop(
    f: Callable,
    *xs: Any,
    length: int | None = None,
    base: int = 16,
    pbar: ProgressBar | None = None,
    record: Any = None,
) -> Any:
    """`for_loop` with the memory of `checkpointed_scan`."""
    length = check_loop("checkpointed_for_loop", f, xs, length)
    step = as_scan_body(f)
    return only_outputs(checkpointed_scan(step, None, xs, length, base, pbar, record), record)


def _checkpointed_scan(
    funs: tuple,
    init: Any,
    xs: Any,
    length: int,
    base: int,
    bar: ProgressBarRunner | None = None,
    record: Named | None = None,
) -> Any:
    run = functools.partial(checkpointed_steps, base=base)
    return run_loop("checkpointed_scan", run, funs, init, xs, length, record, bar)
