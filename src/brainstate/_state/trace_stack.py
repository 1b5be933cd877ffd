"""`StateTraceStack`: a record of the States that a piece of code reads and writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax

from .._engine import frames
from .state import State


class StateTraceStack:
    """While open, records each State read or written, with its value at first sight.

    States created inside are not recorded. `new_arg` maps the abstract value of each leaf of a
    State to the value that the State gets at first sight.

    >>> import brainstate
    >>> a, b = brainstate.State(1.0), brainstate.State(2.0)
    >>> with brainstate.StateTraceStack() as trace:
    ...     a.value = b.value
    >>> trace.been_writen, trace.original_state_values
    ([False, True], (2.0, 1.0))
    """

    def __init__(self, new_arg: Callable[[Any], Any] | None = None):
        self.states: list[State] = []
        self.been_writen: list[bool] = []
        self._originals: list[Any] = []
        self._new_arg = new_arg
        self._open: list[_RecordingFrame] = []

    def __enter__(self) -> StateTraceStack:
        frame = _RecordingFrame(self)
        frame.__enter__()
        self._open.append(frame)
        return self

    def __exit__(self, *exc: Any) -> None:
        self._open.pop().__exit__(*exc)

    @property
    def original_state_values(self) -> tuple[Any, ...]:
        """The values at the first access, in the order of `states`."""
        return tuple(self._originals)

    def set_new_arg(self, new_arg: Callable[[Any], Any]) -> None:
        """Keep a function that makes new arguments; nothing here calls it."""
        self._new_arg = new_arg

    def read_its_value(self, state: State) -> None:
        """Record a read."""
        self._record(state, False)

    def write_its_value(self, state: State) -> None:
        """Record a write."""
        self._record(state, True)

    def _record(self, state: State, written: bool) -> None:
        if state in self.states:
            index = self.states.index(state)
            self.been_writen[index] = self.been_writen[index] or written
            return
        frame = self._open[-1].parent if self._open else frames.current_frame()
        value = frames.read(frame, state)
        self.states.append(state)
        self.been_writen.append(written)
        self._originals.append(value)
        if self._new_arg is not None:
            new = jax.tree.map(lambda leaf: self._new_arg(jax.typeof(leaf)), value)
            frames.write(frame, state, new)

    def _select(self, items: Sequence[Any], written: bool, padded: bool) -> tuple[Any, ...]:
        pairs = zip(items, self.been_writen, strict=True)
        return tuple(
            item if flag is written else None for item, flag in pairs if padded or flag is written
        )

    def get_state_values(self, separate: bool = False, replace: bool = False) -> tuple:
        """The current values; `separate`: (written, read), `replace`: with None at gaps."""
        if not separate:
            return tuple(state.value for state in self.states)
        return self.get_write_state_values(replace), self.get_read_state_values(replace)

    def get_read_states(self, replace_writen: bool = False) -> tuple[State | None, ...]:
        """The States only read; with `replace_writen`, None stands for each of the others."""
        return self._select(self.states, False, replace_writen)

    def get_write_states(self, replace_read: bool = False) -> tuple[State | None, ...]:
        """The States written; with `replace_read`, None stands for each of the others."""
        return self._select(self.states, True, replace_read)

    def get_read_state_values(self, replace_writen: bool = False) -> tuple[Any, ...]:
        """The values of the States only read, as in `get_read_states`."""
        return self._select([s.value for s in self.states], False, replace_writen)

    def get_write_state_values(self, replace_read: bool = False) -> tuple[Any, ...]:
        """The values of the States written, as in `get_write_states`."""
        return self._select([s.value for s in self.states], True, replace_read)

    def recovery_original_values(self) -> None:
        """Put the original values back."""
        frame = self._open[-1].parent if self._open else frames.current_frame()
        for state, value in zip(self.states, self._originals, strict=True):
            frames.write(frame, state, value)

    def merge(self, *traces: StateTraceStack) -> StateTraceStack:
        """The union, in order; a State written in one is written in the whole."""
        merged = StateTraceStack()
        for trace in (self, *traces):
            for state, written, value in zip(
                trace.states, trace.been_writen, trace._originals, strict=True
            ):
                if state in merged.states:
                    index = merged.states.index(state)
                    merged.been_writen[index] = merged.been_writen[index] or written
                else:
                    merged.states.append(state)
                    merged.been_writen.append(written)
                    merged._originals.append(value)
        return merged

    __add__ = merge


class _RecordingFrame(frames.PassingFrame):
    """A frame that records and otherwise lets everything through."""

    def __init__(self, stack: StateTraceStack):
        super().__init__()
        self.stack = stack

    def read(self, state: State) -> Any:
        self._record(state, False)
        return super().read(state)

    def write(self, state: State, value: Any) -> None:
        self._record(state, True)
        super().write(state, value)

    def restore(self, state: State, value: Any) -> None:
        self._record(state, False)
        super().restore(state, value)

    def _record(self, state: State, written: bool) -> None:
        if not (state in self.created or getattr(state, "bookkeeping", False)):
            self.stack._record(state, written)
