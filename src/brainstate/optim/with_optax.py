"""`OptaxOptimizer`: any transformation of optax as an optimizer."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, Unpack

import jax
import jax.numpy as jnp

from .._state import State
from ..augment.derivative_units import dress
from ..typing import PyTree
from .base import Optimizer
from .gradients import GradientOptions, GradientPreparation
from .optim_state import OptimState
from .weights import arrays

if TYPE_CHECKING:
    import optax


class OptaxOptimizer(Optimizer):
    """An optimizer made of an optax transformation, such as ``optax.adam(1e-3)``.

    optax sees a dict of the weights, as plain numbers, under the keys that they were given.

    >>> import brainstate, optax
    >>> w = brainstate.ParamState(1.0)
    >>> opt = brainstate.optim.OptaxOptimizer(optax.sgd(0.1)).register_trainable_weights({"w": w})
    >>> opt.update({"w": 0.5})
    >>> round(float(w.value), 6)
    0.95
    """

    opt_state: OptimState | None = None

    def __init__(self, tx: optax.GradientTransformation, **options: Unpack[GradientOptions]):
        import optax

        super().__init__()
        if not isinstance(tx, optax.GradientTransformation):
            raise TypeError(f"tx must be an optax.GradientTransformation; found {tx!r}. [BST-A01]")
        self.tx = tx
        self.opt_state = None
        self.gradients = GradientPreparation(**options)

    def register_trainable_weights(self, param_states: Mapping[Hashable, State]) -> OptaxOptimizer:
        """Take on weights; what is remembered about earlier ones is kept."""
        renewed = self._register(param_states)
        state = self.tx.init(self._values())
        if self.opt_state is not None:
            state = _carried_over(self.opt_state.value, state, renewed)
        self.opt_state = OptimState(state)
        self.gradients.register(self.param_states, renewed)
        return self

    def update(self, grads: Mapping[Hashable, PyTree]) -> None:
        if self.opt_state is None:
            raise ValueError(
                "No weights yet: call register_trainable_weights() before update(). [BST-O01]"
            )
        self._weights.check_owner(self)
        keys = list(self.param_states)
        self.gradients(keys, self._weights.gradients(grads, keys), self._step)

    def _step(self, gradients: list[PyTree]) -> None:
        import optax

        assert self.opt_state is not None
        states, weights = self.param_states, self._values()
        by_key = dict(zip(states, gradients, strict=True))
        updates, self.opt_state.value = self.tx.update(by_key, self.opt_state.value, weights)
        new = optax.apply_updates(weights, updates)
        for key, state in states.items():
            state.value = dress(new[key], state.value)

    def _values(self) -> dict:
        return {key: arrays(state.value) for key, state in self.param_states.items()}


def _carried_over(old: Any, fresh: Any, renewed: list) -> Any:
    """The fresh state, with the leaves of the old one where they belong to the same weight."""
    kept = dict(jax.tree_util.tree_leaves_with_path(old))

    def choose(path: tuple, leaf: Any) -> Any:
        keys = [getattr(entry, "key", None) for entry in path]
        before = kept.get(path, leaf)
        fits = jnp.shape(before) == jnp.shape(leaf)
        return before if fits and not any(key in renewed for key in keys) else leaf

    return jax.tree_util.tree_map_with_path(choose, fresh)
