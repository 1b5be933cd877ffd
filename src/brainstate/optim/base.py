"""What all optimizers share."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from .._state import State, StateDictManager
from ..graph import Node
from ..typing import ArrayLike, PyTree
from .schedulers import LearningRateScheduler, as_schedule
from .weights import RegisteredWeights


class Optimizer(Node):
    """Base of the optimizers: `register_trainable_weights` once, then `update` with gradients."""

    def __init__(self) -> None:
        self._weights = RegisteredWeights(self)

    @property
    def param_states(self) -> StateDictManager:
        """The registered weights, each State once."""
        return self._weights.states

    def register_trainable_weights(self, param_states: Mapping[Hashable, State]) -> Any:
        """Take on weights: a dict of States, such as ``model.states(brainstate.ParamState)``."""
        raise NotImplementedError(
            f"{type(self).__name__} must define register_trainable_weights()."
        )

    def update(self, grads: Mapping[Hashable, PyTree]) -> None:
        """Change the weights, given their gradients under the same keys."""
        raise NotImplementedError(f"{type(self).__name__} must define update().")

    def _register(self, weights: Mapping[Hashable, State] | None) -> list:
        """Take on weights; returns the keys that need new slots."""
        known = self._weights if self._weights.owner is self else RegisteredWeights(self)
        self._weights, new = known.joined(weights)
        return new


class SGDOptimizer(Optimizer):
    """Base of the optimizers with a learning rate: a number, a State or a schedule.

    ``optimizer.lr = 0.01`` sets the base rate, also for functions that are compiled already.
    """

    lr: LearningRateScheduler

    def __init__(self, lr: ArrayLike | State | LearningRateScheduler):
        super().__init__()
        self.lr = lr  # type: ignore[assignment]

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "lr" or isinstance(value, LearningRateScheduler):
            super().__setattr__(name, value)
        elif hasattr(self, "lr"):
            self.lr.lr = value
        else:
            super().__setattr__(name, as_schedule(value))


def to_same_dict_tree(*dicts: Mapping) -> Any:
    """Plain dicts with the keys of the first one, in its order, and values in place of States.

    None without arguments, one dict for one, else a tuple. A key that another dict lacks raises
    ValueError.

    >>> import brainstate
    >>> to_same_dict_tree({"w": brainstate.State(1.0)}, {"b": 0.0, "w": 2.0})
    ({'w': 1.0}, {'w': 2.0})
    """
    if not dicts:
        return None
    for other in dicts[1:]:
        if missing := [key for key in dicts[0] if key not in other]:
            raise ValueError(f"The dicts do not match: {missing} is missing in {list(other)}.")
    plain = tuple({key: _value(d[key]) for key in dicts[0]} for d in dicts)
    return plain[0] if len(plain) == 1 else plain


def _value(x: Any) -> Any:
    return x.value if isinstance(x, State) else x
