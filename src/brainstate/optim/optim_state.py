"""`OptimState`: what an optimizer remembers."""

from __future__ import annotations

from .._state import LongTermState


class OptimState(LongTermState):
    """A moment, counter or rate of an optimizer; no trainable parameter."""
