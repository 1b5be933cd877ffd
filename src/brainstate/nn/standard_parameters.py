"""Parameters with standard values in physical units."""

from __future__ import annotations

from typing import Any

from .._units import attach, is_quantity
from ..init import param


class StandardParameters:
    """The parameters of one model, as given; those left out (None) get standard values.

    Standard values are quantities, unless some parameter was given without a unit: then none of
    them has one.
    """

    def __init__(self, shape: tuple[int, ...], **given: Any):
        self.given = {name: param(value, shape) for name, value in given.items()}
        self.plain = any(not (x is None or is_quantity(x)) for x in self.given.values())

    def read(self, name: str, number: float, unit: str) -> Any:
        """The parameter of this name, or the standard number in the unit of that name."""
        value = self.given.get(name)
        return self.standard(number, unit) if value is None else value

    def standard(self, number: float, unit: str) -> Any:
        """A quantity in the unit of this name, or the plain number."""
        if self.plain:
            return number
        import brainunit

        return attach(number, getattr(brainunit, unit))
