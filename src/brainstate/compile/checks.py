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
        raise TypeError(f"jit_error_if needs a message or a function; found {error!r}.")
    failed = jnp.any(_any_lane(jnp.asarray(pred)))
    jax.lax.cond(
        failed, lambda args: _call_back(error, *args), lambda args: None, (err_args, err_kwargs)
    )


@jax.custom_batching.custom_vmap
def _any_lane(pred: Any) -> Any:
    return pred


@_any_lane.def_vmap
def _any_lane_of_batch(axis_size: int, in_batched: list[bool], pred: Any) -> tuple[Any, bool]:
    return jnp.any(pred, axis=0), False  # one error for the whole batch


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
