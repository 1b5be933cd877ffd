"""`while_loop` and its bounded, reverse-differentiable form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from .._engine.frames import commit
from .._engine.hidden import hide, show
from .._engine.jax_api import is_tracer
from .._engine.names import describe
from .._engine.program import Program, outer_values, trace
from .checkpointed_loops import check_base
from .compiled_call import compiled_call
from .eager import runs_eagerly
from .loop_types import settle, show_type
from .progress import ProgressBar, ProgressBarRunner
from .schedules import checkpointed_steps
from .watched_loops import bar_for, metrics_of, plain_metrics, watched

T = TypeVar("T")


def while_loop(
    cond_fun: Callable[[T], Any],
    body_fun: Callable[[T], T],
    init_val: T,
    pbar: ProgressBar | None = None,
) -> T:
    """`jax.lax.while_loop`, whose test reads States and whose body reads and writes them.

    A test that writes a State raises ValueError. Forward-mode differentiable only; see
    `bounded_while_loop` for gradients.

    >>> import brainstate
    >>> brainstate.compile.while_loop(lambda i: i < 5, lambda i: i + 2, 0).item()
    6
    """
    _check_callables("while_loop", cond_fun, body_fun)
    bar, metrics = bar_for("while_loop", pbar, None)
    if runs_eagerly() and not is_tracer(first := cond_fun(init_val)):
        return _python_while(first, cond_fun, body_fun, init_val, bar, plain_metrics(metrics))
    funs = (cond_fun, body_fun, *metrics)
    with jax.disable_jit(False):  # the condition is not known: run the compiled loop
        return compiled_call(_while_loop, funs, (init_val,), {"bar": bar}, loop_body=1)


def bounded_while_loop(
    cond_fun: Callable[[T], Any],
    body_fun: Callable[[T], T],
    init_val: T,
    *,
    max_steps: int,
    base: int = 16,
    pbar: ProgressBar | None = None,
) -> T:
    """`while_loop` of at most `max_steps` steps, differentiable in reverse mode.

    Memory for gradients grows with ``base * log(max_steps) / log(base)``.

    >>> import brainstate, jax
    >>> def f(x):
    ...     return brainstate.compile.bounded_while_loop(
    ...         lambda v: v < 100, lambda v: v * v, x, max_steps=20
    ...     )
    >>> jax.grad(f)(3.0).item()  # 3 -> 9 -> 81 -> 6561 = 3 ** 8
    17496.0
    """
    _check_callables("bounded_while_loop", cond_fun, body_fun)
    if isinstance(max_steps, bool) or not isinstance(max_steps, int) or max_steps < 0:
        raise ValueError(
            f"max_steps must be a non-negative integer; found {max_steps!r}. [BST-A02]"
        )
    check_base("bounded_while_loop", base)
    if max_steps == 0:
        return init_val
    bar, metrics = bar_for("bounded_while_loop", pbar, max_steps)
    static = {"max_steps": max_steps, "base": base, "bar": bar}
    funs = (cond_fun, body_fun, *metrics)
    with jax.disable_jit(False):  # a tree of loops is no help to a debugger
        return compiled_call(_bounded_while_loop, funs, (init_val,), static, loop_body=1)


def _while_loop(funs: tuple, init: Any, bar: ProgressBarRunner | None) -> Any:
    test, step, carry, metrics, states = _steps("while_loop", funs, init)
    step, carry, leave = watched(bar, step, carry, metrics)
    last = jax.lax.while_loop(lambda c: test(c[0]), lambda c: step(c, None)[0], carry)
    out, final = leave(last)
    commit(states, final)
    return show(out)


def _bounded_while_loop(
    funs: tuple, init: Any, max_steps: int, base: int, bar: ProgressBarRunner | None
) -> Any:
    test, step, carry, metrics, states = _steps("bounded_while_loop", funs, init)

    def step_or_stay(carry: tuple, _: Any) -> tuple[tuple, Any]:
        go_on = test(carry)
        return jax.lax.cond(go_on, lambda c: step(c, None)[0], lambda same: same, carry), go_on

    def show_after(carry: tuple, _: Any) -> dict:
        return metrics(carry, carry[0])

    body, start, leave = watched(bar, step_or_stay, carry, show_after, counts=lambda went: went)
    last, _ = checkpointed_steps(body, start, jnp.arange(max_steps), max_steps, base)
    out, final = leave(last)
    commit(states, final)
    return show(out)


def _steps(loop: str, funs: tuple, init: Any) -> tuple[Callable, Callable, tuple, Callable, list]:
    """(test, step, first carry, metrics, States written); a carry is (the user's, their values)."""
    test, body, init, values = _trace_loop(loop, funs[:2], init)
    states = body.writes

    def current(carry: tuple) -> dict:
        return {**values, **dict(zip(states, carry[1], strict=True))}

    def go_on(carry: tuple) -> Any:
        return test(current(carry), carry[0])[0]

    def step(carry: tuple, _: Any) -> tuple[tuple, Any]:
        out, new = body.call_hidden(current(carry), carry[0])
        return (out, [new[state] for state in states]), out

    metrics = metrics_of(funs[2:], body, values, body.out_type())
    return go_on, step, (init, [values[state] for state in states]), metrics, states


def _trace_loop(loop: str, funs: tuple, init: Any) -> tuple[Program, Program, Any, dict]:
    cond_fun, body_fun = funs

    def trace_body(carry: Any, stand_ins: dict) -> tuple[Program, Any]:
        program = trace(body_fun, (carry,), repeats=True, stand_ins=stand_ins)
        return program, program.hidden_out_type()

    body, init, values = settle(loop, trace_body, hide(init))
    stand_ins = {state: values[state] for state in body.writes}
    test = trace(cond_fun, (init,), repeats=True, stand_ins=stand_ins)
    if test.effects:
        raise ValueError(
            f"The condition of {loop} writes {describe(test.effects[0])}; a condition may only "
            "read States. Write it in the body. [BST-L07]"
        )
    types = jax.tree.leaves(test.out_type())
    if len(types) != 1 or types[0].shape or types[0].dtype != bool:
        raise TypeError(
            f"The condition of {loop} must return one scalar boolean; it returned "
            f"{show_type(test.out_type())}. Use jnp.any(...) or jnp.all(...) for arrays. [BST-L06]"
        )
    return test, body, init, {**outer_values(test.reads), **values}


def _python_while(
    go_on: Any,
    cond_fun: Callable,
    body_fun: Callable,
    value: Any,
    bar: ProgressBarRunner | None,
    metrics: Callable,
) -> Any:
    """The loop under `jax.disable_jit`, for debuggers and prints."""

    def once(value: Any, _: Any) -> tuple[Any, Any]:
        value = body_fun(value)
        return value, value

    step, carry, leave = watched(bar, once, value, metrics)
    while bool(go_on):
        carry, _ = step(carry, None)
        go_on = cond_fun(carry[0])
    return leave(carry)


def _check_callables(name: str, *funs: Any) -> None:
    for fun in funs:
        if not callable(fun):
            raise TypeError(
                f"{name} needs functions for condition and body; found {fun!r}. [BST-A01]"
            )
