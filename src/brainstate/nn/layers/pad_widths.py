"""How much to pad, as users write it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from ...init.sizes import needed_size

Pairs: TypeAlias = tuple[tuple[int, int], ...]
Padding: TypeAlias = str | int | tuple[int, int] | Sequence[tuple[int, int]]


def pad_pairs(padding: Any, count: int) -> Pairs:
    """How much to add before and after each of `count` axes, from ``p``, a pair, or pairs.

    >>> pad_pairs(1, 2), pad_pairs((0, 1), 2), pad_pairs([(0, 1), (2, 3)], 2)
    (((1, 1), (1, 1)), ((0, 1), (0, 1)), ((0, 1), (2, 3)))
    """
    items = list(padding) if isinstance(padding, Sequence) else [padding]
    try:
        if not any(isinstance(item, Sequence) for item in items):
            items = [items * 2 if len(items) == 1 else items]
        pairs = [needed_size(item, "padding") for item in items]
    except ValueError:
        pairs = []
    if len(pairs) == 1:
        pairs = pairs * count
    if len(pairs) != count or any(len(pair) != 2 for pair in pairs):
        raise ValueError(
            f"`padding` must be an integer, a pair (low, high) for every axis, or a list of "
            f"{count} such pairs; found {padding!r}. [BST-A01]"
        )
    return tuple((low, high) for low, high in pairs)


def named_or_pairs(padding: Any, count: int) -> str | Pairs:
    """``"SAME"`` or ``"VALID"``, or pairs as in `pad_pairs`."""
    if not isinstance(padding, str):
        return pad_pairs(padding, count)
    if padding.upper() not in ("SAME", "VALID"):
        raise ValueError(
            f"`padding` must be 'SAME', 'VALID' or numbers; found {padding!r}. [BST-A03]"
        )
    return padding.upper()
