"""The other end of `contest.py`: a process that simulates one network when it is asked.

It says that it is ready, then answers each line on stdin with the seconds of one more chunk of
steps, and a mean rate. Nothing but the standard library and NumPy is imported, so that this runs in
a peer's environment.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from network import NETWORKS, Network, rate


class Simulation(NamedTuple):
    """What a contender does: `chunk` simulates the next steps, and is what is timed.

    `spikes` says how many spikes there were in a chunk, the last or one more: where counting costs
    time, it is not done in what is timed.
    """

    chunk: Callable[[], object]
    spikes: Callable[[], float]


def arguments() -> tuple[Network, int, int]:
    """The network, its number of neurons and the steps of a chunk, from the command line."""
    name, size, steps = sys.argv[1:4]
    n = int(size)
    if n % 40:
        raise ValueError(f"The number of neurons must be a multiple of 40; found {n}.")
    return NETWORKS[name], n, int(steps)


def serve(build: Callable[[Network, int, int], Simulation]) -> None:
    """Build the network of the command line, warm it up by one chunk, and answer requests."""
    network, n, steps = arguments()
    simulation = build(network, n, steps)
    simulation.chunk()
    simulation.spikes()
    say("ready")
    for _ in sys.stdin:
        start = time.perf_counter()
        simulation.chunk()
        seconds = time.perf_counter() - start
        answer(seconds, rate(simulation.spikes(), n, steps))


def answer(seconds: float, found: float) -> None:
    """Tell what one chunk took, and a mean rate."""
    say(json.dumps({"seconds": seconds, "rate": found}))


def say(line: str) -> None:
    print(line, flush=True)
