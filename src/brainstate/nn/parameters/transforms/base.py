"""`Transform`: a map from free numbers to the values that a parameter may take."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ...._engine.jax_api import is_tracer
from ...._units import attach, number_in, split
from ....init.parameters import full_param, is_array
from ....typing import ArrayLike
from .checks import fails


class Transform:
    """A map from free numbers `x` to constrained values `y`, and back.

    It works on single elements (`event_ndim` 0) or on the vectors along the last axis (1); any axes
    may stand before these. Subclasses define the three methods.

    >>> import brainstate, jax.numpy as jnp
    >>> class CubeT(brainstate.nn.Transform):
    ...     def forward(self, x):
    ...         return x**3
    ...
    ...     def inverse(self, y):
    ...         return jnp.cbrt(y)
    ...
    ...     def log_abs_det_jacobian(self, x, y=None):
    ...         return jnp.log(3 * x**2)
    >>> brainstate.nn.Param(8.0, t=CubeT()).val.value
    Array(2., dtype=float32)
    """

    event_ndim: int = 0

    def forward(self, x: ArrayLike) -> Any:
        """The value `y` of free numbers `x`."""
        raise NotImplementedError(f"{type(self).__name__} must define forward(x). [BST-A14]")

    def inverse(self, y: ArrayLike) -> Any:
        """Free numbers `x` of which `y` is the value; ValueError where there are none."""
        raise NotImplementedError(f"{type(self).__name__} must define inverse(y). [BST-A14]")

    def log_abs_det_jacobian(self, x: ArrayLike, y: ArrayLike | None = None) -> jax.Array:
        """``log |det dy/dx|`` at `x`, of each element or vector; `y`, if known, is ``forward(x)``.

        Of quantities, the numbers are differentiated.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define log_abs_det_jacobian(x, y). [BST-A14]"
        )

    def __call__(self, x: ArrayLike) -> Any:
        return self.forward(x)

    def __repr__(self) -> str:
        shown = (f"{k}={v!r}" for k, v in vars(self).items() if not k.startswith("_"))
        return f"{type(self).__name__}({', '.join(shown)})"


class NumberTransform(Transform):
    """A transformation of floating-point numbers, around which the units are taken off and put on.

    Subclasses define `_forward`, `_inverse` and `_log_slope`; and, unless every number is a value,
    `_reaches`, which tells the values apart in NumPy, and `_image`, which says what they are.
    """

    _x_unit: Any = None
    _y_unit: Any = None

    def forward(self, x: ArrayLike) -> Any:
        return attach(self._forward(self._numbers(x, self._x_unit, "x")), self._y_unit)

    def inverse(self, y: ArrayLike) -> Any:
        number = self._numbers(y, self._y_unit, "y")
        self._check(number)
        return attach(self._inverse(number), self._x_unit)

    def log_abs_det_jacobian(self, x: ArrayLike, y: ArrayLike | None = None) -> jax.Array:
        return self._log_slope(self._numbers(x, self._x_unit, "x"))

    def _forward(self, x: jax.Array) -> jax.Array:
        raise NotImplementedError(f"{type(self).__name__} must define _forward(x). [BST-A14]")

    def _inverse(self, y: jax.Array) -> jax.Array:
        raise NotImplementedError(f"{type(self).__name__} must define _inverse(y). [BST-A14]")

    def _log_slope(self, x: jax.Array) -> jax.Array:
        raise NotImplementedError(f"{type(self).__name__} must define _log_slope(x). [BST-A14]")

    def _reaches(self, y: np.ndarray) -> Any:
        return np.True_

    def _image(self) -> str:
        return "numbers"

    def _numbers(self, x: ArrayLike, unit: Any, name: str) -> jax.Array:
        number = floats(number_in(x, unit, f"{name} of {self!r}"))
        if number.ndim < self.event_ndim:
            raise ValueError(f"{self!r} takes vectors; found {name}={x!r}. [BST-A04]")
        return number

    def _check(self, y: jax.Array) -> None:
        """ValueError for a value that no `x` gives, unless it is known at run time only."""
        if is_tracer(y):
            return
        with np.errstate(all="ignore"):
            reached = self._reaches(np.asarray(y))
        if fails(reached):
            event = y.shape[y.ndim - self.event_ndim :]
            wrong = np.broadcast_to(y, (*reached.shape, *event))[~np.asarray(reached)][0]
            raise ValueError(
                f"{self!r} gives {self._image()}; found {attach(wrong, self._y_unit)}. [BST-N07]"
            )


def floats(x: ArrayLike) -> Any:
    """`x` as an array of floating-point numbers, with its unit."""
    if not is_array(x):
        raise TypeError(f"Expected a number, an array or a quantity; found {x!r}. [BST-A01]")
    number, unit = split(full_param(x, jnp.shape(split(x)[0])))
    return attach(jnp.asarray(number, number.dtype), unit)  # no weak type, which loops would change
