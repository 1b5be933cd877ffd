"""`jit_error_if`: an error at run time, also from compiled code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def jit_error_if(pred: Any, error: str | Callable, *err_args: Any, **err_kwargs: Any) -> None:
    """Raise if any element of `pred` is true, when the computation runs.

    `error` is a message, into which positional arguments go by `%` and keyword arguments by
    `str.format`, or a function that is called with the arguments and raises. JAX reports the error
    as `jax.errors.JaxRuntimeError` with the original type and text inside.

    >>> import brainstate
    >>> brainstate.compile.jit_error_if(False, "negative rate: {rate}", rate=2.0)
    """
    if not (isinstance(error, str) or callable(error)):
        raise TypeError(f"jit_error_if needs a message or a function; found {error!r}. [BST-A01]")
    shown = jax.tree.map(jax.lax.stop_gradient, (err_args, err_kwargs))
    failed, shown = _failing_lane(jnp.asarray(pred), shown)
    jax.lax.cond(failed, lambda args: _call_back(error, *args), lambda args: None, shown)


@jax.custom_batching.custom_vmap
def _failing_lane(pred: Any, shown: Any) -> tuple[Any, Any]:
    return jnp.any(pred), shown


@_failing_lane.def_vmap
def _failing_lane_of_batch(axis_size: int, batched: Any, pred: Any, shown: Any) -> tuple[Any, Any]:
    """One error for the whole batch, with the values of the first lane that failed."""
    by_lane = pred.reshape(axis_size, -1).any(axis=1) if batched[0] else jnp.any(pred)[None]
    lane = jnp.argmax(by_lane)
    shown = jax.tree.map(lambda x, many: x[lane] if many else x, shown, batched[1])
    out = _failing_lane(jnp.any(by_lane), shown)
    return out, jax.tree.map(lambda _: False, out)


def _call_back(error: str | Callable, args: tuple, kwargs: dict) -> None:
    def report(args: tuple, kwargs: dict) -> None:
        if callable(error):
            error(*args, **kwargs)
        else:
            raise ValueError(_format(error, args, kwargs))

    jax.debug.callback(report, args, kwargs)


def _format(message: str, args: tuple, kwargs: dict) -> str:
    if args:
        message = message % tuple(a.item() if getattr(a, "ndim", 1) == 0 else a for a in args)
    return message.format(**kwargs) if kwargs else message
