"""References from one node to another that is no part of it."""

from __future__ import annotations

from typing import Any

from ...graph import Node


def refer(node: Node, **others: Any) -> None:
    """Set attributes of a new node; errors go on naming the others by what they are parts of."""
    for name, other in others.items():
        object.__setattr__(node, name, other)
