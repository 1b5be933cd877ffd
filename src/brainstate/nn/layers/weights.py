"""The parameters that stand together in the State `weight` of a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...init.parameters import full_param
from ...typing import ArrayLike

Initial = Callable | ArrayLike


def weights(
    weight: tuple[Initial, tuple[int, ...]], **others: tuple[Initial | None, tuple[int, ...]]
) -> dict[str, Any]:
    """First values, from (initializer, shape) each; `others` without an initializer are left out.

    >>> weights((0.5, (2,)), bias=(None, (2,)))
    {'weight': Array([0.5, 0.5], dtype=float32)}
    """
    value = {"weight": full_param(*weight)}
    for name, (initial, shape) in others.items():
        if initial is not None:
            value[name] = full_param(initial, shape)
    return value
