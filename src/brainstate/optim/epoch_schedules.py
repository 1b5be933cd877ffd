"""Schedules over epochs, which `step_epoch` counts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from .._state import State
from ..typing import ArrayLike
from .checks import count, fraction
from .schedulers import LearningRateScheduler


class StepLR(LearningRateScheduler):
    """``lr * gamma ** floor(i / step_size)``.

    >>> import brainstate
    >>> rate = brainstate.optim.StepLR(1.0, step_size=2, gamma=0.5)
    >>> [float(rate(i)) for i in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(
        self,
        lr: ArrayLike | State,
        step_size: int,
        gamma: float = 0.1,
        last_epoch: int = -1,
    ):
        super().__init__(lr, last_epoch)
        self.step_size, self.gamma = count(step_size=step_size), fraction(gamma=gamma)

    def _rate(self, i: jax.Array) -> jax.Array:
        return self.lr * self.gamma ** (i // self.step_size)


class MultiStepLR(LearningRateScheduler):
    """``lr * gamma ** (number of milestones <= i)``.

    >>> import brainstate
    >>> rate = brainstate.optim.MultiStepLR(1.0, milestones=[2, 3], gamma=0.5)
    >>> [float(rate(i)) for i in range(5)]
    [1.0, 1.0, 0.5, 0.25, 0.25]
    """

    def __init__(
        self,
        lr: ArrayLike | State,
        milestones: Sequence[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ):
        super().__init__(lr, last_epoch)
        self.milestones, self.gamma = increasing(milestones=milestones), fraction(gamma=gamma)

    def _rate(self, i: jax.Array) -> jax.Array:
        return self.lr * self.gamma ** jnp.searchsorted(np.array(self.milestones), i, "right")


class CosineAnnealingLR(LearningRateScheduler):
    """``eta_min + (lr - eta_min) (1 + cos(pi i / T_max)) / 2``, which rises again after `T_max`.

    >>> import brainstate
    >>> rate = brainstate.optim.CosineAnnealingLR(1.0, T_max=2)
    >>> [round(float(rate(i)), 4) for i in range(5)]
    [1.0, 0.5, 0.0, 0.5, 1.0]
    """

    def __init__(
        self,
        lr: ArrayLike | State,
        T_max: int,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ):
        super().__init__(lr, last_epoch)
        self.T_max, self.eta_min = count(T_max=T_max), eta_min

    def _rate(self, i: jax.Array) -> jax.Array:
        return cosine(self.lr, self.eta_min, i / self.T_max)


class ExponentialLR(LearningRateScheduler):
    """``lr * gamma ** i``.

    >>> import brainstate
    >>> rate = brainstate.optim.ExponentialLR(1.0, gamma=0.5)
    >>> [float(rate(i)) for i in range(4)]
    [1.0, 0.5, 0.25, 0.125]
    """

    def __init__(self, lr: ArrayLike | State, gamma: float, last_epoch: int = -1):
        super().__init__(lr, last_epoch)
        self.gamma = fraction(gamma=gamma)

    def _rate(self, i: jax.Array) -> jax.Array:
        return self.lr * self.gamma**i


def cosine(lr: jax.Array, least: float, share: jax.Array) -> jax.Array:
    """From `lr` to `least` in half a cosine, as `share` goes from 0 to 1."""
    return least + (lr - least) * (1 + jnp.cos(jnp.pi * share)) / 2


def increasing(**given: Sequence[float]) -> tuple:
    """The one keyword argument as a tuple; ValueError, naming it, unless it increases."""
    ((name, values),) = given.items()
    found = tuple(values)
    if not found or any(b <= a for a, b in itertools.pairwise(found)):
        raise ValueError(
            f"{name} must be increasing numbers, one at least; found {values}. [BST-A02]"
        )
    return found
