"""Derivatives of quantities with units: d(mV) / d(mA) is in mV / mA."""

from __future__ import annotations

from typing import Any

import jax

from .._units import attach, is_quantity, split, unit_of


def strip(tree: Any) -> Any:
    """The same tree with plain numbers for quantities."""
    return jax.tree.map(lambda x: split(x)[0], tree, is_leaf=is_quantity)


def dress(numbers: Any, like: Any) -> Any:
    """Give numbers the units of `like`."""
    return jax.tree.map(lambda q, x: attach(x, unit_of(q)), like, numbers, is_leaf=is_quantity)


def quotient(derivative: Any, numerator: Any, *denominators: Any) -> Any:
    """Attach units to derivatives: trees of `numerator`, then of each denominator, nested."""
    return _nested(derivative, numerator, denominators, None, divide=False)


def _nested(derivative: Any, tree: Any, rest: tuple, unit: Any, divide: bool) -> Any:
    def at_leaf(quantity: Any, inner: Any) -> Any:
        combined = _combine(unit, unit_of(quantity), divide)
        if rest:
            return _nested(inner, rest[0], rest[1:], combined, divide=True)
        return attach(inner, combined)

    return jax.tree.map(at_leaf, tree, derivative, is_leaf=is_quantity)


def _combine(unit: Any, other: Any, divide: bool) -> Any:
    if other is None:
        return unit
    if not divide:
        return other
    return other**-1 if unit is None else unit / other
