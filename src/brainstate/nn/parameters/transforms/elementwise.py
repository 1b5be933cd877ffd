"""Transformations of single elements: a curve, moved and stretched."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...._units import attach, number_in, split, unit_of
from ....typing import ArrayLike
from .base import NumberTransform, floats
from .checks import bounds, fails, interval
from .curves import LINE, LOG, Curve, box_cox, clipped


class ElementwiseT(NumberTransform):
    """``y = offset + scale * curve(rate * (x - start))``, element by element.

    The values are in `unit`, the free numbers in `x_unit`. A value on the end of
    an open interval, which only an infinite `x` would give, is taken for the number next to it.
    """

    def __init__(
        self,
        curve: Curve,
        offset: Any = 0.0,
        scale: Any = 1.0,
        rate: Any = 1.0,
        start: Any = 0.0,
        unit: Any = None,
        x_unit: Any = None,
    ):
        self._curve, self._offset, self._scale = curve, offset, scale
        self._rate, self._start = rate, start
        self._y_unit, self._x_unit = unit, x_unit

    def _forward(self, x: jax.Array) -> jax.Array:
        return self._offset + self._scale * self._curve.forward(self._rate * (x - self._start))

    def _inverse(self, y: jax.Array) -> jax.Array:
        z = jnp.clip((y - self._offset) / self._scale, self._curve.low, self._curve.high)
        return self._start + self._curve.inverse(z) / self._rate

    def _log_slope(self, x: jax.Array) -> jax.Array:
        slope = self._curve.log_slope(self._rate * (x - self._start))
        return slope + jnp.log(jnp.abs(jnp.asarray(self._scale * self._rate, x.dtype)))

    def _reaches(self, y: np.ndarray) -> Any:
        z = (y - self._offset) / self._scale
        rounding = 4 * np.finfo(y.dtype).eps * (1 + abs(self._offset / self._scale))
        return (self._curve.low - rounding <= z) & (z <= self._curve.high + rounding)

    def _image(self) -> str:
        ends = [self._offset + self._scale * end for end in (self._curve.low, self._curve.high)]
        low, high = (attach(end, self._y_unit) for end in (np.minimum(*ends), np.maximum(*ends)))
        return f"values from {low} to {high}"


class IdentityT(ElementwiseT):
    """``y = x``, with or without units.

    >>> IdentityT().forward(2.0)
    Array(2., dtype=float32)
    """

    def __init__(self) -> None:
        super().__init__(LINE)

    def _numbers(self, x: ArrayLike, unit: Any, name: str) -> jax.Array:
        return super()._numbers(split(x)[0], None, name)

    def forward(self, x: ArrayLike) -> Any:
        return floats(x)

    def inverse(self, y: ArrayLike) -> Any:
        return floats(y)


class AffineT(ElementwiseT):
    """``y = scale * x + shift``, in the unit of `shift`.

    >>> import brainunit as u
    >>> t = AffineT(2.0 * u.mV, -70.0 * u.mV)
    >>> t.forward(5.0), t.inverse(-60.0 * u.mV)
    (Quantity(-60., "mV"), Array(5., dtype=float32))
    """

    def __init__(self, scale: ArrayLike, shift: ArrayLike):
        self.scale, self.shift = bounds(scale=scale, shift=shift)
        offset, unit = split(shift)
        if fails(split(scale)[0] != 0):
            raise ValueError(f"`scale` of AffineT must not be 0; found {scale!r}. [BST-A02]")
        x_unit = unit_of(shift / scale)
        slope = number_in(scale if x_unit is None else scale * attach(1.0, x_unit), unit, "scale")
        super().__init__(LINE, offset, slope, unit=unit, x_unit=x_unit)


class ClipT(ElementwiseT):
    """``y = x``, clipped to [lower, upper], all in one unit.

    Outside the bounds the slope is 0, so a gradient cannot bring `x` back.

    >>> ClipT(0.0, 1.0).forward(jnp.array([-2.0, 0.5]))
    Array([0. , 0.5], dtype=float32)
    """

    def __init__(self, lower: ArrayLike, upper: ArrayLike):
        self.lower, self.upper = bounds(lower=lower, upper=upper)
        low, high, unit = interval(self, lower, upper)
        super().__init__(clipped(low, high), unit=unit, x_unit=unit)


class LogT(ElementwiseT):
    """``y = log((x - lower) / unit of lower)``, for `x` above `lower`; `ExpT` the other way round.

    >>> import brainunit as u
    >>> LogT(1.0 * u.ms).inverse(0.0)
    Quantity(2., "ms")
    """

    def __init__(self, lower: ArrayLike):
        (self.lower,) = bounds(lower=lower)
        start, unit = split(lower)
        super().__init__(LOG, start=start, x_unit=unit)


class PowerT(ElementwiseT):
    """``y = (x**lmbda - 1) / lmbda`` for positive `x`, and ``log(x)`` if `lmbda` is 0.

    The power transformation of Box and Cox (1964, J. R. Stat. Soc. B).

    >>> PowerT(0.5).forward(4.0)
    Array(2., dtype=float32)
    """

    def __init__(self, lmbda: float = 0.5):
        self.lmbda = float(lmbda)
        super().__init__(box_cox(self.lmbda))
