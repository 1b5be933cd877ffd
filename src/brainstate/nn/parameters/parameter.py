"""`Param`: a parameter that keeps to a range while its State is free, and may be regularised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..._engine.names import describe
from ..._state import LongTermState, ParamState
from ..._units import attach, number_in, split
from ...init.parameters import full_param, is_array
from ...typing import ArrayLike
from ..module import Module
from .transforms import IdentityT, Transform
from .transforms.base import floats


class Param(Module):
    """A constrained parameter; ``param.value()`` and ``param()`` give ``precompute(t.forward(x))``.

    The free numbers `x` stand in the State `val`: a `ParamState`, which optimizers train, or with
    ``fit=False`` a `LongTermState`. So no training step can leave the range of the transformation
    `t`. The regularisation `reg` is a loss of the value, before `precompute`.

    >>> import brainstate, brainunit as u
    >>> nn = brainstate.nn
    >>> tau = nn.Param(10.0 * u.ms, t=nn.SoftplusT(1.0 * u.ms), reg=nn.L2Reg(unit=u.ms))
    >>> tau.value(), tau.reg_loss()
    (Quantity(10., "ms"), Array(100., dtype=float32))
    >>> tau.val.value -= 50.0
    >>> tau.value()
    Quantity(1., "ms")
    """

    def __init__(
        self,
        value: ArrayLike,
        t: Transform = IdentityT(),  # noqa: B008  immutable
        reg: Any = None,
        fit: bool = True,
        precompute: Callable[[Any], Any] | None = None,
        name: str | None = None,
    ):
        super().__init__(name=name)
        if not isinstance(t, Transform):
            raise TypeError(
                f"`t` must be a transformation, such as SigmoidT(0, 1); found {t!r}. [BST-A01]"
            )
        if not (reg is None or callable(getattr(reg, "loss", None))):
            raise TypeError(
                f"`reg` must be a regularisation, such as L2Reg(0.1); found {reg!r}. [BST-A01]"
            )
        if not (precompute is None or callable(precompute)):
            raise TypeError(
                f"`precompute` must be a function of the value; found {precompute!r}. [BST-A01]"
            )
        if not is_array(value):
            raise TypeError(
                f"The value of a Param is a number, array or quantity; found {value!r}. Call an "
                "initializer with a shape first. [BST-A01]"
            )
        self.t, self.reg, self.fit, self.precompute = t, reg, fit, precompute
        self.val = (ParamState if fit else LongTermState)(self._free(floats(value)))

    def value(self) -> Any:
        """The value that models use."""
        value = self.t.forward(self.val.value)
        return value if self.precompute is None else self.precompute(value)

    def update(self) -> Any:
        return self.value()

    def set_value(self, value: ArrayLike) -> None:
        """Assign a value (before `precompute`), which is broadcast to the shape that it has."""
        old = self.val.value
        shape = jnp.shape(split(self.t.forward(old))[0])
        number, unit = split(old)
        new = number_in(self._free(full_param(value, shape)), unit, f"value of {describe(self)}")
        self.val.value = attach(new.astype(number.dtype), unit)

    def clip(self, min_value: ArrayLike | None = None, max_value: ArrayLike | None = None) -> None:
        """Move what lies outside [min_value, max_value] to these limits."""
        number, unit = split(self.t.forward(self.val.value))
        limits = {"min_value": min_value, "max_value": max_value}
        ends = (None if x is None else number_in(x, unit, name) for name, x in limits.items())
        self.set_value(attach(jnp.clip(number, *ends), unit))

    def reg_loss(self) -> Any:
        """The loss of the regularisation; 0 without one, or if the parameter is not fitted."""
        if self.reg is None or not self.fit:
            return 0.0
        return self.reg.loss(self.t.forward(self.val.value))

    def _free(self, value: Any) -> Any:
        try:
            return self.t.inverse(value)
        except ValueError as error:
            reason = str(error).partition(" [BST-")[0]  # a message has one code
            raise ValueError(
                f"A value does not suit {describe(self)}: {reason} [BST-N07]"
            ) from error


class Const(Param):
    """A value that is not trained; in compiled functions it is an input, no constant.

    >>> Const(2.0).value()
    Array(2., dtype=float32)
    """

    def __init__(self, value: ArrayLike, name: str | None = None):
        super().__init__(value, fit=False, name=name)


def count_parameters(module: Module) -> int:
    """How many numbers the `ParamState`s below a module hold.

    >>> import brainstate
    >>> count_parameters(brainstate.nn.Linear(2, 3))
    9
    """
    leaves = jax.tree.leaves([state.value for state in module.parameters()])
    return sum(jnp.size(leaf) for leaf in leaves)
