"""`StateDictManager`: a dictionary of States."""

from __future__ import annotations

from typing import Any

import jax

from .._errors import BadKeyError
from ..util.dict_manager import DictManager
from .state import State


class StateDictManager(DictManager):
    """A dict of States, and a pytree whose leaves are these States.

    >>> import brainstate
    >>> weights = brainstate.StateDictManager(w=brainstate.ParamState(1.0))
    >>> weights.assign_values({"w": 2.0})
    >>> weights.to_dict_values()
    {'w': 2.0}
    """

    def _check_elem(self, elem: Any) -> None:
        if not isinstance(elem, State):
            raise TypeError(
                f"A StateDictManager holds States; found {type(elem).__name__}. [BST-A01]"
            )

    def assign_values(self, *args: dict) -> None:
        """Write the values into the States of the same keys; an unknown key raises KeyError."""
        for values in args:
            for key, value in values.items():
                if key not in self:
                    raise BadKeyError(
                        f"No State {key!r} here; the keys are {list(self)}. [BST-A05]"
                    )
                self[key].value = value

    def split_values(self, first: type, *others: type) -> tuple[DictManager, ...]:
        """Values by State type; the last dict has the rest."""
        return tuple(
            DictManager({key: state.value for key, state in part.items()})
            for part in self.split(first, *others)
        )

    def collect_values(self) -> DictManager:
        """The values, in a DictManager."""
        return DictManager(self.to_dict_values())

    def to_dict_values(self) -> dict:
        """The values, in a plain dict."""
        return {key: state.value for key, state in self.items()}


jax.tree_util.register_pytree_with_keys(
    StateDictManager,
    lambda d: ([(jax.tree_util.DictKey(key), state) for key, state in d.items()], tuple(d)),
    lambda keys, states: StateDictManager(zip(keys, states, strict=True)),
)
