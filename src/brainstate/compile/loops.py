"""`scan` and `for_loop`: loops of known length that collect what each step returns."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from .._engine.frames import commit
from .._engine.hidden import hide, is_graph, show
from .._engine.names import describe, function_name
from .._engine.program import Program, trace
from .compiled_call import compiled_call
from .eager import runs_eagerly
from .loop_types import refuse_made_nodes, settle
from .progress import ProgressBar, ProgressBarRunner
from .watched_loops import bar_for, metrics_of, plain_metrics, watched

Carry = TypeVar("Carry")


def scan(
    f: Callable[[Carry, Any], tuple[Carry, Any]],
    init: Carry,
    xs: Any,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    pbar: ProgressBar | None = None,
) -> tuple[Carry, Any]:
    """`jax.lax.scan`, whose body reads and writes States.

    Returns the final carry and the stacked outputs. States written in the body are carried along
    and end with the value of the last step. They keep tree, shape, dtype and unit (TypeError).

    >>> import brainstate, jax.numpy as jnp
    >>> total = brainstate.State(0.0)
    >>> def body(carry, x):
    ...     total.value += x
    ...     return carry * 2 + x, carry
    >>> carry, ys = brainstate.compile.scan(body, 1.0, jnp.arange(3.0))
    >>> float(carry), float(total.value)
    (12.0, 3.0)
    """
    length = check_loop("scan", f, xs, length)
    bar, metrics = bar_for("scan", pbar, length)
    if runs_eagerly() and length > 0:
        return _python_scan(f, init, xs, length, reverse, bar, plain_metrics(metrics))
    static = {"length": length, "reverse": reverse, "unroll": unroll, "bar": bar}
    with jax.disable_jit(False):  # only a loop of no steps comes here otherwise
        return compiled_call(_scan, (f, *metrics), (init, xs), static)


def for_loop(
    f: Callable[..., Any],
    *xs: Any,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    pbar: ProgressBar | None = None,
) -> Any:
    """Call `f(*slices)` for each slice along the first axis of `xs`; return the stacked results.

    Without `xs`, `f()` is called `length` times.

    >>> import brainstate, jax.numpy as jnp
    >>> brainstate.compile.for_loop(lambda x, y: x + y, jnp.arange(3), jnp.arange(3))
    Array([0, 2, 4], dtype=int32)
    """
    length = check_loop("for_loop", f, xs, length)
    if runs_eagerly() or pbar is not None:
        step = as_scan_body(f)
        return scan(step, None, xs, length, reverse, unroll, pbar)[1]
    static = {"length": length, "reverse": reverse, "unroll": unroll}
    return compiled_call(_for_loop, (f,), (xs,), static)


def as_scan_body(f: Callable[..., Any]) -> Callable[[None, tuple], tuple[None, Any]]:
    """The body of a scan that only collects."""

    def step(carry: None, xs: tuple) -> tuple[None, Any]:
        return None, f(*xs)

    step.__name__ = function_name(f)
    return step


def _for_loop(funs: tuple, xs: Any, **static: Any) -> Any:
    return _scan((as_scan_body(funs[0]),), None, xs, **static)[1]


def _scan(
    funs: tuple,
    init: Any,
    xs: Any,
    length: int,
    reverse: bool,
    unroll: int | bool,
    bar: ProgressBarRunner | None = None,
) -> Any:
    program, init, values = trace_body("the loop", funs[0], init, xs, length)
    states = program.writes

    def step(carry: tuple, x: Any) -> tuple:
        return step_of(program, values, carry, x)

    show_metrics = metrics_of(funs[1:], program, values, program.out_type()[1])
    carry = (init, [values[state] for state in states])
    body, start, leave = watched(bar, step, carry, show_metrics, xs)
    last, ys = jax.lax.scan(body, start, xs, length, reverse=reverse, unroll=unroll)
    final_carry, final = leave(last)
    commit(states, final)
    return show(final_carry), ys


def trace_body(
    loop: str, f: Callable, init: Any, xs: Any, length: int
) -> tuple[Program, Any, dict]:
    """Trace a scan body on one slice of `xs`."""
    first = one_slice(xs, length)

    def trace_once(carry: Any, stand_ins: dict) -> tuple[Program, Any]:
        program = trace(f, (carry, first), repeats=True, stand_ins=stand_ins)
        out = program.hidden_out_type()
        if not (isinstance(out, (tuple, list)) and len(out) == 2):
            raise TypeError(
                f"The body of {loop} must return a pair (carry, output); it returned "
                f"{type(out).__name__}."
            )
        refuse_made_nodes(loop, program)
        for leaf in filter(is_graph, jax.tree.leaves(show(out[1]))):
            raise TypeError(
                f"{loop} stacks the outputs of its steps; {describe(leaf)} cannot be stacked. "
                "Return its value."
            )
        return program, out[0]

    return settle(loop, trace_once, hide(init))


def step_of(program: Program, values: dict, carry: tuple, x: Any) -> tuple[tuple, Any]:
    """One step of a loop whose carry is (the user's carry, the written States' values)."""
    user, written = carry
    states = program.writes
    values = {**values, **dict(zip(states, written, strict=True))}
    (user, y), new = program.call_hidden(values, user, x)
    return (user, [new[state] for state in states]), y


def one_slice(xs: Any, length: int) -> Any:
    """The type of one slice along the first axis."""
    if length == 0:
        return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), xs)
    return jax.eval_shape(lambda xs: jax.tree.map(lambda x: x[0], xs), xs)


def check_loop(name: str, f: Any, xs: Any, length: int | None) -> int:
    """Validate the arguments of a loop; returns the number of steps."""
    if not callable(f):
        raise TypeError(f"{name} needs a function as body; found {f!r}.")
    lengths = {} if length is None else {"`length`": _as_count(name, length)}
    for path, leaf in jax.tree_util.tree_leaves_with_path(xs):
        where = f"xs{jax.tree_util.keystr(path)}"
        if not getattr(leaf, "shape", ()):
            raise ValueError(
                f"{name} loops over the first axis of its inputs; {where} is {leaf!r}, which has "
                "none. Close over what stays the same in every step."
            )
        lengths[where] = leaf.shape[0]
    if not lengths:
        raise ValueError(f"{name} got neither inputs to loop over nor a `length`.")
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{where}: {n}" for where, n in lengths.items())
        raise ValueError(f"{name} needs inputs of one length along the first axis; found {found}.")
    return next(iter(lengths.values()))


def _as_count(name: str, length: Any) -> int:
    try:
        count = operator.index(length)
    except TypeError:
        raise TypeError(f"{name} needs an integer as length; found {length!r}.") from None
    if count < 0:
        raise ValueError(f"{name} needs a length of 0 or more; found {count}.")
    return count


def _python_scan(
    f: Callable,
    init: Any,
    xs: Any,
    length: int,
    reverse: bool,
    bar: ProgressBarRunner | None,
    metrics: Callable,
) -> tuple[Any, Any]:
    """The loop under `jax.disable_jit`, for debuggers and prints."""
    f, carry, leave = watched(bar, f, init, metrics, xs)
    ys: list[Any] = []
    for i in reversed(range(length)) if reverse else range(length):
        carry, y = f(carry, jax.tree.map(lambda x: x[i], xs))  # noqa: B023
        ys.append(y)
    ys = ys[::-1] if reverse else ys
    return leave(carry), jax.tree.map(lambda *leaves: jnp.stack(leaves), *ys)
