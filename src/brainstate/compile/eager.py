"""`jax.disable_jit`: loops and branches then run in Python, for debuggers and prints."""

from __future__ import annotations

from typing import Any

import jax

from .._engine.jax_api import is_tracer


def runs_eagerly(*decisive: Any) -> bool:
    """Whether jit is disabled, and the values that decide where to go are known."""
    disabled = jax.config.jax_disable_jit  # type: ignore[attr-defined]  # made at run time
    return disabled and not any(map(is_tracer, decisive))
