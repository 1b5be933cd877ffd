"""Schedules over the calls of the optimizer, which counts them."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from .._state import State
from ..typing import ArrayLike
from .checks import count, positive
from .epoch_schedules import cosine, increasing
from .schedulers import CallBasedLRScheduler

_LAST = 2**31 - 1  # no count goes beyond


class CosineAnnealingWarmRestarts(CallBasedLRScheduler):
    """`CosineAnnealingLR` that jumps back to `lr` after ``T_0``, then ``T_0 * T_mult``, ... epochs.

    An epoch is `num_call_per_epoch` calls. Loshchilov and Hutter (2017), ICLR.

    >>> import brainstate
    >>> rate = brainstate.optim.CosineAnnealingWarmRestarts(1.0, 1, T_0=1, T_mult=2)
    >>> [round(float(rate(i)), 4) for i in range(4)]
    [1.0, 1.0, 0.5, 1.0]
    """

    def __init__(
        self,
        lr: ArrayLike | State,
        num_call_per_epoch: int,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
        last_call: int = -1,
    ):
        super().__init__(lr, last_epoch, last_call)
        self.num_call_per_epoch = count(num_call_per_epoch=num_call_per_epoch)
        self.T_0, self.T_mult, self.eta_min = count(T_0=T_0), count(T_mult=T_mult), eta_min

    def current_epoch(self, i: ArrayLike | None = None) -> jax.Array:
        """The epoch of call `i`, or the present one."""
        return (self._now() if i is None else jnp.asarray(i)) // self.num_call_per_epoch

    def _rate(self, i: jax.Array) -> jax.Array:
        epoch = self.current_epoch(i)
        if self.T_mult == 1:
            return cosine(self.lr, self.eta_min, (epoch % self.T_0) / self.T_0)
        starts, lengths = self._restarts()
        restart = jnp.searchsorted(starts, epoch, "right") - 1
        return cosine(self.lr, self.eta_min, (epoch - starts[restart]) / lengths[restart])

    def _restarts(self) -> tuple[jax.Array, jax.Array]:
        """At which epoch each cosine starts, and how many epochs it lasts."""
        starts, lengths = [0], [self.T_0]
        while starts[-1] + lengths[-1] <= _LAST:
            starts.append(starts[-1] + lengths[-1])
            lengths.append(lengths[-1] * self.T_mult)
        return jnp.array(starts), jnp.array(lengths, float)


class ExponentialDecayLR(CallBasedLRScheduler):
    """``lr * decay_rate ** (i / decay_steps)``.

    >>> import brainstate
    >>> rate = brainstate.optim.ExponentialDecayLR(1.0, decay_steps=2, decay_rate=0.25)
    >>> [float(rate(i)) for i in range(3)]
    [1.0, 0.5, 0.25]
    """

    def __init__(
        self,
        lr: ArrayLike | State,
        decay_steps: float,
        decay_rate: float,
        last_epoch: int = -1,
        last_call: int = -1,
    ):
        super().__init__(lr, last_epoch, last_call)
        self.decay_steps = positive(decay_steps=decay_steps)
        self.decay_rate = positive(decay_rate=decay_rate)

    def _rate(self, i: jax.Array) -> jax.Array:
        return self.lr * self.decay_rate ** (i / self.decay_steps)


class InverseTimeDecayLR(ExponentialDecayLR):
    """``lr / (1 + decay_rate * i / decay_steps)``; with `staircase`, the floor of the fraction.

    >>> import brainstate
    >>> rate = brainstate.optim.InverseTimeDecayLR(1.0, decay_steps=2, decay_rate=1.0)
    >>> [round(float(rate(i)), 4) for i in range(3)]
    [1.0, 0.6667, 0.5]
    """

    def __init__(
        self,
        lr: ArrayLike | State,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        last_epoch: int = -1,
        last_call: int = -1,
    ):
        super().__init__(lr, decay_steps, decay_rate, last_epoch, last_call)
        self.staircase = bool(staircase)

    def _rate(self, i: jax.Array) -> jax.Array:
        time = i / self.decay_steps
        return self.lr / (1 + self.decay_rate * (jnp.floor(time) if self.staircase else time))


class PolynomialDecayLR(CallBasedLRScheduler):
    """``(lr - final_lr) (1 - i / decay_steps) ** power + final_lr``; `final_lr` afterwards.

    >>> import brainstate
    >>> rate = brainstate.optim.PolynomialDecayLR(1.0, decay_steps=2, final_lr=0.5)
    >>> [float(rate(i)) for i in range(4)]
    [1.0, 0.75, 0.5, 0.5]
    """

    def __init__(
        self,
        lr: ArrayLike | State,
        decay_steps: float,
        final_lr: float,
        power: float = 1.0,
        last_epoch: int = -1,
        last_call: int = -1,
    ):
        super().__init__(lr, last_epoch, last_call)
        self.decay_steps = positive(decay_steps=decay_steps)
        self.final_lr, self.power = final_lr, power

    def _rate(self, i: jax.Array) -> jax.Array:
        left = 1 - jnp.minimum(i, self.decay_steps) / self.decay_steps
        return (self.lr - self.final_lr) * left**self.power + self.final_lr


class PiecewiseConstantLR(CallBasedLRScheduler):
    """``values[number of boundaries < i]``: at a boundary the earlier value holds.

    `lr` is a factor of all values, 1 at first.

    >>> import brainstate
    >>> rate = brainstate.optim.PiecewiseConstantLR([1, 2], [1.0, 0.5, 0.25])
    >>> [float(rate(i)) for i in range(4)]
    [1.0, 1.0, 0.5, 0.25]
    """

    def __init__(
        self,
        boundaries: Sequence[int],
        values: Sequence[float],
        last_epoch: int = -1,
        last_call: int = -1,
    ):
        super().__init__(1.0, last_epoch, last_call)
        self.boundaries, self.values = increasing(boundaries=boundaries), tuple(values)
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                f"There must be one value more than boundaries; found {len(self.values)} values "
                f"and {len(self.boundaries)} boundaries. [BST-A10]"
            )

    def _rate(self, i: jax.Array) -> jax.Array:
        passed = jnp.searchsorted(np.array(self.boundaries), i, "left")
        return self.lr * jnp.asarray(self.values, self.lr.dtype)[passed]
