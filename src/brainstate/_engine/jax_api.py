"""Every name taken from `jax.extend`, in one place, so that a move in JAX costs one file."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import (
    ClosedJaxpr,
    Primitive,
    find_top_trace,
    jaxpr_as_fun,
    set_current_trace,
)

__all__ = [
    "EAGER",
    "ClosedJaxpr",
    "Primitive",
    "current_trace",
    "explicit_closure",
    "is_staging",
    "is_tracer",
    "jaxpr_as_fun",
    "set_current_trace",
]


def current_trace() -> Any:
    """The JAX trace in which the next operation would run."""
    return find_top_trace(())


# Importing may happen inside a traced function, where the current trace is not the eager one.
with jax.ensure_compile_time_eval():
    EAGER = current_trace()
"""The trace of plain eager execution."""


@functools.cache
def _tracer_class() -> type:
    seen: list[type] = []
    jax.eval_shape(lambda x: seen.append(type(x)), 0.0)
    return next(base for base in seen[0].__mro__ if base.__name__ == "Tracer")


def is_tracer(leaf: Any) -> bool:
    """Whether a leaf stands for a value inside some JAX transformation."""
    return isinstance(leaf, _tracer_class())


def is_staging() -> bool:
    """Whether operations are recorded now (jit, scan, ...) instead of being carried out."""
    return current_trace() is not EAGER and is_tracer(jnp.zeros(()))


def explicit_closure(fun: Callable, *args: Any) -> tuple[Callable[..., Any], list]:
    """``(pure, closed_over)`` such that ``pure(closed_over, *args)`` is ``fun(*args)``.

    Keeps nothing alive afterwards, unlike the cache of `jax.closure_convert`.
    """
    closed, out = jax.make_jaxpr(lambda *args: fun(*args), return_shape=True)(*args)
    jaxpr = closed.jaxpr
    explicit = jaxpr.replace(constvars=[], invars=[*jaxpr.constvars, *jaxpr.invars])
    run = jaxpr_as_fun(ClosedJaxpr(explicit, []))
    tree = jax.tree.structure(out)

    def pure(closed_over: list, *args: Any) -> Any:
        return tree.unflatten(run(*closed_over, *jax.tree.leaves(args)))

    return pure, list(closed.consts)
