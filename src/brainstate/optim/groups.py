"""`LearningRateGroups`: a learning rate for each group of weights."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from .._errors import BadKeyError
from .._state import State
from ..graph import Node
from ..util.filter import ordered_predicates, split_by_filters
from .schedulers import LearningRateScheduler, as_schedule, assigned


class LearningRateGroups(Node):
    """Rates by filter: a weight has that of the first filter that matches its key and State.

    With None as rate, the weights stay as they are, need no gradients and take no memory. What
    was frozen when it was registered can be trained after another ``optimizer.lr[filter] = ...``
    and ``optimizer.register_trainable_weights()``.

    >>> import brainstate
    >>> from brainstate.util.filter import PathContains
    >>> model = brainstate.nn.Sequential(brainstate.nn.Linear(2, 3), brainstate.nn.Linear(3, 1))
    >>> opt = brainstate.optim.Adam({PathContains(0): None, ...: 1e-3})
    >>> opt.register_trainable_weights(model.states(brainstate.ParamState))
    >>> opt.lr[...] = 1e-4
    """

    def __init__(self, rates: Mapping[Any, Any]):
        self.filters = tuple(rates)
        ordered_predicates(self.filters)
        self.schedules = [None if rate is None else as_schedule(rate) for rate in rates.values()]

    def group_of(self, key: Hashable, state: State) -> int:
        """The index of the first filter that matches; ValueError if none does."""
        path: Any = key if isinstance(key, tuple) else (key,)
        found = split_by_filters([(path, state)], self.filters, exhaustive=True)
        return next(index for index, matched in enumerate(found) if matched)

    def __getitem__(self, the_filter: Any) -> LearningRateScheduler | None:
        return self.schedules[self._index(the_filter)]

    def __setitem__(self, the_filter: Any, rate: Any) -> None:
        schedules = list(self.schedules)
        index = self._index(the_filter)
        now = schedules[index]
        if rate is None or now is None:
            schedules[index] = None if rate is None else as_schedule(rate)
        else:
            schedules[index] = assigned(now, rate)
        self.schedules = schedules

    def _index(self, the_filter: Any) -> int:
        if the_filter not in self.filters:
            raise BadKeyError(
                f"No group {the_filter!r} here; the filters are {self.filters}. [BST-A05]"
            )
        return self.filters.index(the_filter)

    def __call__(self, i: Any = None) -> list:
        """The rate of each group, None for frozen ones."""
        return [None if schedule is None else schedule(i) for schedule in self.schedules]

    def step_epoch(self) -> None:
        """Count an epoch."""
        for schedule in self._distinct():
            schedule.step_epoch()

    def step_call(self) -> None:
        """Count a call of the optimizer."""
        for schedule in self._distinct():
            schedule.step_call()

    def _distinct(self) -> list[LearningRateScheduler]:
        return list({id(s): s for s in self.schedules if s is not None}.values())
