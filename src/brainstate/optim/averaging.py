"""`ExponentialMovingAverage`: a running mean of weights beside those that are trained."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from .._state import State
from ..augment.derivative_units import dress, strip
from .checks import memory
from .weights import WeightHolder, arrays, remembered


class ExponentialMovingAverage(WeightHolder):
    """``a <- decay * a + (1 - decay) * w`` at each `update`; inside `swap` the weights are `a`.

    The averages start as the weights are, and have at least the precision of float32.

    >>> import brainstate
    >>> w = brainstate.ParamState(0.0)
    >>> average = brainstate.optim.ExponentialMovingAverage({"w": w}, decay=0.5)
    >>> w.value = 1.0
    >>> average.update()
    >>> with average.swap():
    ...     print(w.value)
    0.5
    >>> w.value
    1.0
    """

    def __init__(self, param_states: Mapping[Hashable, State] | None = None, decay: float = 0.999):
        super().__init__()
        self.decay = memory(decay=decay)
        self.averages: dict[Hashable, State] = {}
        self.register_trainable_weights(param_states)

    def register_trainable_weights(
        self, param_states: Mapping[Hashable, State] | None = None
    ) -> None:
        """Take on weights; averages of earlier ones are kept."""
        renewed, averages = self._register(param_states), dict(self.averages)
        for key, state in self.param_states.items():
            fresh = jax.tree.map(_precise, arrays(state.value))
            averages[key] = remembered(averages.get(key), fresh, key in renewed)
        self.averages = averages

    def update(self) -> None:
        """Move the averages towards the weights: call it after each step of the optimizer."""
        self._weights.check_owner(self)
        for key, state in self.param_states.items():
            average = self.averages[key]
            average.value = jax.tree.map(self._moved, average.value, strip(state.value))

    @contextlib.contextmanager
    def swap(self) -> Iterator[None]:
        """Inside, the weights are the averages; afterwards they are what they were before."""
        self._weights.check_owner(self)
        states = dict(self.param_states)
        before = {key: state.value for key, state in states.items()}
        try:
            for key, state in states.items():
                number = jax.tree.map(_like, self.averages[key].value, strip(before[key]))
                state.value = dress(number, before[key])
            yield
        finally:
            for key, state in states.items():
                state.value = before[key]

    def _moved(self, average: jax.Array, weight: Any) -> jax.Array:
        if not jnp.issubdtype(average.dtype, jnp.inexact):
            return jnp.asarray(weight, average.dtype)
        return (average + (1 - self.decay) * (weight - average)).astype(average.dtype)


def _precise(weight: jax.Array) -> jax.Array:
    inexact = jnp.issubdtype(weight.dtype, jnp.inexact)
    return weight.astype(jnp.promote_types(weight.dtype, jnp.float32)) if inexact else weight


def _like(average: jax.Array, weight: Any) -> jax.Array:
    return average.astype(jnp.result_type(weight))
