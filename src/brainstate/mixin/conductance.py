"""`BindCondData`: a conductance that waits for the potential."""

from __future__ import annotations

from typing import Any

from .._engine.frames import current_frame
from .._engine.guards import tick
from .markers import Mixin

_BOUND = "the bound conductance"  # a kind of fact that compiled functions rely on


class BindCondData(Mixin):
    """Something that is called with a potential, after a conductance was bound to it.

    What is bound in the body of a transformation is bound until the body ends or fails; what is
    bound outside stays until it is unbound or replaced.
    """

    _bound_outside: Any = None

    def bind_cond(self, conductance: Any) -> None:
        """Take this conductance until the body under way ends."""
        frame = current_frame()
        if frame is None:
            self._bound_outside = conductance
            return
        key = id(self), _BOUND
        frame.edits[key] = self  # what this body reads from now on is its own
        frame.kept[key] = self, conductance
        tick()  # kept programs of inner functions look at their facts again

    def unbind_cond(self) -> None:
        """Give the conductance back."""
        self.bind_cond(None)

    @property
    def _conductance(self) -> Any:
        frame = current_frame()
        if frame is not None and frame.guarded:
            frame.note(self, _BOUND, _bound_now)
        return _bound_now(self)


def _bound_now(out: BindCondData) -> Any:
    """What is bound in the innermost body that bound anything, in itself or in a part of it."""
    frame, key = current_frame(), (id(out), _BOUND)
    while frame is not None:
        if key in frame.kept:
            return frame.kept[key][1]
        if key in frame.edits:  # in an inner body, which has ended
            return None
        frame = frame.parent
    return object.__getattribute__(out, "_bound_outside")
