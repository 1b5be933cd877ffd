"""What all optimizers share."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from .._state import State
from ..typing import PyTree
from .groups import LearningRateGroups
from .schedulers import LearningRateScheduler, Rate, as_schedule, assigned
from .weights import WeightHolder


class Optimizer(WeightHolder):
    """Base of the optimizers: `register_trainable_weights` once, then `update` with gradients."""

    def register_trainable_weights(self, param_states: Mapping[Hashable, State]) -> Any:
        """Take on weights: a dict of States, such as ``model.states(brainstate.ParamState)``."""
        raise NotImplementedError(
            f"{type(self).__name__} must define register_trainable_weights(). [BST-A14]"
        )

    def update(self, grads: Mapping[Hashable, PyTree]) -> None:
        """Change the weights, given their gradients under the same keys."""
        raise NotImplementedError(f"{type(self).__name__} must define update(). [BST-A14]")


class SGDOptimizer(Optimizer):
    """Base of the optimizers with a learning rate.

    A rate is a number, a State, a schedule, a function of the number of updates (as optax's
    schedules are), or a dict of these by filter; see `LearningRateGroups`. ``optimizer.lr = 0.01``
    sets the base rate, also for functions that are compiled already.
    """

    lr: LearningRateScheduler | LearningRateGroups

    def __init__(self, lr: Rate):
        super().__init__()
        self.lr = lr  # type: ignore[assignment]

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "lr":
            value = self._new_rate(value)
        super().__setattr__(name, value)

    def _new_rate(self, value: Any) -> Any:
        now = getattr(self, "lr", None)
        if now is None:
            return LearningRateGroups(value) if isinstance(value, Mapping) else as_schedule(value)
        if isinstance(now, LearningRateGroups):
            raise TypeError(
                f"This {type(self).__name__} has a learning rate for each group of weights: set "
                f"one of them, `optimizer.lr[filter] = ...`, of {now.filters}. [BST-O04]"
            )
        return assigned(now, value)


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
            raise ValueError(
                f"The dicts do not match: {missing} is missing in {list(other)}. [BST-A10]"
            )
    plain = tuple({key: _value(d[key]) for key in dicts[0]} for d in dicts)
    return plain[0] if len(plain) == 1 else plain


def _value(x: Any) -> Any:
    return x.value if isinstance(x, State) else x
