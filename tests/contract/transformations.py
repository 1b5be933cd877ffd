"""Every transformation, one line each: the rows of the contract.

A row turns a body ``f(x)`` of one scalar into a function of one scalar that runs `f` under the
transformation and returns what its last run returned. To hold a new transformation to every
promise, add a line to `ROWS`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

import brainstate.transform as bt

Body = Callable[[jax.Array], object]


@dataclasses.dataclass(frozen=True)
class Row:
    """One transformation and what is special about it."""

    name: str
    whole: Callable[[Body], Body]
    runs: int = 1  # how often the effects of the body happen
    each: Callable[[Body], Body] | None = None  # the body for every x of xs, results stacked
    size: int = 2  # how many xs `each` takes
    lanes: bool = False  # the runs happen side by side
    repeats: bool = False  # a loop or branch: the body may make no lasting State or node
    keeps: bool = False  # called again outside everything, it does not run the body again
    spreads: bool = False  # States end up on all devices, for which JAX compiles once more
    clones: bool = False  # nodes made in the body are copied for the caller
    effects: bool = True  # False: looks at the body only
    staged: bool = True  # the body sees abstract values

    def __repr__(self) -> str:
        return self.name

    def __call__(self, body: Body) -> Body:
        return self.whole(body)


def through(*rows: Row) -> Callable[[Body], Body]:
    """All rows around one body, the first outermost."""

    def wrap(body: Body) -> Body:
        for row in reversed(rows):
            body = row(body)
        return body

    return wrap


def total(out: object) -> jax.Array:
    """A float that depends on every float in `out`."""
    leaves = [x for x in jax.tree.leaves(out) if isinstance(x, jax.Array)]
    return sum((jnp.sum(x) for x in leaves if jnp.issubdtype(x.dtype, jnp.floating)), start=0.0)


def _as_loss(body: Body) -> Body:
    def loss(x: jax.Array) -> tuple:
        out = body(x)
        return x * x + total(out), out

    return loss


def _aux_of(transform: Callable) -> Callable[[Body], Body]:
    """Differentiate the body; what it returned comes back beside the derivative."""

    def wrap(body: Body) -> Body:
        derivative = transform(_as_loss(body), has_aux=True)
        return lambda x: derivative(x)[1]

    return wrap


def _jvp(body: Body) -> Body:
    return lambda x: bt.jvp(_as_loss(body), (x,), (jnp.ones_like(x),), has_aux=True)[2]


def _vjp(body: Body) -> Body:
    return lambda x: bt.vjp(_as_loss(body), x, has_aux=True)[2]


def _last(ys: object) -> object:
    return jax.tree.map(lambda y: y[-1], ys)


def _derivative(name: str, transform: Callable, **traits: object) -> Row:
    return Row(name, _aux_of(transform), **traits)


def _lanes(name: str, transform: Callable, size: int = 2, **traits: object) -> Row:
    def whole(body: Body) -> Body:
        shared = transform(body, in_axes=None, axis_size=size)
        return lambda x: _last(shared(x))

    return Row(name, whole, each=transform, size=size, lanes=True, **traits)


def _steps(name: str, loop: Callable[[Body, jax.Array], object], size: int = 2) -> Row:
    def each(body: Body) -> Body:
        return lambda xs: loop(body, xs)

    def whole(body: Body) -> Body:
        return lambda x: _last(loop(body, jnp.full(size, x)))

    return Row(name, whole, runs=size, each=each, size=size, repeats=True, keeps=True)


def _twice(loop: Callable) -> Callable[[Body], Body]:
    """Two steps of a while loop; `x` enters as a constant, since reverse mode cannot pass."""

    def wrap(body: Body) -> Body:
        def call(x: jax.Array) -> object:
            x = jax.lax.stop_gradient(x)
            start = (0, x, jnp.zeros_like(x))
            return loop(lambda c: c[0] < 2, lambda c: (c[0] + 1, c[1], body(c[1])), start)[2]

        return call

    return wrap


def _same(x: jax.Array) -> jax.Array:
    return x


def _cond(body: Body) -> Body:
    return lambda x: bt.cond(x > -1e4, body, _same, x)


def _switch(body: Body) -> Body:
    return lambda x: bt.switch(jnp.int32(x > -1e4), [_same, body, _same], x)


def _ifelse(body: Body) -> Body:
    return lambda x: bt.ifelse([x < -1e4, x >= -1e4], [_same, body], x)


def _looked_at(look: Callable) -> Callable[[Body], Body]:
    """Look at the body, and return a number that tells of nothing."""

    def wrap(body: Body) -> Body:
        look_at = look(body)

        def call(x: jax.Array) -> jax.Array:
            look_at(x)
            return jnp.zeros_like(x)

        return call

    return wrap


def _eval_shape(body: Body) -> Body:
    return lambda x: bt.eval_shape(body, x)


BRANCH = {"repeats": True, "keeps": True}
LOOK = {"runs": 0, "effects": False}

ROWS = [
    Row("jit", bt.jit, keeps=True, clones=True),
    _derivative("grad", bt.grad, staged=False),
    _derivative("vector_grad", bt.vector_grad, staged=False),
    _derivative("jacrev", bt.jacrev, staged=False),
    _derivative("jacfwd", bt.jacfwd, staged=False),
    _derivative("hessian", bt.hessian, staged=False),
    Row("jvp", _jvp, staged=False),
    Row("vjp", _vjp, staged=False),
    Row("checkpoint", bt.checkpoint),
    _lanes("vmap", bt.vmap, staged=False),
    _lanes("vmap_new_states", bt.vmap_new_states, staged=False),
    _lanes("pmap", bt.pmap, size=8, keeps=True, spreads=True, clones=True),
    _steps("map", lambda f, xs: bt.map(f, xs)),
    _steps("scan", lambda f, xs: bt.scan(lambda c, x: (c, f(x)), None, xs)[1]),
    _steps("for_loop", lambda f, xs: bt.for_loop(f, xs)),
    _steps(
        "for_loop with a record, within memory",
        lambda f, xs: bt.for_loop(f, xs, record=(), memory="1MB")[0],
    ),
    _steps(
        "checkpointed_scan",
        lambda f, xs: bt.checkpointed_scan(lambda c, x: (c, f(x)), None, xs, base=2)[1],
        size=3,
    ),
    _steps("checkpointed_for_loop", lambda f, xs: bt.checkpointed_for_loop(f, xs, base=2), size=3),
    Row("while_loop", _twice(bt.while_loop), runs=2, repeats=True, keeps=True),
    Row(
        "bounded_while_loop",
        _twice(lambda test, step, init: bt.bounded_while_loop(test, step, init, max_steps=3)),
        runs=2,
        repeats=True,
        keeps=True,
    ),
    Row("cond", _cond, **BRANCH),
    Row("switch", _switch, **BRANCH),
    Row("ifelse", _ifelse, **BRANCH),
    Row("eval_shape", _looked_at(_eval_shape), **LOOK),
    Row("make_jaxpr", _looked_at(bt.make_jaxpr), **LOOK),
]
BY_NAME = {row.name: row for row in ROWS}
JIT = BY_NAME["jit"]
EFFECTIVE = [row for row in ROWS if row.effects]
# One of each kind, for the promises that are asked of every pair.
KINDS = [
    BY_NAME[name]
    for name in ("jit", "grad", "hessian", "checkpoint", "vmap", "scan", "while_loop", "cond")
]
PAIRS = [(a, b) for a in KINDS for b in KINDS if a is not JIT]


def nests(rows: list[Row]) -> list[tuple[Row, ...]]:
    """Each row alone, and inside jit."""
    return [*((row,) for row in rows), *((JIT, row) for row in rows)]


def some_nests(rows: list[Row]) -> list[tuple[Row, ...]]:
    """Each row alone, and one of each kind inside jit."""
    return [*((row,) for row in rows), *((JIT, row) for row in rows if row in KINDS)]


def name_of(case: object) -> str:
    """The test id of a row or of a nest of rows."""
    if isinstance(case, tuple):
        return "-".join(map(str, case))
    return str(case)


def runs_of(rows: tuple[Row, ...]) -> int:
    """How often the effects of the innermost body happen in one call."""
    return int(np.prod([row.runs for row in rows]))
