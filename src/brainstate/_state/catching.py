"""Catching States as they are created."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ..typing import Filter
from ..util.filter import to_predicate

if TYPE_CHECKING:
    from .state import State

_catchers: ContextVar[tuple[Catcher, ...]] = ContextVar("brainstate_catchers", default=())


class Catcher:
    """The States created while it was open, in the order of creation."""

    def __init__(self, tag: str | None, exclude: Filter):
        self.tag = tag
        self.states: list[State] = []
        self._excluded = to_predicate(exclude)

    @property
    def state_ids(self) -> set[int]:
        return {id(state) for state in self.states}

    def catch(self, state: State) -> None:
        if not self._excluded((), state):
            self.states.append(state)
            if self.tag is not None:
                state.tag = self.tag

    def get_state_values(self) -> list[Any]:
        return [state.value for state in self.states]

    def clear(self) -> None:
        self.states.clear()


@contextlib.contextmanager
def catch_new_states(
    state_tag: str | None = None, state_to_exclude: Filter = None, *, tag: str | None = None
) -> Iterator[Catcher]:
    """Collect the States created inside, and tag them.

    Catchers nest: a State goes to all of them, and the innermost tag stays. Without a tag the
    States keep their own.

    >>> import brainstate
    >>> with brainstate.catch_new_states("new") as catcher:
    ...     membrane = brainstate.ShortTermState(0.0)
    >>> membrane.tag, catcher.states == [membrane]
    ('new', True)
    """
    catcher = Catcher(state_tag if tag is None else tag, state_to_exclude)
    token = _catchers.set((*_catchers.get(), catcher))
    try:
        yield catcher
    finally:
        _catchers.reset(token)


def caught(state: State) -> None:
    """Show a new State to the open catchers, outermost first."""
    for catcher in _catchers.get():
        catcher.catch(state)
