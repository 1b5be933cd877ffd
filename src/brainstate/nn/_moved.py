"""Names that later BrainState releases keep in `nn`, and this library in rooms of their own."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from .. import functional, init, surrogate

_EVENT = (
    "CSRLinear",
    "EventFixedNumConn",
    "EventFixedProb",
    "EventLinear",
    "FixedNumConn",
    "FixedProb",
)

# A room, and which of its names are found in `nn` as well, as is the room itself. What `nn` has of
# its own goes first: `nn.Identity` is a layer.
ROOMS: dict[str, tuple[str, ...]] = {
    "functional": tuple(functional.__all__),
    "init": tuple(init.__all__),
    "surrogate": (),
    "event": _EVENT,
}
MOVED = {name: room for room, names in ROOMS.items() for name in (*names, room)}

for _room in (functional, init, surrogate):  # `import brainstate.nn.init` finds the same module
    sys.modules.setdefault(f"{__package__}.{_room.__name__.rpartition('.')[2]}", _room)


def resolve(name: str) -> Any:
    """The object of that name, in the role of ``nn.__getattr__``."""
    if name not in MOVED:
        raise AttributeError(f"module {__package__!r} has no attribute {name!r} [BST-A05]")
    room = importlib.import_module(f"..{MOVED[name]}", __package__)
    return room if name == MOVED[name] else getattr(room, name)
