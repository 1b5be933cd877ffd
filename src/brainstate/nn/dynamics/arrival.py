"""What arrives through synapses, before it is a sum of its own."""

from __future__ import annotations

from typing import Any


class Arrival:
    """Spikes that go through a connection, to be added to a variable in one operation.

    The connection has ``added_to(base, spikes)`` beside ``spikes @ connection``.
    """

    def __init__(self, connection: Any, spikes: Any):
        self.connection, self.spikes = connection, spikes

    def added_to(self, base: Any) -> Any:
        """`base` plus what arrives."""
        return self.connection.added_to(base, self.spikes)

    def sum(self) -> Any:
        """What arrives, alone."""
        return self.spikes @ self.connection
