"""Hyper-parameters are plain numbers: what they are converted to, and the limits they keep.

Each check takes one keyword argument, by whose name an error calls it.
"""

from __future__ import annotations

import operator
from typing import Any


def at_least(low: float, **given: Any) -> float:
    """A float that is not below `low`."""
    return _checked(given, lambda x: x >= low, f"be at least {low:g}")


def positive(**given: Any) -> float:
    """A float above 0."""
    return _checked(given, lambda x: x > 0, "be positive")


def fraction(**given: Any) -> float:
    """A float in [0, 1]."""
    return _checked(given, lambda x: 0 <= x <= 1, "lie in [0, 1]")


def memory(**given: Any) -> float:
    """A float in [0, 1): what a running mean keeps in a step."""
    return _checked(given, lambda x: 0 <= x < 1, "lie in [0, 1), 1 excluded")


def count(least: int = 1, **given: Any) -> int:
    """An int that is not below `least`."""
    return _checked(given, lambda x: x >= least, f"be an integer from {least} up", operator.index)


def _checked(given: dict[str, Any], fits: Any, expected: str, convert: Any = float) -> Any:
    ((name, value),) = given.items()
    try:
        number = convert(value)
    except (TypeError, ValueError):
        raise TypeError(
            f"{name} must {expected}; found a {type(value).__name__}. It is a plain number: of all "
            "parameters of an optimizer, only `lr` may be a State or change in compiled "
            "code. [BST-A01]"
        ) from None
    if not fits(number):
        raise ValueError(f"{name} must {expected}; found {value}. [BST-A02]")
    return number
