"""The other end of `contest.py`: a process that simulates one network when it is asked.

It says that it is ready, then answers each line on stdin with the seconds and the rate of one more
chunk of steps. Only the standard library is imported, so that this runs in a peer's environment.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from network import NETWORKS, Network, rate

Simulate = Callable[[], float]  # simulates the next chunk of steps; returns how many spikes


def arguments() -> tuple[Network, int, int]:
    """The network, its number of neurons and the steps of a chunk, from the command line."""
    name, size, steps = sys.argv[1:4]
    n = int(size)
    if n % 40:
        raise ValueError(f"The number of neurons must be a multiple of 40; found {n}.")
    return NETWORKS[name], n, int(steps)


def serve(build: Callable[[Network, int, int], Simulate]) -> None:
    """Build the network of the command line, warm it up by one chunk, and answer requests."""
    network, n, steps = arguments()
    simulate = build(network, n, steps)
    simulate()
    say("ready")
    for _ in sys.stdin:
        start = time.perf_counter()
        spikes = simulate()
        answer(time.perf_counter() - start, rate(spikes, n, steps))


def answer(seconds: float, found: float) -> None:
    """Tell what one chunk took and the mean rate in it."""
    say(json.dumps({"seconds": seconds, "rate": found}))


def say(line: str) -> None:
    print(line, flush=True)
