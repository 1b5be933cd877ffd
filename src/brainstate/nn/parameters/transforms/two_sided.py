"""Values between two bounds, which are in one unit; free numbers are plain."""

from __future__ import annotations

from typing import Any

from ....typing import ArrayLike
from .checks import bounds, interval
from .curves import SIGMOID, SOFTSIGN, Curve
from .elementwise import ElementwiseT


class _Between(ElementwiseT):
    """``lower + (upper - lower) * curve(rate * x)`` for a curve from 0 to 1."""

    _curve: Curve
    _rate: Any = 1.0

    def __init__(self, lower: ArrayLike, upper: ArrayLike):
        self.lower, self.upper = bounds(lower=lower, upper=upper)
        low, high, unit = interval(self, lower, upper)
        super().__init__(self._curve, low, high - low, rate=self._rate, unit=unit)


class SigmoidT(_Between):
    """``y = lower + (upper - lower) * sigmoid(x)``.

    >>> import brainunit as u
    >>> t = SigmoidT(-80.0 * u.mV, -40.0 * u.mV)
    >>> t.forward(0.0), t.inverse(-60.0 * u.mV)
    (Quantity(-60., "mV"), Array(0., dtype=float32))
    """

    _curve = SIGMOID


class ScaledSigmoidT(_Between):
    """``y = lower + (upper - lower) * sigmoid(beta * x)``; a larger `beta` is steeper.

    >>> ScaledSigmoidT(0.0, 4.0, beta=2.0).forward(0.0)
    Array(2., dtype=float32)
    """

    _curve = SIGMOID

    def __init__(self, lower: ArrayLike, upper: ArrayLike, beta: float = 1.0):
        if not beta > 0:
            raise ValueError(
                f"`beta` of ScaledSigmoidT must be positive; found {beta!r}. [BST-A02]"
            )
        self._rate = beta
        super().__init__(lower, upper)
        self.beta = beta


class TanhT(_Between):
    """``y = lower + (upper - lower) * (tanh(x) + 1) / 2``.

    >>> TanhT(-1.0, 1.0).forward(0.5)
    Array(0.46211..., dtype=float32)
    """

    _curve = SIGMOID
    _rate = 2.0  # (tanh(x) + 1) / 2 = sigmoid(2 x)


class SoftsignT(_Between):
    """``y = lower + (upper - lower) * (x / (1 + abs(x)) + 1) / 2``.

    >>> SoftsignT(-1.0, 1.0).forward(1.0)
    Array(0.5, dtype=float32)
    """

    _curve = SOFTSIGN
