"""Parameters with standard values in physical units."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

from ..._units import attach, is_quantity
from ...init import Constant, param
from ...typing import ArrayLike


class StandardParameters:
    """The parameters of one model, as given; those left out (None) get standard values.

    Standard values are quantities, unless some parameter was given without a unit: then none of
    them has one.
    """

    def __init__(self, shape: tuple[int, ...], **given: Any):
        self.given = {name: param(value, shape) for name, value in given.items()}
        self.plain = any(not (x is None or is_quantity(x)) for x in self.given.values())

    def read(self, name: str, number: float, unit: str) -> Any:
        """The parameter of this name, or the standard number in this unit."""
        value = self.given.get(name)
        return self.standard(number, unit) if value is None else value

    def standard(self, number: float, unit: str) -> Any:
        """The number in this unit, or as it is where no parameter has a unit."""
        return standard_value(number, unit, self.plain)

    def initializer(self, given: Callable | ArrayLike | None, number: float, unit: str) -> Any:
        """The first value of a variable as given, or the standard number in this unit."""
        return Constant(self.standard(number, unit)) if given is None else given


def standard_value(number: Any, unit: str, plain: bool = False) -> Any:
    """The number in a unit written as ``"ms"`` or ``"mM^-1 ms^-1"``; the number itself if `plain`.

    >>> import brainunit as u
    >>> standard_value(2.0, "mM^-1 ms^-1") == 2.0 / (u.mM * u.ms)
    True
    """
    return number if plain or not unit else attach(number, _unit(unit))


@functools.cache
def _unit(text: str) -> Any:
    import brainunit

    factors = (factor.partition("^") for factor in text.split())
    units = (getattr(brainunit, name) ** int(power or 1) for name, _, power in factors)
    return functools.reduce(operator.mul, units)
