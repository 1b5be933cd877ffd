"""The order in which collective functions call the methods of modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable)

MAX_ORDER = 10


def call_order(level: int = 0, check_order_boundary: bool = True) -> Callable[[F], F]:
    """Mark a method to be called after unmarked ones, and in ascending order of `level`.

    Levels lie in ``[0, MAX_ORDER)``, unless `check_order_boundary` is off.

    >>> class Projection:
    ...     @call_order(2)
    ...     def init_state(self): ...
    >>> Projection.init_state.call_order
    2
    """
    if check_order_boundary and not 0 <= level < MAX_ORDER:
        raise ValueError(f"The call order must lie in [0, {MAX_ORDER}); found {level}. [BST-A02]")

    def mark(method: F) -> F:
        method.call_order = level  # type: ignore[attr-defined]
        return method

    return mark
