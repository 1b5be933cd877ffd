"""Every name taken from `jax.extend`, in one place, so that a move in JAX costs one file."""

from __future__ import annotations

import functools
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
