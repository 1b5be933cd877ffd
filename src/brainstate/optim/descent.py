"""`Descent`: the part of an update that does not depend on the rule."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from .._state import State
from .._units import is_quantity
from ..augment.derivative_units import dress, strip
from ..typing import ArrayLike, PyTree
from .base import SGDOptimizer
from .optim_state import OptimState
from .schedulers import LearningRateScheduler


class Descent(SGDOptimizer):
    """Base of the rules ``p <- (1 - weight_decay) p - lr * direction``.

    Subclasses name their slots, which hold one zero for each number of each weight, and define
    `_directions`. All arithmetic is on plain numbers; weights keep their units.
    """

    slots: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, lr: ArrayLike | State | LearningRateScheduler, weight_decay: float | None = None
    ):
        super().__init__(lr)
        if weight_decay is not None and not 0 <= weight_decay <= 1:
            raise ValueError(f"weight_decay must lie in [0, 1]; found {weight_decay}.")
        self.weight_decay = weight_decay
        for slot in self.slots:
            setattr(self, slot, {})

    def register_trainable_weights(
        self, param_states: Mapping[Hashable, State] | None = None
    ) -> None:
        new = self._register(param_states)
        for slot in self.slots:
            states = self._weights.slots.setdefault(slot, {})
            for key in new:
                states[key] = OptimState(_zeros(self.param_states[key].value))
            setattr(self, slot, dict(states))

    def update(self, grads: Mapping[Hashable, PyTree]) -> None:
        self._weights.check_owner(self)
        states = self.param_states.values()
        gradients = self._weights.gradients(grads)
        values = [state.value for state in states]
        weights = list(map(strip, values))
        lr = self.lr()
        directions = self._directions(gradients, weights)
        new = jax.tree.map(lambda p, d: self._stepped(p, d, lr), weights, directions)
        for state, value, weight in zip(states, values, new, strict=True):
            state.value = dress(weight, value)
        self.lr.step_call()

    def _directions(self, gradients: list, weights: list) -> list:
        """What to subtract from each weight, before the learning rate; renews the slots."""
        raise NotImplementedError(f"{type(self).__name__} must define _directions().")

    def _stepped(self, p: Any, direction: Any, lr: Any) -> jax.Array:
        kept = p if self.weight_decay is None else (1 - self.weight_decay) * p
        return (kept - lr * direction).astype(jnp.result_type(p))

    def _slot(self, name: str) -> list:
        slot = self._weights.slots.get(name, {})
        return [slot[key].value for key in self.param_states]

    def _set_slot(self, name: str, values: list) -> None:
        slot = self._weights.slots.get(name, {})
        for key, value in zip(self.param_states, values, strict=True):
            slot[key].value = value


def _zeros(value: Any) -> Any:
    return jax.tree.map(jnp.zeros_like, strip(value), is_leaf=is_quantity)
