"""Transformations usable with and without options: `@jit`, `@jit(donate_states=True)`, `jit(f)`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from ..typing import Missing

F = TypeVar("F", bound=Callable[..., Any])


def decorator(transform: F) -> F:
    """Let `transform(fun, ...)` return a decorator where it is called without `fun`."""

    @functools.wraps(transform)
    def flexible(fun: Any = Missing, *args: Any, **options: Any) -> Any:
        for keyword in ("fun", "fn", "func"):
            fun = options.pop(keyword, fun)
        if fun is Missing or isinstance(fun, Missing):
            return lambda fun: flexible(fun, *args, **options)
        if not callable(fun):
            raise TypeError(
                f"{transform.__name__}() transforms a function; found {fun!r}. Options are "
                f"keyword arguments: {transform.__name__}(f, option=...). [BST-A01]"
            )
        return transform(fun, *args, **options)

    return flexible  # type: ignore[return-value]
