"""`scan` and `for_loop`: loops of known length that collect what each step returns."""

from __future__ import annotations

import functools
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
from .loop_types import refuse_made_nodes, settle, show_type
from .memory_budget import as_bytes, steps_within
from .progress import ProgressBar, ProgressBarRunner
from .recording import Named, PythonRecording, Recording, Request, attach
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
    record: Any = None,
    memory: int | str | None = None,
) -> Any:
    """`jax.lax.scan`, whose body reads and writes States.

    Returns the final carry and the stacked outputs. States written in the body are carried along
    and end with the value of the last step. They keep tree, shape, dtype and unit (TypeError).
    `record` and `memory` are those of `for_loop`.

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
        return _python_scan(f, init, xs, length, reverse, bar, plain_metrics(metrics), record)
    static = {"length": length, "reverse": reverse, "unroll": unroll, "bar": bar}
    with jax.disable_jit(False):  # only a loop of no steps comes here otherwise
        return compiled_loop("scan", _scan, (f, *metrics), (init, xs), static, record, memory)


def for_loop(
    f: Callable[..., Any],
    *xs: Any,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    pbar: ProgressBar | None = None,
    record: Any = None,
    memory: int | str | None = None,
) -> Any:
    """Call `f(*slices)` for each slice along the first axis of `xs`; return the stacked results.

    Without `xs`, `f()` is called `length` times.

    `record`, a container of `Trace`, `Mean`, `Sum` and `SpikeTimes`, keeps States, or functions of
    States, as they are after the steps. The loop then returns ``(results, recorded)``.

    `memory`, in bytes or as in ``"64MB"``, limits what the loop stores for its backward pass; what
    does not fit is computed again, and no more (ValueError, with figures, if it cannot fit). It
    counts one lane of `vmap`, and assumes derivatives with respect to everything.

    >>> import brainstate, jax.numpy as jnp
    >>> brainstate.compile.for_loop(lambda x, y: x + y, jnp.arange(3), jnp.arange(3))
    Array([0, 2, 4], dtype=int32)
    """
    length = check_loop("for_loop", f, xs, length)
    if runs_eagerly() or pbar is not None:
        step = as_scan_body(f)
        return only_outputs(
            scan(step, None, xs, length, reverse, unroll, pbar, record, memory), record
        )
    static = {"length": length, "reverse": reverse, "unroll": unroll}
    return compiled_loop("for_loop", _for_loop, (f,), (xs,), static, record, memory)


def as_scan_body(f: Callable[..., Any]) -> Callable[[None, tuple], tuple[None, Any]]:
    """The body of a scan that only collects."""

    def step(carry: None, xs: tuple) -> tuple[None, Any]:
        return None, f(*xs)

    step.__name__ = function_name(f)
    return step


def only_outputs(result: Any, record: Any) -> Any:
    """What `for_loop` returns, from what `scan` does."""
    if record is None:
        return result[1]
    (_, ys), recorded = result
    return ys, recorded


def compiled_loop(
    loop: str, run: Callable, funs: tuple, args: tuple, static: dict, record: Any, memory: Any
) -> Any:
    """Run a loop as a compiled function; with `record`, returns also what was recorded."""
    if memory is not None:
        static["memory"] = as_bytes(loop, memory)
    if record is None:
        return compiled_call(run, funs, args, static, loop_body=0)
    request = Request(loop, record)
    static["record"] = request.recorders
    out, recorded = compiled_call(run, (*funs, *request.sources), args, static, loop_body=0)
    return out, request.tree.unflatten(recorded)


def _for_loop(funs: tuple, xs: Any, record: Named | None = None, **static: Any) -> Any:
    funs = (as_scan_body(funs[0]), *funs[1:])
    return only_outputs(_scan(funs, None, xs, record=record, **static), record)


def _scan(
    funs: tuple,
    init: Any,
    xs: Any,
    length: int,
    reverse: bool,
    unroll: int | bool,
    memory: int | None = None,
    record: Named | None = None,
    bar: ProgressBarRunner | None = None,
) -> Any:
    def run(step: Callable, carry: Any, xs: Any, length: int) -> Any:
        return jax.lax.scan(step, carry, xs, length, reverse=reverse, unroll=unroll)

    if memory is not None:
        run = functools.partial(steps_within, memory, unroll, reverse)
    return run_loop("the loop", run, funs, init, xs, length, record, bar, reverse, memory is None)


def run_loop(
    loop: str,
    run: Callable,
    funs: tuple,
    init: Any,
    xs: Any,
    length: int,
    record: Named | None = None,
    bar: ProgressBarRunner | None = None,
    reverse: bool = False,
    cut: bool = False,
) -> Any:
    """Trace a body, and run its steps by ``run(step, carry, xs, length) -> carry, ys``.

    `funs` are the body, the metrics of the bar if any, and what is recorded. `cut` says that the
    loop may as well be run as several, one after the other.
    """
    n_recorded = 0 if record is None else len(record)
    metrics, sources = funs[1 : len(funs) - n_recorded], funs[len(funs) - n_recorded :]
    program, init, values = trace_body(loop, funs[0], init, xs)
    states = program.writes

    def step(carry: tuple, x: Any) -> tuple:
        return step_of(program, values, carry, x)

    carry = (init, [values[state] for state in states])
    show_metrics = metrics_of(metrics, program, values, program.out_type()[1])
    body, start, leave = watched(bar, step, carry, show_metrics, xs)
    recorded = None
    if record is None:
        last, ys = run(body, start, xs, length)
    else:
        probes = attach(record, sources, states, values)
        last, ys, recorded = Recording(run, probes, reverse, cut).run(body, start, xs, length)
    user, final = leave(last)
    commit(states, final)
    out = show(user), ys
    return out if record is None else (out, recorded)


def trace_body(loop: str, f: Callable, init: Any, xs: Any) -> tuple[Program, Any, dict]:
    """Trace a scan body on one slice of `xs`."""
    first = one_slice(xs)

    def trace_once(carry: Any, stand_ins: dict) -> tuple[Program, Any]:
        program = trace(f, (carry, first), repeats=True, stand_ins=stand_ins)
        out = program.hidden_out_type()
        if not (isinstance(out, (tuple, list)) and len(out) == 2):
            raise TypeError(
                f"The body of {loop} must return a pair (carry, output); it returned "
                f"{show_type(out)}. [BST-L04]"
            )
        refuse_made_nodes(loop, program)
        for leaf in filter(is_graph, jax.tree.leaves(show(out[1]))):
            raise TypeError(
                f"The outputs of all steps of {loop} are stacked; {describe(leaf)} cannot be. "
                "Return its value. [BST-L03]"
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


def one_slice(xs: Any) -> Any:
    """The type of one slice along the first axis."""

    def without_axis(x: Any) -> jax.ShapeDtypeStruct:
        aval = jax.typeof(x)
        return jax.ShapeDtypeStruct(aval.shape[1:], aval.dtype, weak_type=aval.weak_type)

    return jax.tree.map(without_axis, xs)


def check_loop(name: str, f: Any, xs: Any, length: int | None) -> int:
    """Validate the arguments of a loop; returns the number of steps."""
    if not callable(f):
        raise TypeError(f"{name} needs a function as body; found {f!r}. [BST-A01]")
    lengths = {} if length is None else {"`length`": _as_count(name, length)}
    for path, leaf in jax.tree_util.tree_leaves_with_path(xs):
        where = f"xs{jax.tree_util.keystr(path)}"
        if not getattr(leaf, "shape", ()):
            raise ValueError(
                f"{name} loops over the first axis of its inputs; {where} is {leaf!r}, which has "
                "none. Close over what stays the same in every step. [BST-L05]"
            )
        lengths[where] = leaf.shape[0]
    if not lengths:
        raise ValueError(
            f"{name} got neither inputs to loop over nor a `length`; give one. [BST-A06]"
        )
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{where}: {n}" for where, n in lengths.items())
        raise ValueError(
            f"{name} needs inputs of one length along the first axis; found {found}. [BST-A10]"
        )
    return next(iter(lengths.values()))


def _as_count(name: str, length: Any) -> int:
    try:
        count = operator.index(length)
    except TypeError:
        raise TypeError(f"{name} needs an integer as length; found {length!r}. [BST-A01]") from None
    if count < 0:
        raise ValueError(f"{name} needs a length of 0 or more; found {count}. [BST-A02]")
    return count


def _python_scan(
    f: Callable,
    init: Any,
    xs: Any,
    length: int,
    reverse: bool,
    bar: ProgressBarRunner | None,
    metrics: Callable,
    record: Any,
) -> Any:
    """The loop under `jax.disable_jit`, for debuggers and prints."""
    if record is not None:
        request = Request("the loop", record)
        recording = PythonRecording(request.recorders, request.sources)
        f = recording.watch(f)
    f, carry, leave = watched(bar, f, init, metrics, xs)
    ys: list[Any] = []
    for i in reversed(range(length)) if reverse else range(length):
        carry, y = f(carry, jax.tree.map(lambda x: x[i], xs))  # noqa: B023
        ys.append(y)
    ys = ys[::-1] if reverse else ys
    out = leave(carry), jax.tree.map(lambda *leaves: jnp.stack(leaves), *ys)
    return out if record is None else (out, request.tree.unflatten(recording.results(reverse)))
