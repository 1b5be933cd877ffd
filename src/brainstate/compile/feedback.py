"""Loops whose output comes back through a layer that stays the same in all steps.

`jax.lax.scan` sums the derivative by the weights of such a layer step by step, one small product
each. But the layer only ever sees outputs of the loop, so its derivative can be taken of all steps
at once: forward, it is added to the tangents of what drives the loop; transposed, that is one large
product of all outputs with all cotangents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from .._engine.frames import commit
from .._engine.program import Program, outer_values, trace
from .compiled_call import compiled_call
from .eager import runs_eagerly
from .loops import check_loop, scan, step_of, trace_body
from .memory_budget import as_bytes, steps_within


def loop_with_feedback(
    f: Callable[..., jax.Array],
    feedback: Callable,
    y: jax.Array,
    drives: jax.Array,
    *xs: Any,
    memory: int | str | None = None,
    over_last_axis: bool = False,
) -> jax.Array:
    """``y = f(y, drive + feedback(y), *x)`` for each slice along the first axis; returns each `y`.

    `y`, `drives` and what `feedback` returns are arrays of floating-point numbers. Where `feedback`
    writes States, or reads such as `f` writes, this is a plain loop. `memory` is as in `for_loop`.
    `over_last_axis` says that `feedback` takes any axes before the last one, each row for itself.

    >>> loop_with_feedback(lambda y, x: x / 2, lambda y: y, jnp.ones(()), jnp.arange(3.0))
    Array([0.5  , 0.75 , 1.375], dtype=float32)
    """
    length = check_loop("a loop with feedback", f, (drives, xs), None)
    if runs_eagerly():
        return _plain(f, feedback, y, drives, xs, memory)
    static = {"length": length, "over_last_axis": over_last_axis}
    if memory is not None:
        static["memory"] = as_bytes("a loop with feedback", memory)
    return compiled_call(_loop_with_feedback, (f, feedback), (y, drives, xs), static, loop_body=0)


def _loop_with_feedback(
    funs: tuple,
    y: jax.Array,
    drives: jax.Array,
    xs: tuple,
    length: int,
    over_last_axis: bool,
    memory: int | None = None,
) -> jax.Array:
    f, feedback = funs
    layer = trace(feedback, (y,), repeats=True)
    drives = _as_sums(drives, layer.out_type())

    def body(y: jax.Array, x: tuple) -> tuple:
        y = f(y, *x)
        return y, y

    program, y, values = trace_body("a loop with feedback", body, y, (drives, *xs))
    if _must_be_plain(layer, program):
        return _plain(f, feedback, y, drives, xs, memory)
    fixed = [state for state in values if state not in program.effects]

    fed_back = _replay(layer)
    all_fed_back = jax.vmap(fed_back, (None, 0))
    if over_last_axis:
        every_y = jax.ShapeDtypeStruct((length, *y.shape), y.dtype)
        rows = trace(feedback, (every_y,), repeats=True)
        assert rows.reads == layer.reads
        all_fed_back = _replay(rows)

    def steps(weights: list, drives: jax.Array, xs: tuple, carry: tuple, constants: list) -> Any:
        known = dict(zip(fixed, constants, strict=True))

        def step(carry: tuple, x: tuple) -> tuple:
            drive, *others = x
            drive = drive + fed_back(weights, carry[0])
            return step_of(program, known, carry, (drive, *others))

        if memory is None:
            return jax.lax.scan(step, carry, (drives, *xs), length)
        return steps_within(memory, 1, False, step, carry, (drives, *xs), length)

    weights = jax.tree.leaves(list(outer_values(layer.reads).values()))
    carry = y, [values[state] for state in program.writes]
    inputs = drives, xs, carry, [values[state] for state in fixed]
    (_, final), ys = _with_one_product(steps, all_fed_back)(weights, inputs)
    commit(program.writes, final)
    return ys


def _plain(
    f: Callable, feedback: Callable, y: jax.Array, drives: jax.Array, xs: tuple, memory: Any
) -> Any:
    def body(y: jax.Array, x: tuple) -> tuple:
        drive, *others = x
        y = f(y, drive + feedback(y), *others)
        return y, y

    return scan(body, y, (drives, *xs), memory=memory)[1]


def _as_sums(drives: jax.Array, fed_back: Any) -> jax.Array:
    """The drives, in the shape and type that they have once the feedback is added."""

    def sum_with(drive: jax.Array) -> jax.Array:
        whole = jnp.broadcast_shapes(drive.shape, fed_back.shape)
        return jnp.broadcast_to(drive, whole).astype(jnp.result_type(drive, fed_back))

    return jax.vmap(sum_with)(drives)


def _must_be_plain(layer: Program, program: Program) -> bool:
    """Whether the layer may differ between steps, or something is seen that is no argument."""
    differs = layer.effects or not set(layer.reads).isdisjoint(program.effects)
    return bool(differs or layer.closes_over_tracers or program.closes_over_tracers)


def _replay(layer: Program) -> Callable:
    return lambda weights, y: layer.replay(weights, [y])[0]


def _with_one_product(steps: Callable, all_fed_back: Callable) -> Callable:
    """`steps`, with the derivative by the weights taken of all steps at once."""

    @jax.custom_jvp
    def run(weights: list, inputs: tuple) -> Any:
        return steps(weights, *inputs)

    def rule(primals: tuple, tangents: tuple) -> tuple:
        (weights, inputs), (weights_dot, inputs_dot) = primals, tangents
        learnt = _Moving(weights, weights_dot)
        if learnt.values:
            inputs_dot = _instantiated(inputs_dot[0]), *inputs_dot[1:]
        moving = _Moving(inputs, inputs_dot)
        out, push = jax.linearize(lambda some: steps(weights, *moving.put(some)), moving.values)
        if learnt.values:
            _, _, (first, _), _ = inputs
            before = jnp.concatenate([first[None], out[1][:-1]])

            def feedbacks(some: list) -> jax.Array:
                return all_fed_back(learnt.put(some), before)

            dots = jax.jvp(feedbacks, (learnt.values,), (learnt.dots,))[1]
            moving.dots[0] = moving.dots[0] + dots  # the drives are the first of the inputs
        return out, push(moving.dots)

    run.defjvp(rule, symbolic_zeros=True)
    return run


class _Moving:
    """Those leaves of a tree that have a tangent other than zero."""

    def __init__(self, tree: Any, tangents: Any):
        self.leaves, self.tree = jax.tree.flatten(tree)
        dots = self.tree.flatten_up_to(tangents)
        self.places = [i for i, dot in enumerate(dots) if not isinstance(dot, SymbolicZero)]
        self.values = [self.leaves[i] for i in self.places]
        self.dots = [dots[i] for i in self.places]

    def put(self, values: list) -> Any:
        """The tree with other values for these leaves."""
        leaves = list(self.leaves)
        for i, value in zip(self.places, values, strict=True):
            leaves[i] = value
        return self.tree.unflatten(leaves)


def _instantiated(tangent: Any) -> jax.Array:
    zero = isinstance(tangent, SymbolicZero)
    return jnp.zeros(tangent.shape, tangent.dtype) if zero else tangent
