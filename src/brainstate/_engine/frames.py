"""Frames: where reads and writes go while a transformation runs its body.

A frame is a scratch copy. Reads fall through to the enclosing frame (or to the State itself);
writes stay in the frame until the transformation has succeeded and commits them. So dropping a
frame is all the clean-up that an exception needs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from operator import is_not
from typing import TYPE_CHECKING, Any

import jax

from .._errors import TraceContextError
from .cell import UNSET
from .jax_api import EAGER, current_trace, is_staging, is_tracer, set_current_trace
from .names import describe

if TYPE_CHECKING:
    from .._state import State
    from .guards import Guards

_current: ContextVar[Frame | None] = ContextVar("brainstate_frame", default=None)
current_frame = _current.get

write_checks: ContextVar[tuple[Callable[[State, Any], None], ...]] = ContextVar(
    "brainstate_write_checks", default=()
)
"""What looks at each value that a user's code assigns; hashable, as programs are kept by it."""


class Frame:
    """One running body, seen from the States: what it read, wrote and created.

    A plain frame *closes over* outside values, as `jax.grad` and `jax.vmap` do; only `given`
    values are explicit.
    """

    repeats = False  # the body stands for any number of runs: loops and branches
    guards: Guards | None = None

    def __init__(self, given: dict[State, Any] | None = None):
        self.parent = current_frame()
        self.outer_trace = current_trace()
        outside = self.parent is not None and self.parent.guarded
        self.guarded: bool = outside or self.guards is not None
        self.values: dict[State, Any] = {}
        self.contents: dict[State, tuple] = {}  # as first seen, to notice edits in place
        self.seen: set[State] = set()
        self.fetched: dict[State, None] = {}  # ordered sets: read from outside,
        self.written: dict[State, None] = {}  # assigned inside,
        self.created: dict[State, None] = {}  # constructed inside
        self.nodes: dict[int, Any] = {}  # id -> node made inside
        self.edits: dict[tuple[int, str], Any] = {}  # (id, attribute) -> node edited inside
        self.kept: dict[Any, Any] = {}  # until the body ends: what may hold its tracers
        self.give(given or {})

    def give(self, values: dict[State, Any]) -> None:
        """Make these the values that the body sees."""
        for state, value in values.items():
            self._admit(state, value)

    def __enter__(self) -> Frame:
        self._token = _current.set(self)
        self.trace = current_trace()
        return self

    def __exit__(self, exc_type: type | None, *_: Any) -> None:
        _current.reset(self._token)
        if exc_type is None and self.parent is not None:
            self.parent.nodes.update(self.nodes)
            self.parent.edits.update(self.edits)
        self.values.clear()  # effects were handed on; keep no tracer alive
        self.contents.clear()
        self.kept.clear()
        self.parent = self.outer_trace = None  # programs outlive their frames' surroundings
        del self.trace, self._token

    def note(self, node: Any, kind: str, probe: Callable[[Any], Any]) -> None:
        """Tell every guarded program under way that its body relies on this fact about `node`."""
        frame: Frame | None = self
        while frame is not None and frame.guarded:
            if id(node) in frame.nodes or (id(node), kind) in frame.edits:
                return  # made or set by this body: no outside fact
            if frame.guards is not None:
                frame.guards.add(node, kind, probe)
            frame = frame.parent

    # ------------------------------------------------------------------ reads and writes

    def read(self, state: State) -> Any:
        self.seen.add(state)
        if state not in self.values:
            value = self.fetch(state)
            self.fetched[state] = None
            self._admit(state, value)
        if current_trace() is not self.trace and not self._is_staged() and is_staging():
            raise TraceContextError(f"{_inside_plain_jax(state, 'read')} [BST-S01]")
        return self.values[state]

    def write(self, state: State, value: Any) -> None:
        if current_trace() is not self.trace:
            raise TraceContextError(f"{_inside_plain_jax(state, 'assigned')} [BST-S01]")
        self.values[state] = value
        self._mark_written(state)

    def restore(self, state: State, value: Any) -> None:
        """Put a value back; recorders take it for a read."""
        self.write(state, value)

    def create(self, state: State, value: Any) -> None:
        self.values[state] = value
        self.created[state] = None

    def fetch(self, state: State) -> Any:
        """The first sight of an outside State: close over the value it has there."""
        return self.outer_value(state)

    def outer_value(self, state: State) -> Any:
        # An inner plain jax trace may be running now; the outside lives in its own.
        with set_current_trace(self.outer_trace):
            return read(self.parent, state)

    def inspect(self, new: dict[State, Any]) -> None:
        """Called before a transformation inside commits these values; may raise."""

    def effects(self) -> list[State]:
        """States whose value must leave the frame, in a fixed order. Ask at the body's end."""
        for state, contents in [*self.contents.items()]:
            if state not in self.written and _changed(contents, self.values[state]):
                for check in write_checks.get():
                    check(state, self.values[state])
                self._mark_written(state)  # the body edited a container in place
        return [*self.written, *self.created]

    def _admit(self, state: State, value: Any) -> None:
        leaves, tree = jax.tree.flatten(value)
        if not (len(leaves) == 1 and leaves[0] is value):
            # Rebuild containers: the body may edit its own copy in place, and only that.
            self.contents[state], value = (leaves, tree), tree.unflatten(leaves)
        self.values[state] = value

    def _mark_written(self, state: State) -> None:
        if state not in self.created:
            self.written[state] = None

    def _is_staged(self) -> bool:
        if self.parent is not None:
            return self.parent._is_staged()
        with set_current_trace(self.outer_trace):
            return is_staging()


class PassingFrame(Frame):
    """A frame that looks on and lets everything through."""

    def read(self, state: State) -> Any:
        return read(self.parent, state)

    def write(self, state: State, value: Any) -> None:
        write(self.parent, state, value)

    def restore(self, state: State, value: Any) -> None:
        restore(self.parent, state, value)

    def create(self, state: State, value: Any) -> None:
        self.created[state] = None
        if self.parent is None:
            create_outside(state, value)
        else:
            self.parent.create(state, value)

    def inspect(self, new: dict[State, Any]) -> None:
        if self.parent is not None:
            self.parent.inspect(new)


@contextlib.contextmanager
def outside() -> Iterator[None]:
    """Inside, code runs as outside every transformation."""
    token = _current.set(None)
    try:
        with set_current_trace(EAGER):
            yield
    finally:
        _current.reset(token)


def read(frame: Frame | None, state: State) -> Any:
    """The value of `state` as seen from `frame` (None: from outside every frame)."""
    if frame is not None and state._home is None:
        return frame.read(state)
    trace = current_trace()
    if state._value is UNSET:
        raise TraceContextError(
            f"{describe(state)} has no value here: it was created inside a transformation that "
            "failed, or inside a loop or branch body, where it lives for one run only. Create it "
            "before the call. [BST-S04]"
        )
    if state._home is not None:
        if trace is EAGER:
            _bring_home(state)
    elif trace is not EAGER and is_staging():
        raise TraceContextError(f"{_inside_plain_jax(state, 'read')} [BST-S01]")
    return state._value


def write(frame: Frame | None, state: State, value: Any) -> None:
    """Assign `state` in `frame`, or for good where there is none."""
    if frame is not None and state._home is None:
        frame.write(state, value)
        return
    trace = current_trace()
    if trace is EAGER:
        _keep(state, value)
    elif trace is not state._home:
        raise TraceContextError(f"{_inside_plain_jax(state, 'assigned')} [BST-S01]")
    else:
        state._value = value


def at_hand(state: State) -> list | None:
    """The list of the one leaf that is the value, outside everything; None in all other cases.

    Eager code that is called often may read and replace it there, and moves the clock of a
    remembered cell.
    """
    if _current.get() is not None or state._home is not None or current_trace() is not EAGER:
        return None
    leaves = state._cell.leaves
    return leaves if state._cell.tree is None and leaves[0] is not UNSET else None


def restore(frame: Frame | None, state: State, value: Any) -> None:
    """As `write`, but a recorder takes it for a read."""
    if frame is not None and state._home is None:
        frame.restore(state, value)
    else:
        write(frame, state, value)


def create(state: State, value: Any) -> None:
    """Give a new State its first value, in the frame or plain jax trace that it belongs to."""
    frame, trace = current_frame(), current_trace()
    state._home = None
    if frame is not None and trace is frame.trace:
        state._value = UNSET
        frame.create(state, value)
    else:
        create_outside(state, value)


def create_outside(state: State, value: Any) -> None:
    """Give a new State its first value outside every frame."""
    trace = current_trace()
    if trace is EAGER:
        _keep(state, value)
    else:  # it behaves like a local variable there
        state._value, state._home = value, trace


def _keep(state: State, value: Any) -> None:
    """Store a value outside everything, where no tracer has a meaning."""
    leaves, tree = jax.tree.flatten(value)
    if any(map(is_tracer, leaves)):
        raise TraceContextError(
            f"{describe(state)} was assigned a value that a function computed while it was traced, "
            "and that ended with this trace. Return it from the function, or assign the State "
            "there. [BST-S02]"
        )
    state._cell.place(value, leaves, tree)
    state._home = None


def commit(states: Iterable[State], values: Iterable[Any], created: Iterable[State] = ()) -> None:
    """Publish effects to the enclosing frame, or to the States themselves."""
    frame, new = current_frame(), dict(zip(states, values, strict=True))
    if frame is not None:
        frame.inspect(new)
    for state, value in new.items():
        if state in created:
            create(state, value)
        else:
            write(frame, state, value)


def _changed(contents: tuple[list, Any], value: Any) -> bool:
    leaves, tree = contents
    now, tree_now = jax.tree.flatten(value)
    return tree_now != tree or any(map(is_not, now, leaves))


def _bring_home(state: State) -> None:
    if any(map(is_tracer, jax.tree.leaves(state._value))):
        raise TraceContextError(
            f"{describe(state)} was created inside a plain jax transformation that has ended, and "
            "its value ended with it. Return the value, or use the brainstate version of that "
            "transformation (brainstate.transform). [BST-S03]"
        )
    state._home = None


def _inside_plain_jax(state: State, verb: str) -> str:
    harm = "its tracer would leak" if verb == "assigned" else "its value would be baked in"
    return (
        f"{describe(state)} was {verb} inside a plain jax transformation, where {harm}. Use the "
        "brainstate twin of that transformation (brainstate.transform.jit, .grad, .vmap, .scan, "
        ".cond, ...), which sees States, or pass the value as an argument and return it."
    )
