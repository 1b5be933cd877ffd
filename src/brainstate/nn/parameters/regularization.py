"""`Regularization`: a loss of a parameter, and what the loss favours."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ... import random
from ..._units import attach, number_in, unit_of
from ...init.sizes import needed_size
from ...typing import ArrayLike, Size
from ..module import Module
from .parameter import Param
from .transforms import IdentityT, PositiveT
from .transforms.base import floats
from .transforms.checks import bounds, fails


class Regularization(Module):
    """A loss of a parameter. Subclasses define `loss`, and may define the other two methods.

    The parameters of the loss are numbers, quantities, or `Param`s of their own. With `fit_hyper`
    they become `Param`s, so that they are trained as well. Of values with a unit, the loss takes
    the numbers in `unit`.

    >>> import brainstate, jax.numpy as jnp
    >>> class Even(brainstate.nn.Regularization):
    ...     def loss(self, value):
    ...         return jnp.var(value)
    >>> weights = brainstate.nn.Param(jnp.array([1.0, 3.0]), reg=Even())
    >>> weights.reg_loss()
    Array(1., dtype=float32)
    """

    def __init__(self, fit_hyper: bool = False, unit: Any = None, name: str | None = None):
        super().__init__(name=name)
        self.fit_hyper, self.unit = fit_hyper, unit

    def loss(self, value: ArrayLike) -> Any:
        """The loss of a value, a plain number."""
        raise NotImplementedError(f"{type(self).__name__} must define loss(value). [BST-A14]")

    def sample_init(self, shape: Size) -> Any:
        """Random first values for a parameter: standard normal, unless the loss suggests others."""
        return attach(self._draw(needed_size(shape, "shape")), self.unit)

    def reset_value(self) -> Any:
        """The centre of what is favoured, which ``param.set_value`` broadcasts."""
        return attach(floats(self._center()), self.unit)

    def update(self, value: ArrayLike) -> Any:
        return self.loss(value)

    def _draw(self, shape: tuple[int, ...]) -> Any:
        return random.normal(size=shape)

    def _center(self) -> Any:
        return 0.0


class WeightedLoss(Regularization):
    """`weight` times the sum of what `_penalty` gives for the numbers of a value.

    Parameters are set by `_hold` and read by `_number`.
    """

    def __init__(self, weight: ArrayLike, fit_hyper: bool, unit: Any = None):
        super().__init__(fit_hyper, unit)
        self._hold("weight", weight, zero=True)

    def loss(self, value: ArrayLike) -> Any:
        number = floats(number_in(value, self.unit, f"value for {type(self).__name__}"))
        return self._number("weight") * jnp.sum(self._penalty(number))

    def _penalty(self, x: jax.Array) -> jax.Array:
        raise NotImplementedError(f"{type(self).__name__} must define _penalty(x). [BST-A14]")

    def _hold(
        self, name: str, value: Any, unit: Any = None, positive: bool = True, zero: bool = False
    ) -> None:
        """Set a parameter; if `positive`, ValueError unless it is, or 0 where `zero` is allowed."""
        if not isinstance(value, Param):
            bounds(**{name: value})
            number = number_in(value, unit, name)
            if positive and fails(number >= 0 if zero else number > 0):
                raise ValueError(
                    f"`{name}` of {type(self).__name__} must be positive; found {value!r}. "
                    "[BST-A02]"
                )
            if self.fit_hyper:
                value = Param(value, PositiveT(unit) if positive else IdentityT())
        setattr(self, name, value)

    def _number(self, name: str, unit: Any = None) -> Any:
        """A parameter as it is now, as a number in `unit`."""
        return number_in(_now(getattr(self, name)), unit, name)


def unit_in(parameter: Any) -> Any:
    """The unit of a number, quantity or `Param`."""
    return unit_of(_now(parameter))


def _now(parameter: Any) -> Any:
    return parameter.value() if isinstance(parameter, Param) else parameter
