"""`Descent`: the part of an update that does not depend on the rule."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, ClassVar, Unpack

import jax
import jax.numpy as jnp

from .. import environ
from .._state import State
from ..augment.derivative_units import dress, strip
from ..typing import PyTree
from .base import SGDOptimizer
from .checks import fraction
from .gradients import GradientOptions, GradientPreparation
from .groups import LearningRateGroups
from .optim_state import OptimState
from .rule import Part, Rule, move, part
from .schedulers import Rate
from .weights import arrays, remembered


class Descent(SGDOptimizer):
    """Base of the rules ``w <- (1 - weight_decay) w - step``, built on optax.

    A subclass says which transformations stand before and after the learning rate, and which
    attributes hold which fields of their states. All arithmetic is on plain numbers; weights keep
    their units. Keyword arguments that all rules have: `clip_norm`, `clip_value`, `accumulate`;
    see `GradientPreparation`.
    """

    slots: tuple[tuple[str, str], ...] = ()
    """Attributes, and the fields of optax's states that they hold for each weight."""
    counts: ClassVar[bool] = False
    """Whether the rule depends on the number of steps done."""
    decays_with_rate: ClassVar[bool] = False
    """Whether `weight_decay` is multiplied by the learning rate."""

    def __init__(
        self, lr: Rate, weight_decay: float | None = None, **options: Unpack[GradientOptions]
    ):
        super().__init__(lr)
        self.weight_decay = None if weight_decay is None else fraction(weight_decay=weight_decay)
        self.gradients = GradientPreparation(**options)
        for name, _ in self.slots:
            setattr(self, name, {})
        if self.counts:
            self.step_count = OptimState(jnp.asarray(0, environ.ditype()))

    def _before_rate(self) -> tuple[Part, ...]:
        """What turns a gradient into a direction."""
        return ()

    def _after_rate(self) -> tuple[Part, ...]:
        """What turns directions times learning rates into steps."""
        return ()

    def _rule(self) -> Rule:
        decay = (part("add_decayed_weights", self.weight_decay),) if self.weight_decay else ()
        before, after = self._before_rate(), self._after_rate()
        if self.decays_with_rate:
            before = (*before, *decay)
        else:
            after = (*after, *decay)
        return Rule(before, after, tuple(field for _, field in self.slots))

    def register_trainable_weights(
        self, param_states: Mapping[Hashable, State] | None = None
    ) -> None:
        """Take on weights: a dict of States, such as ``model.states(brainstate.ParamState)``."""
        renewed = self._register(param_states)
        if isinstance(self.lr, LearningRateGroups):
            self._weights.groups = {k: self.lr.group_of(k, s) for k, s in self.param_states.items()}
        trained = {key: self.param_states[key] for key in self._trained()}
        rule, contents = self._rule(), {n: dict(getattr(self, n)) for n, _ in self.slots}
        for key, state in trained.items():
            fresh = rule.fresh(arrays(state.value))
            for states, value in zip(contents.values(), fresh, strict=True):
                states[key] = remembered(states.get(key), value, key in renewed)
        for name, states in contents.items():
            setattr(self, name, states)
        self._weights.slots = {key: tuple(s[key] for s in contents.values()) for key in trained}
        self.gradients.register(trained, renewed)

    def update(self, grads: Mapping[Hashable, PyTree]) -> None:
        """Change the weights, given their gradients under the same keys."""
        self._weights.check_owner(self)
        keys = self._trained()
        if unready := [key for key in keys if key not in self._weights.slots]:
            raise ValueError(
                f"The weights {unready} were frozen when they were registered: call "
                "register_trainable_weights() once more, so that they can be trained. [BST-O03]"
            )
        self.gradients(keys, self._weights.gradients(grads, keys), self._step)

    def _trained(self) -> list:
        """The keys of the weights that are not frozen."""
        lr, groups = self.lr, self._weights.groups
        if not isinstance(lr, LearningRateGroups):
            return list(self.param_states)
        return [key for key in self.param_states if lr.schedules[groups[key]] is not None]

    def _step(self, gradients: list[PyTree]) -> None:
        rule, rates = self._rule(), self.lr()
        count = self.step_count.value if self.counts else None
        groups = self._weights.groups
        for key, gradient in zip(self._trained(), gradients, strict=True):
            rate = rates[groups[key]] if isinstance(rates, list) else rates
            self._move(key, rule, rate, count, gradient)
        if count is not None:
            self.step_count.value = count + 1
        self.lr.step_call()

    def _move(self, key: Hashable, rule: Rule, rate: Any, count: Any, gradient: PyTree) -> None:
        state, slots = self.param_states[key], self._weights.slots[key]
        value = state.value
        weights, tree = jax.tree.flatten(strip(value))
        memory = [jax.tree.leaves(slot.value) for slot in slots]
        moved = [
            move(rule, rate, count, g, w, m)
            for g, w, *m in zip(jax.tree.leaves(gradient), weights, *memory, strict=True)
        ]
        state.value = dress(tree.unflatten([weight for weight, _ in moved]), value)
        for index, slot in enumerate(slots):
            slot.value = tree.unflatten([contents[index] for _, contents in moved])
