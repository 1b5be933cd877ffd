"""Modes: what a model is run for, such as training or a batch; a setting of `environ`."""

from __future__ import annotations

from typing import Any

from .markers import Mixin
from .type_tests import JointTypes


class Mode(Mixin):
    """Base of the modes, which are told apart by class alone.

    >>> import brainstate
    >>> Training() == Training(), Training() == Batching()
    (True, False)
    >>> with brainstate.environ.context(mode=Training()):
    ...     brainstate.environ.get_mode().has(Training)
    True
    """

    def is_a(self, mode: Any) -> bool:
        """Whether this is a mode of exactly that class."""
        return type(self) is mode

    def has(self, mode: type) -> bool:
        """Whether this is a mode of that class or of a class derived from it."""
        return isinstance(self, mode)

    def __eq__(self, other: object) -> bool:
        return self._kind() == other._kind() if isinstance(other, Mode) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._kind())

    def _kind(self) -> Any:
        return type(self)

    def __repr__(self) -> str:
        return type(self).__name__


class Training(Mode):
    """The model is trained."""


class Batching(Mode):
    """Several samples are computed at once, along the axis `batch_axis`."""

    def __init__(self, batch_size: int = 1, batch_axis: int = 0):
        self.batch_size, self.batch_axis = batch_size, batch_axis

    def __repr__(self) -> str:
        return f"{type(self).__name__}(in_size={self.batch_size}, axis={self.batch_axis})"


class JointMode(Mode):
    """Several modes at once; attributes are those of the first mode that has them.

    >>> both = JointMode(Batching(4), Training())
    >>> both, both.batch_size, both.has(Training), both.is_a(JointTypes[Training, Batching])
    (JointMode(Batching(in_size=4, axis=0), Training), 4, True, True)
    """

    modes: tuple[Mode, ...] = ()

    def __init__(self, *modes: Mode):
        for mode in modes:
            if not isinstance(mode, Mode):
                raise TypeError(
                    f"JointMode joins modes; found {mode!r}. Give instances of Mode. [BST-A01]"
                )
        self.modes = modes

    @property
    def types(self) -> frozenset[type]:
        """The classes of the modes."""
        return frozenset(map(type, self.modes))

    def is_a(self, cls: Any) -> bool:
        """Whether these modes are exactly of the classes of `JointTypes[...]`, or of one class."""
        return bool(self.modes) and JointTypes[tuple(self.types)] is cls

    def has(self, mode: type) -> bool:
        """Whether one of the modes is of that class or of a class derived from it."""
        return any(isinstance(member, mode) for member in self.modes)

    def _kind(self) -> Any:
        return self.types

    def __getattr__(self, name: str) -> Any:
        for mode in self.modes:
            if hasattr(mode, name):
                return getattr(mode, name)
        raise AttributeError(
            f"Neither JointMode nor any of its modes {self.modes} has {name!r}. [BST-A05]"
        )

    def __repr__(self) -> str:
        return f"JointMode({', '.join(map(repr, self.modes))})"
