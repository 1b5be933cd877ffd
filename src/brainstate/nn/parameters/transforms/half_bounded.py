"""Values on one side of a bound, in its unit; free numbers are plain."""

from __future__ import annotations

from typing import Any

from ...._units import split
from ....typing import ArrayLike
from .checks import bounds
from .curves import EXP, RELU, SOFTPLUS
from .elementwise import ElementwiseT


class ExpT(ElementwiseT):
    """``y = lower + exp(x)``, in the unit of `lower`.

    >>> import brainunit as u
    >>> ExpT(1.0 * u.ms).forward(0.0)
    Quantity(2., "ms")
    """

    def __init__(self, lower: ArrayLike):
        (self.lower,) = bounds(lower=lower)
        offset, unit = split(lower)
        super().__init__(EXP, offset, unit=unit)


class SoftplusT(ElementwiseT):
    """``y = lower + log(1 + exp(x))``, which grows like `x`.

    >>> SoftplusT(1.0).forward(0.0)
    Array(1.6931472, dtype=float32)
    """

    def __init__(self, lower: ArrayLike):
        (self.lower,) = bounds(lower=lower)
        offset, unit = split(lower)
        super().__init__(SOFTPLUS, offset, unit=unit)


class NegSoftplusT(ElementwiseT):
    """``y = upper - log(1 + exp(-x))``, increasing.

    >>> NegSoftplusT(0.0).forward(0.0)
    Array(-0.6931472, dtype=float32)
    """

    def __init__(self, upper: ArrayLike):
        (self.upper,) = bounds(upper=upper)
        offset, unit = split(upper)
        super().__init__(SOFTPLUS, offset, scale=-1.0, rate=-1.0, unit=unit)


class ReluT(ElementwiseT):
    """``y = lower_bound + max(x, 0)``; below 0 the slope is 0.

    >>> ReluT(1.0).forward(2.0)
    Array(3., dtype=float32)
    """

    def __init__(self, lower_bound: ArrayLike = 0.0):
        (self.lower_bound,) = bounds(lower_bound=lower_bound)
        offset, unit = split(lower_bound)
        super().__init__(RELU, offset, unit=unit)


class PositiveT(ElementwiseT):
    """``y = exp(x)``, in units of `unit`, such as ``brainunit.ms``.

    >>> import brainunit as u
    >>> PositiveT(u.ms).inverse(1.0 * u.ms)
    Array(0., dtype=float32)
    """

    def __init__(self, unit: Any = None):
        self.unit = unit
        super().__init__(EXP, unit=unit)


class NegativeT(ElementwiseT):
    """``y = -exp(x)``, in units of `unit`: the larger `x`, the further below 0.

    >>> NegativeT().forward(0.0)
    Array(-1., dtype=float32)
    """

    def __init__(self, unit: Any = None):
        self.unit = unit
        super().__init__(EXP, scale=-1.0, unit=unit)
