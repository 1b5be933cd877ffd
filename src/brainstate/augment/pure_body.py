"""`PureBody`: a stateful function as a pure one that can be differentiated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from .._engine.frames import Frame, commit
from .._engine.hidden import hide_foreign, is_graph, show
from .._engine.names import describe, function_name
from .._state import State


class PureBody:
    """One call of `fun`: given States' values and arguments, returns ``(value, (aux, effects))``.

    `finish` stores the effects once JAX has differentiated it.
    """

    def __init__(self, fun: Callable, has_aux: bool):
        self.fun, self.has_aux, self.frame = fun, has_aux, Frame()
        self.name = function_name(fun)
        self.effects: list[State] = []

    def __call__(self, given: dict[State, Any], args: tuple, kwargs: dict) -> tuple[Any, tuple]:
        frame = self.frame
        with frame:
            frame.give(given)
            value, aux = self._split(self.fun(*args, **kwargs))
            self.effects = frame.effects()
            new = [frame.values[state] for state in self.effects]
        return value, (hide_foreign(aux), new)

    def finish(self, side: tuple) -> Any:
        """Commit the effects; returns what the function returned beside its value."""
        aux, new = side
        commit(self.effects, new, self.frame.created)
        return show(aux)

    def _split(self, out: Any) -> tuple[Any, Any]:
        value, aux = out, None
        if self.has_aux:
            if not (isinstance(out, (tuple, list)) and len(out) == 2):
                found = "an array" if isinstance(out, jax.Array) else f"a {type(out).__name__}"
                raise TypeError(
                    f"With has_aux=True, {self.name} must return a pair (value, aux); it returned "
                    f"{found}. [BST-D06]"
                )
            value, aux = out
        for leaf in filter(is_graph, jax.tree.leaves(value)):
            raise TypeError(
                f"{self.name} returned {describe(leaf)}, which has no derivative. Return the "
                "`.value` of a State, or with has_aux=True a pair (value, anything). [BST-D04]"
            )
        return value, aux
