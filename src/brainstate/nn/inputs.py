"""Tables of the inputs that were given to a model and wait for its next update.

Tables are `DictManager`s, which compiled functions compare only after an attribute assignment.
What is put in and taken out by one and the same body is nothing that they need to know, and edits
the table in place; all else assigns a new table.
"""

from __future__ import annotations

import weakref
from typing import Any

from .._engine.frames import current_frame
from ..graph import Node
from ..util import DictManager


class Pending:
    """An array that the next sum uses up. It dies with the body that gave it."""

    def __init__(self, value: Any):
        frame = current_frame()
        self.value = value
        self.giver = None if frame is None else weakref.ref(frame)

    def is_alive(self) -> bool:
        """Whether it was given outside every body, or by one that is still under way."""
        if self.giver is None:
            return True
        giver, frame = self.giver(), current_frame()
        while frame is not None and frame is not giver:
            frame = frame.parent
        return frame is not None

    def __repr__(self) -> str:
        return repr(self.value)


def put(node: Node, name: str, key: str, inp: Any) -> None:
    """Store an array or function in a table, unless something else waits there: ValueError."""
    table = getattr(node, name)
    waiting = table.get(key)
    if waiting is not None and value_of(waiting) is not inp and _is_alive(waiting):
        raise ValueError(
            f"Another input is waiting under the key {key!r}. Update the model before giving the "
            "next one, or choose another key."
        )
    if callable(inp):
        setattr(node, name, DictManager({**table, key: inp}))
    elif current_frame() is None:
        setattr(node, name, DictManager({**table, key: Pending(inp)}))
    else:
        table[key] = Pending(inp)


def take(node: Node, name: str, label: str | None, args: tuple, kwargs: dict) -> list:
    """What the inputs give: functions are called and stay, arrays are taken out."""
    table = getattr(node, name)
    prefix = "" if label is None else f"{label} // "
    chosen = {key: entry for key, entry in table.items() if key.startswith(prefix)}
    used = {key: entry for key, entry in chosen.items() if isinstance(entry, Pending)}
    if any(entry.giver is None for entry in used.values()):
        setattr(node, name, table.difference_by_keys(used))
    else:
        table.pop_by_keys(used)
    return [
        entry.value if key in used else entry(*args, **kwargs)
        for key, entry in chosen.items()
        if _is_alive(entry)
    ]


def value_of(entry: Any) -> Any:
    """The array or function that stands in a table."""
    return entry.value if isinstance(entry, Pending) else entry


def _is_alive(entry: Any) -> bool:
    return not isinstance(entry, Pending) or entry.is_alive()
