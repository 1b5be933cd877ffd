"""`State`: a mutable box for a pytree, and its kinds."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any, Self

import jax

from .._engine import frames
from .._engine.attachments import Attachable
from .._engine.cell import UNSET, Cell
from .._engine.frames import write_checks
from .._engine.jax_api import EAGER, current_trace
from .._engine.names import caller, describe
from .._errors import TraceContextError
from ..typing import Missing
from ..util.pretty import PrettyAttr, PrettyRepr, PrettyType
from .catching import caught
from .reference import StateMetadata, TreefyState

_INTERNAL = ("_cell", "_home", "_name", "source_info", "tag")


class State(Attachable, PrettyRepr):
    """A mutable box for one pytree of arrays; compared and hashed by identity.

    Functions read and write ``state.value`` freely, and every brainstate transformation sees it.
    In a pytree a State is a leaf. Keyword arguments become attributes of the State.

    >>> import brainstate
    >>> count = brainstate.State(0, name="count")
    >>> count.value += 1
    >>> count.value
    1
    """

    _cell: Cell
    _home: Any  # the plain jax trace that it lives in, if it was made inside one
    tag: str | None
    source_info: str | None  # file:line of its creation, for error messages

    private_to_lanes = False
    """Whether what the lanes of `vmap` write stays with them."""

    bookkeeping = False
    """Whether it belongs to a tool that looks on, and to no model."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        state = super().__new__(cls)
        state._cell = Cell()
        return state

    def __init__(self, value: Any, name: str | None = None, **metadata: Any):
        if isinstance(value, StateMetadata):
            value, metadata = value.raw_value, {**value.metadata, **metadata}
        self.source_info = caller()
        self._set_metadata({"name": name, **metadata})
        frames.create(self, value.value if isinstance(value, State) else value)
        caught(self)

    @property
    def _value(self) -> Any:
        """The value outside every transformation."""
        return self._cell.get()

    @_value.setter
    def _value(self, value: Any) -> None:
        self._cell.set(value)

    @property
    def value(self) -> Any:
        """The value, as seen from the innermost transformation under way."""
        self.check_if_deleted()
        return frames.read(frames.current_frame(), self)

    @value.setter
    def value(self, value: Any) -> None:
        self.write_value(value)

    def write_value(self, value: Any) -> None:
        """Assign the value; a State as value raises ValueError."""
        if isinstance(value, State):
            raise ValueError(
                f"{describe(self)} was assigned a State; assign its value: `.value = other.value`. "
                "[BST-S06]"
            )
        if checks := write_checks.get():
            _run(checks, self, value)
        frames.write(frames.current_frame(), self, value)

    def restore_value(self, value: Any) -> None:
        """Assign a value of the same tree structure; anything else raises ValueError."""
        self._check_tree(value)
        _run(write_checks.get(), self, value)
        frames.restore(frames.current_frame(), self, value)

    def value_call(self, fun: Callable[[Any], Any]) -> Any:
        """``jax.tree.map(fun, self.value)``; the State keeps its value."""
        return jax.tree.map(fun, self.value)

    def split_for_lanes(self, value: Any) -> tuple[Any, Any]:
        """(what stays outside, what goes in) when a lane of `vmap` first reads this State."""
        return value, value

    def enter_lane(self, value: Any, axis_name: Any) -> Any:
        """What one lane makes of the value that goes in."""
        return value

    def leave_lanes(self, value: Any, frame: Any) -> Any:
        """What becomes of a lane's value where all lanes of `frame` share the State."""
        return value

    def check_if_deleted(self) -> None:
        """Hook run before each read; random states renew a donated key here."""

    def check_valid_trace(self, message: Callable[[], str]) -> None:
        """Raise TraceContextError where the State cannot be assigned from here."""
        frame = frames.current_frame()
        home = self._home if frame is None or self._home is not None else frame.trace
        if current_trace() is not (home or EAGER):
            raise TraceContextError(f"{message()} [BST-S01]")

    def _check_tree(self, value: Any) -> None:
        found, expected = jax.tree.structure(value), jax.tree.structure(self.value)
        if found != expected:
            raise ValueError(
                f"The value given to {describe(self)} does not match with the origin tree "
                f"structure: found {found}, expected {expected}. Assign a value of the same "
                "structure, or leave `check_state_value_tree`. [BST-S07]"
            )

    @property
    def name(self) -> str | None:
        """A name chosen by the user."""
        return self._name

    @name.setter
    def name(self, name: str | None) -> None:
        self._name = name

    def copy(self) -> Self:
        """A new State of this class with the same value object."""
        return rebuild(type(self), self.value, self._metadata())

    def replace(self, value: Any = Missing, **attributes: Any) -> Self:
        """A new State of this class with another value or other attributes."""
        metadata = self._metadata()
        if isinstance(value, State):
            if type(value) is not type(self):
                raise ValueError(
                    f"replace() of a {type(self).__name__} was given a {type(value).__name__}; "
                    "give a State of the same class, or its value. [BST-A01]"
                )
            value, metadata = value.value, value._metadata()
        elif value is Missing:
            value = self.value
        return rebuild(type(self), value, {**metadata, **attributes})

    def to_state_ref(self) -> TreefyState:
        """This State as a pytree, for functions that take and return values."""
        return TreefyState(type(self), self.value, **self._metadata())

    def update_from_ref(self, ref: TreefyState) -> None:
        """Take over the value and the attributes of `ref`."""
        self._set_metadata(ref.get_metadata())
        self.write_value(ref.value)

    def _metadata(self) -> dict[str, Any]:
        fields = {key: item for key, item in vars(self).items() if key not in _INTERNAL}
        return {"name": self._name, "tag": self.tag, **fields}

    def _set_metadata(self, metadata: dict[str, Any]) -> None:
        metadata = dict(metadata)
        self._name, self.tag = metadata.pop("name", None), metadata.pop("tag", None)
        for key, item in metadata.items():
            setattr(self, key, item)

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: dict) -> Self:
        leaves, tree = jax.tree.flatten(self.value)
        new = rebuild(type(self), tree.unflatten([copy.deepcopy(x, memo) for x in leaves]), {})
        memo[id(self)] = new
        new._set_metadata(copy.deepcopy(self._metadata(), memo))
        return new

    def __reduce__(self) -> tuple:
        return rebuild, (type(self), self.value, self._metadata())

    def _shown_value(self) -> Any:
        try:
            return self.value
        except TraceContextError:  # a repr must not raise: debuggers and error messages call it
            return UNSET

    def __pretty_repr__(self) -> Iterator[Any]:
        yield PrettyType(type(self))
        for key, item in vars(self).items():
            if key not in _INTERNAL and key[0] != "_":
                yield PrettyAttr.of(key, item)
        yield PrettyAttr.of("value", self._shown_value())
        if self._name is not None:
            yield PrettyAttr.of("name", self._name)
        if self.tag is not None:
            yield PrettyAttr.of("tag", self.tag)


class ShortTermState(State):
    """Data of one run: membrane potentials, caches, masks."""


class HiddenState(ShortTermState):
    """A dynamical variable of a model, carried from step to step."""


class LongTermState(State):
    """Data that persists across runs: running statistics, counters."""


class ParamState(LongTermState):
    """A trainable parameter."""


def _run(checks: tuple[Callable[[State, Any], None], ...], state: State, value: Any) -> None:
    for check in checks:
        check(state, value)


def rebuild(cls: type[State], value: Any, metadata: dict[str, Any]) -> Any:
    """A State of class `cls` made without running `__init__` and unseen by catchers."""
    state = cls.__new__(cls)
    state.source_info = caller()
    state._set_metadata(metadata)
    frames.create(state, value)
    return state


@contextlib.contextmanager
def check_state_value_tree(val: bool = True) -> Iterator[None]:
    """Inside, assigning a value of another tree structure raises ValueError."""
    others = tuple(c for c in write_checks.get() if c is not State._check_tree)
    token = write_checks.set((*others, State._check_tree) if val else others)
    try:
        yield
    finally:
        write_checks.reset(token)


@contextlib.contextmanager
def check_state_jax_tracer(val: bool = True) -> Iterator[None]:
    """Kept for programs that ask for it: assignments across traces raise always."""
    yield
