"""Quantities with units, without importing brainunit before the user does.

A *unit* here is None for plain numbers, so that code without units pays one dictionary look-up.
"""

from __future__ import annotations

import sys
from typing import Any


def is_quantity(x: Any) -> bool:
    """Whether `x` is a brainunit Quantity; False, at no cost, while brainunit is not imported."""
    # brainunit re-exports the classes of saiunit.
    quantity = getattr(sys.modules.get("saiunit"), "Quantity", None)
    return quantity is not None and isinstance(x, quantity)


def unit_of(x: Any) -> Any | None:
    """The unit of `x`; None for plain numbers and for quantities without a dimension."""
    return x.unit if is_quantity(x) and not x.dim.is_dimensionless else None


def split(x: Any) -> tuple[Any, Any | None]:
    """(number, unit) of `x`, such that ``attach(number, unit)`` is `x`."""
    if not is_quantity(x):
        return x, None
    unit = unit_of(x)
    return (_dimensionless(x) if unit is None else x.mantissa), unit


def attach(mantissa: Any, unit: Any | None) -> Any:
    """The quantity of this number and unit; a plain number where no dimension remains."""
    if unit is None:
        return mantissa
    import brainunit as u

    quantity = u.Quantity(mantissa, unit=unit)
    return _dimensionless(quantity) if unit.dim.is_dimensionless else quantity


def number_in(x: Any, unit: Any | None, name: str = "a value") -> Any:
    """The number that `x` is in `unit`; UnitMismatchError, naming `name`, for another dimension."""
    number, own = split(x)
    if own is unit:
        return number
    if own is None or unit is None or not own.has_same_dim(unit):
        from brainunit import UnitMismatchError

        expected = "a plain number" if unit is None else f"a quantity in a unit such as {unit}"
        plain = f"the plain {number}" if isinstance(number, (int, float)) else "plain numbers"
        found = plain if own is None else f"a quantity in {own}"
        raise UnitMismatchError(f"`{name}` must be {expected}; found {found}. [BST-A08]")
    return x.to_decimal(unit)


def plain_number(x: Any, taker: str) -> Any:
    """`x` as a plain number; TypeError, naming who takes it, for a quantity with a dimension."""
    number, unit = split(x)
    if unit is None:
        return number
    raise TypeError(
        f"{taker} takes plain numbers; found a quantity in {unit}. Divide by a scale "
        "first. [BST-A08]"
    )


_BASES = ("length", "mass", "time", "electric current", "temperature", "substance", "luminosity")


def mantissa_and_unit(x: Any) -> tuple[Any, Any | None]:
    """(number, unit) of `x` as they stand; the unit also where it is no more than a scale."""
    return (x.mantissa, x.unit) if is_quantity(x) else (x, None)


def with_unit(mantissa: Any, unit: Any | None) -> Any:
    """The inverse of `mantissa_and_unit`."""
    if unit is None:
        return mantissa
    import brainunit as u

    return u.Quantity(mantissa, unit=unit)


def same_dimension(one: Any | None, other: Any | None) -> bool:
    """Whether numbers in one unit can be given in the other; None is plain numbers."""
    if one is None or other is None:
        unit = one or other
        return unit is None or unit.dim.is_dimensionless
    return one.has_same_dim(other)


def same_magnitude(one: Any | None, other: Any | None) -> bool:
    """Whether units of the same dimension are equally large."""
    if one is None or other is None:
        unit = one or other
        return unit is None or (unit.factor == 1.0 and unit.scale == 0)
    return one.has_same_magnitude(other)


def rescaled(number: Any, unit: Any | None, new: Any | None) -> Any:
    """The number in `new` of what is `number` in `unit`; untouched where both are equally large."""
    if same_magnitude(unit, new):
        return number
    import brainunit as u

    return u.Quantity(number, unit=unit or u.UNITLESS).to_decimal(new or u.UNITLESS)


def unit_as_dict(unit: Any) -> dict[str, Any]:
    """The unit in plain numbers and its name, for `unit_from_dict`."""
    dimension = [float(unit.dim.get_dimension(base)) for base in _BASES]
    sizes = {"base": unit.base, "scale": unit.scale, "factor": unit.factor}
    sizes = {key: float(size) for key, size in sizes.items()}
    names = {"name": unit.name, "symbol": str(unit)}
    return {**names, "dimension": dimension, **sizes}


def unit_from_dict(found: dict[str, Any]) -> Any:
    """The unit that `unit_as_dict` took apart."""
    import brainunit as u

    return u.Unit(
        u.get_or_create_dimension(found["dimension"]),
        scale=found["scale"],
        base=found["base"],
        factor=found["factor"],
        name=found["name"],
        dispname=found["symbol"],
    )


def _dimensionless(quantity: Any) -> Any:
    from brainunit import UNITLESS

    return quantity.to_decimal(UNITLESS)
