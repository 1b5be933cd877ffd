"""Noise terms of models, as users write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..typing import ArrayLike, Size
from .parameters import param


def noise(
    noises: ArrayLike | Callable | None, size: Size, num_vars: int = 1, noise_idx: int = 0
) -> Callable | None:
    """The noise as a function: a function stays, a value becomes one that returns it, None stays.

    With `num_vars` above 1, it returns a tuple with the value at `noise_idx` and None elsewhere.

    >>> noise(0.5, 3, num_vars=2, noise_idx=1)(0.0)
    (None, 0.5)
    """
    if noises is None or callable(noises):
        return noises
    value = param(noises, size)

    def constant_noise(*args: Any, **kwargs: Any) -> Any:
        if num_vars == 1:
            return value
        return tuple(value if i == noise_idx else None for i in range(num_vars))

    return constant_noise
