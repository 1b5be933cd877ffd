"""Learning rates that change over epochs or calls: what all of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from .. import environ
from .._state import State
from .._units import is_quantity
from ..graph import Node
from ..typing import ArrayLike
from .checks import count
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
        self.last_epoch = _counter(last_epoch=last_epoch)
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
        """The rate at epoch (or call) `i`, or at the present one."""
        return self._rate(self._now() if i is None else jnp.asarray(i))

    def _now(self) -> jax.Array:
        return self.last_epoch.value + 1

    def _rate(self, i: jax.Array) -> jax.Array:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(i). [BST-A14]")


class CallBasedLRScheduler(LearningRateScheduler):
    """Base of the schedules over the calls of the optimizer, which counts them by `step_call`."""

    def __init__(self, lr: ArrayLike | State, last_epoch: int = -1, last_call: int = -1):
        super().__init__(lr, last_epoch)
        self.last_call = _counter(last_call=last_call)

    def step_call(self) -> None:
        """Count a call of the optimizer."""
        self.last_call.value += 1

    def _now(self) -> jax.Array:
        return self.last_call.value + 1


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


class FunctionLR(CallBasedLRScheduler):
    """``lr * function(i)``, with any function of the number of calls, such as optax's schedules.

    >>> import brainstate, optax
    >>> rate = brainstate.optim.FunctionLR(optax.linear_schedule(1.0, 0.0, 10))
    >>> rate(5)
    Array(0.5, dtype=float32)
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        lr: ArrayLike | State = 1.0,
        last_epoch: int = -1,
        last_call: int = -1,
    ):
        super().__init__(lr, last_epoch, last_call)
        if not callable(function):
            raise TypeError(
                f"function must be a function of the call; found {function!r}. [BST-A01]"
            )
        self.function = function

    def _rate(self, i: jax.Array) -> jax.Array:
        return self.lr * self.function(i)


class WarmupLR(CallBasedLRScheduler):
    """A rate or schedule, at first times a factor.

    The factor grows linearly from `start_factor` to 1 in `warmup_steps` calls. The schedule runs
    from the first call on; to delay it, see ``optax.join_schedules``.

    >>> import brainstate
    >>> rate = brainstate.optim.WarmupLR(0.5, warmup_steps=4)
    >>> [float(rate(i)) for i in range(6)]
    [0.0, 0.125, 0.25, 0.375, 0.5, 0.5]
    """

    def __init__(
        self,
        lr: ArrayLike | State | LearningRateScheduler | Callable,
        warmup_steps: int,
        start_factor: float = 0.0,
        last_call: int = -1,
    ):
        self.schedule = as_schedule(lr)
        super().__init__(self.schedule.lr, last_call=last_call)
        self.warmup_steps = count(warmup_steps=warmup_steps)
        self.start_factor = start_factor

    @property
    def lr(self) -> jax.Array:
        """The base rate of the schedule."""
        return self.schedule.lr

    @lr.setter
    def lr(self, lr: ArrayLike | State) -> None:
        self.schedule.lr = lr

    def step_epoch(self) -> None:
        super().step_epoch()
        self.schedule.step_epoch()

    def step_call(self) -> None:
        super().step_call()
        self.schedule.step_call()

    def __call__(self, i: ArrayLike | None = None) -> jax.Array:
        calls = self._now() if i is None else jnp.asarray(i)
        done = jnp.minimum(calls / self.warmup_steps, 1.0)
        return self.schedule(i) * (self.start_factor + (1 - self.start_factor) * done)


Rate: TypeAlias = (
    ArrayLike | State | LearningRateScheduler | Callable[[Any], Any] | Mapping[Any, Any]
)


def as_schedule(lr: Any) -> LearningRateScheduler:
    """A schedule as it is; a number or a State as a constant rate; a function as what it gives."""
    if isinstance(lr, LearningRateScheduler):
        return lr
    return FunctionLR(lr) if callable(lr) else ConstantLR(lr)


def assigned(schedule: LearningRateScheduler, lr: Any) -> LearningRateScheduler:
    """The schedule that is valid after ``optimizer.lr = lr``: another one, or the same at `lr`."""
    if isinstance(lr, LearningRateScheduler) or callable(lr):
        return as_schedule(lr)
    if isinstance(lr, Mapping):
        raise TypeError(
            "Learning rates by filter must be known before weights are registered: give them to a "
            "new optimizer. [BST-O04]"
        )
    schedule.lr = lr
    return schedule


def _counter(**given: int) -> OptimState:
    return OptimState(jnp.asarray(count(-1, **given), environ.ditype()))


def _as_rate(lr: Any) -> jax.Array:
    expected = "A learning rate is a number, a State, a schedule or a function of the call"
    if is_quantity(lr) or isinstance(lr, (str, bytes)) or lr is None:
        raise TypeError(f"{expected}; found {lr!r}. [BST-A01]")
    try:
        rate = jnp.asarray(lr, environ.dftype())
    except (TypeError, ValueError):
        raise TypeError(f"{expected}; found {lr!r}. [BST-A01]") from None
    if rate.ndim:
        raise ValueError(
            f"A learning rate is one number; found an array of shape {rate.shape}. [BST-A04]"
        )
    return rate
