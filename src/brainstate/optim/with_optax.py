"""`OptaxOptimizer`: any transformation of optax as an optimizer."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from .._state import State
from ..augment.derivative_units import dress, strip
from ..typing import PyTree
from .base import Optimizer
from .optim_state import OptimState

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

    def __init__(self, tx: optax.GradientTransformation):
        import optax

        super().__init__()
        if not isinstance(tx, optax.GradientTransformation):
            raise TypeError(f"tx must be an optax.GradientTransformation; found {tx!r}.")
        self.tx = tx
        self.opt_state = None

    def register_trainable_weights(self, param_states: Mapping[Hashable, State]) -> OptaxOptimizer:
        """Take on weights; what is remembered about earlier ones is kept."""
        new = self._register(param_states)
        state = self.tx.init(self._values())
        if self.opt_state is not None:
            state = _carried_over(self.opt_state.value, state, new)
        self.opt_state = OptimState(state)
        return self

    def update(self, grads: Mapping[Hashable, PyTree]) -> None:
        import optax

        if self.opt_state is None:
            raise ValueError("No weights yet: call register_trainable_weights() before update().")
        self._weights.check_owner(self)
        states = self.param_states
        gradients = dict(zip(states, self._weights.gradients(grads), strict=True))
        weights = self._values()
        updates, self.opt_state.value = self.tx.update(gradients, self.opt_state.value, weights)
        new = optax.apply_updates(weights, updates)
        for key, state in states.items():
            state.value = dress(new[key], state.value)

    def _values(self) -> dict:
        return {
            key: jax.tree.map(jnp.asarray, strip(state.value))
            for key, state in self.param_states.items()
        }


def _carried_over(old: Any, fresh: Any, new_keys: list) -> Any:
    """The fresh state, with the leaves of the old one where they belong to the same weight."""
    kept = dict(jax.tree_util.tree_leaves_with_path(old))

    def choose(path: tuple, leaf: Any) -> Any:
        keys = [getattr(entry, "key", None) for entry in path]
        return leaf if any(key in new_keys for key in keys) else kept.get(path, leaf)

    return jax.tree_util.tree_map_with_path(choose, fresh)
