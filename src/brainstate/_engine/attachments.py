"""What is kept for an object for as long as it lives, on the object itself.

A weak dictionary would not do: what is kept refers to the object in turn (a program to the lists of
its model, a child to its parent), and only a reference held by the object makes that a cycle that
Python can collect.
"""

from __future__ import annotations

from typing import Any


class Attachable:
    """Has room for attachments, out of sight of `vars`, copies and pickles."""

    __slots__ = ("_attachments",)

    def __getstate__(self) -> Any:
        state: Any = object.__getstate__(self)
        if isinstance(state, tuple):
            fields, slots = state
            slots = {name: item for name, item in slots.items() if name != "_attachments"}
            return (fields, slots) if slots else fields
        return state


def attachments(obj: Attachable) -> dict:
    """The dict of things kept for `obj`."""
    try:
        return object.__getattribute__(obj, "_attachments")
    except AttributeError:
        kept: dict = {}
        object.__setattr__(obj, "_attachments", kept)
        return kept
