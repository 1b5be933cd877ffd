"""Checks of the bounds of transformations, and of the parameters of losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...._engine.jax_api import is_tracer
from ...._units import number_in, split
from ....init.parameters import is_array
from ....typing import ArrayLike


def bounds(**given: Any) -> list[Any]:
    """The parameters of a transformation, by name; ValueError unless all are numbers or arrays."""
    for name, value in given.items():
        if not is_array(value):
            raise ValueError(
                f"`{name}` must be a number, an array or a quantity; found {value!r}. [BST-A01]"
            )
    return list(given.values())


def interval(owner: Any, lower: ArrayLike, upper: ArrayLike) -> tuple[Any, Any, Any]:
    """(lower number, upper number, unit); ValueError unless lower < upper."""
    low, unit = split(lower)
    high = number_in(upper, unit, "upper")
    if fails(low < high):
        raise ValueError(
            f"{type(owner).__name__} needs lower < upper; found {lower!r} and {upper!r}. [BST-A02]"
        )
    return low, high, unit


def fails(condition: Any) -> bool:
    """Whether a condition is known not to hold everywhere."""
    return not is_tracer(condition) and not np.all(condition)
