"""Learning rates that change over epochs or calls."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from .. import environ
from .._state import State
from .._units import is_quantity
from ..graph import Node
from ..typing import ArrayLike
from .optim_state import OptimState


class LearningRateScheduler(Node):
    """Base of the schedules: the rate at epoch `i`, counted from 0.

    The base rate is held in a State, so that a new one, ``scheduler.lr = 0.1``, reaches compiled
    functions; a State given as `lr` is that State. `step_epoch` counts an epoch: nothing else does.

    >>> import brainstate
    >>> class Halving(brainstate.optim.LearningRateScheduler):
    ...     def __call__(self, i=None):
    ...         return self.lr * 0.5 ** (self.last_epoch.value + 1 if i is None else i)
    >>> rate = Halving(0.1)
    >>> rate.step_epoch()
    >>> rate()
    Array(0.05, dtype=float32)
    """

    def __init__(self, lr: ArrayLike | State, last_epoch: int = -1):
        if last_epoch < -1:
            raise ValueError(f"last_epoch must be at least -1; found {last_epoch}.")
        self.last_epoch = OptimState(jnp.asarray(last_epoch, environ.ditype()))
        self.lr = lr

    @property
    def lr(self) -> jax.Array:
        """The base rate."""
        return self._lr.value

    @lr.setter
    def lr(self, lr: ArrayLike | State) -> None:
        if isinstance(lr, State):
            lr.value = _as_rate(lr.value)
            self._lr = lr
        elif hasattr(self, "_lr"):
            self._lr.value = jnp.asarray(_as_rate(lr), self._lr.value.dtype)
        else:
            self._lr = OptimState(_as_rate(lr))

    def step_epoch(self) -> None:
        """Count an epoch."""
        self.last_epoch.value += 1

    def step_call(self) -> None:
        """Count a call of the optimizer; schedules over epochs do not mind."""

    def __call__(self, i: ArrayLike | None = None) -> jax.Array:
        """The rate at epoch `i`, or at the present one."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(i).")


class ConstantLR(LearningRateScheduler):
    """The same rate all the time.

    >>> import brainstate
    >>> rate = brainstate.optim.ConstantLR(0.1)
    >>> rate.lr = 0.2
    >>> rate()
    Array(0.2, dtype=float32)
    """

    def __call__(self, i: ArrayLike | None = None) -> jax.Array:
        return self.lr


def as_schedule(lr: Any) -> LearningRateScheduler:
    """A schedule as it is; a number or a State as a constant rate."""
    return lr if isinstance(lr, LearningRateScheduler) else ConstantLR(lr)


def _as_rate(lr: Any) -> jax.Array:
    if is_quantity(lr) or isinstance(lr, (str, bytes)) or lr is None:
        raise TypeError(f"A learning rate is a number, a State or a schedule; found {lr!r}.")
    try:
        rate = jnp.asarray(lr, environ.dftype())
    except (TypeError, ValueError):
        raise TypeError(
            f"A learning rate is a number, a State or a schedule; found {lr!r}."
        ) from None
    if rate.ndim:
        raise ValueError(f"A learning rate is one number; found an array of shape {rate.shape}.")
    return rate
