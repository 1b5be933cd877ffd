"""Sizes, as users write them."""

from __future__ import annotations

import operator
from typing import Any


def to_size(x: Any) -> tuple[int, ...] | None:
    """A size as a tuple: ``3 -> (3,)``, ``[2, 3] -> (2, 3)``; None stays None.

    >>> to_size(3), to_size([2, 3])
    ((3,), (2, 3))
    """
    if x is None:
        return None
    try:
        return tuple(map(operator.index, x if isinstance(x, (tuple, list)) else (x,)))
    except TypeError:
        raise ValueError(
            f"A size is an integer, or a tuple or list of integers; found {x!r}. [BST-A01]"
        ) from None


def needed_size(x: Any, name: str) -> tuple[int, ...]:
    """A size that must be known and have at least one axis."""
    size = to_size(x)
    if not size:
        raise ValueError(
            f"`{name}` must be an integer, or a non-empty tuple of them; found {x!r}. [BST-A01]"
        )
    return size
