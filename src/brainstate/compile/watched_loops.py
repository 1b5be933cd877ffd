"""The part of a progress bar that runs inside the loop.

The number of the run goes from the beginning through each move to the end, beside the carry. So
the moves keep their order, and none is repeated where a backward pass computes steps again: JAX
drops callbacks that are pure and whose result nobody needs.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._engine.names import describe
from .._engine.program import Program, outer_values, trace
from .._units import split
from .loop_types import show_type
from .progress import ProgressBar, ProgressBarRunner

Step = Callable[[Any, Any], tuple[Any, Any]]
Show = Callable[[Any, Any], dict]

_NUMBER = jax.ShapeDtypeStruct((), jnp.int32)


def bar_for(
    loop: str, pbar: ProgressBar | None, length: int | None
) -> tuple[ProgressBarRunner | None, tuple[Callable, ...]]:
    """The bar of a loop of this length, None where none is to be seen; and its metrics, if any."""
    if pbar is None:
        return None, ()
    if not isinstance(pbar, ProgressBar):
        raise TypeError(f"{loop}: pbar must be a ProgressBar; found {pbar!r}. [BST-A01]")
    if length == 0:
        return None, ()
    bar = pbar.init(length)
    if bar.options.get("disable") is True:
        return None, ()
    return bar, () if pbar.metrics is None else (pbar.metrics,)


def watched(
    bar: ProgressBarRunner | None,
    step: Step,
    carry: Any,
    show: Show,
    xs: Any = None,
    counts: Callable[[Any], Any] = lambda y: True,
) -> tuple[Step, Any, Callable[[Any], Any]]:
    """A loop with a bar: its step, its first carry, and what takes its last carry apart.

    Its carry is a pair of the given one and what the bar counts. `counts` tells by the output of a
    step whether it was one.
    """

    def watched_step(carry: tuple, x: Any) -> tuple[tuple, Any]:
        inner, counted = carry
        inner, y = step(inner, x)
        if bar is None:
            return (inner, counted), y
        run, done = counted
        went = counts(y)
        done = done + went
        moves = went & ((done % bar.freq == 0) | (done == (bar.n or 0)))

        def move(run: Any) -> Any:
            return _move(bar, run, done, moves, show(inner, y))

        return (inner, (jax.lax.cond(moves, move, lambda run: run, run), done)), y

    def leave(last: tuple) -> Any:
        inner, counted = last
        if bar is not None:
            run, done = counted
            jax.debug.callback(bar.close, _move(bar, run, done, True, {}))
        return inner

    if bar is None:
        return watched_step, (carry, ()), leave
    return watched_step, (carry, (_begin(bar, (carry, xs)), jnp.zeros((), jnp.int32))), leave


def _begin(bar: ProgressBarRunner, inputs: Any) -> jax.Array:
    """Open a bar once these inputs of the loop are there, not before."""
    leaves = map(jax.lax.stop_gradient, jax.tree.leaves(inputs))
    arrays = [x for x in map(jnp.asarray, leaves) if x.size]
    firsts = [x[(0,) * x.ndim] for x in arrays if not jnp.issubdtype(x.dtype, jax.dtypes.extended)]
    return jax.pure_callback(bar.begin, _NUMBER, *firsts, vmap_method="expand_dims")


def metrics_of(funs: tuple, program: Program, values: dict, output: Any) -> Show:
    """The metrics of a loop body, traced: ``show((carry, written States), output of the step)``."""
    if not funs:
        return lambda carry, y: {}
    metrics, states = funs[0], program.writes
    stand_ins = {state: values[state] for state in states}
    output = jax.tree.map(lambda aval: jax.ShapeDtypeStruct(aval.shape, aval.dtype), output)
    args = (output,) if _takes_output(metrics) else ()
    shown = trace(metrics, args, repeats=True, stand_ins=stand_ins)
    if shown.effects:
        raise ValueError(
            f"The metrics of a ProgressBar write {describe(shown.effects[0])}; they may only read "
            "States. Write it in the body. [BST-L07]"
        )
    values = {**outer_values(shown.reads), **values}

    def show(carry: tuple, y: Any) -> dict:
        now = {**values, **dict(zip(states, carry[1], strict=True))}
        return shown(now, *((y,) if args else ()))[0]

    return show


def plain_metrics(funs: tuple) -> Show:
    """The metrics of a loop that runs in Python."""
    if not funs:
        return lambda carry, y: {}
    takes = _takes_output(funs[0])
    return lambda carry, y: funs[0](y) if takes else funs[0]()


def _takes_output(metrics: Callable) -> bool:
    parameters = inspect.signature(metrics).parameters.values()
    return any(p.default is p.empty and p.kind in (0, 1) for p in parameters)


def _move(bar: ProgressBarRunner, run: Any, done: Any, moves: Any, metrics: Any) -> Any:
    if not isinstance(metrics, dict):
        raise TypeError(
            "The metrics of a ProgressBar must be a dict of names and numbers, as in "
            f'{{"loss": loss.value}}; found {show_type(metrics)}. [BST-A01]'
        )
    numbers, units = {}, {}
    for name, value in metrics.items():
        number, units[name] = split(value)
        if not isinstance(number, (bool, int, float, np.generic, np.ndarray, jax.Array)):
            raise TypeError(
                f"metric {name!r} of a ProgressBar is no number; found {value!r}. [BST-A01]"
            )
        if shape := jnp.shape(number):
            raise ValueError(
                f"metric {name!r} of a ProgressBar has the shape {shape}; a bar shows one number. "
                "Write `jnp.mean(...)` of it. [BST-A04]"
            )
        numbers[name] = jax.lax.stop_gradient(number)
    move = functools.partial(bar.move, units=units)
    return jax.pure_callback(move, _NUMBER, run, done, moves, numbers, vmap_method="expand_dims")
