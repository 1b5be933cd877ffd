"""Arithmetic on numbers that may have units, at little more than the cost of plain numbers.

The operators of a Quantity prepare their error messages before they compute; these do not.
"""

from __future__ import annotations

from typing import Any

from ..._units import attach, number_in, split


def add(x: Any, y: Any, name: str = "an addend") -> Any:
    """``x + y``, in the unit of `x`; UnitMismatchError, naming `name`, for another dimension."""
    number, unit = split(x)
    return attach(number + number_in(y, unit, name), unit)


def subtract(x: Any, y: Any, name: str = "a subtrahend") -> Any:
    """``x - y``, in the unit of `x`; UnitMismatchError, naming `name`, for another dimension."""
    number, unit = split(x)
    return attach(number - number_in(y, unit, name), unit)


def numbers(unit: Any, **quantities: Any) -> list:
    """The numbers that the quantities are in `unit`; a mismatch is reported by name."""
    return [number_in(x, unit, name) for name, x in quantities.items()]
