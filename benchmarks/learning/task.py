"""The task of all contenders, and how each answers; needs the standard library and NumPy only."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

INPUTS, NEURONS, CLASSES, BATCH, STEPS = 700, 256, 20, 64, 100
DT, TAU, RATE = 1.0, 20.0, 1e-3  # ms, ms, learning rate
REPEATS = 5  # training steps for each request


class Task(NamedTuple):
    """Spikes of shape (steps, batch, inputs), their classes, and the first weights."""

    spikes: np.ndarray
    classes: np.ndarray
    weights: dict[str, np.ndarray]


def task() -> Task:
    """About 5 % of the inputs spike in a step, and about as many neurons."""
    draw = np.random.default_rng(0)

    def normal(before: int, after: int, gain: float) -> np.ndarray:
        scale = gain * np.sqrt(2 / before)
        return (scale * draw.normal(size=(before, after))).astype(np.float32)

    return Task(
        (draw.random((STEPS, BATCH, INPUTS)) < 0.05).astype(np.float32),
        draw.integers(0, CLASSES, BATCH),
        {
            "input": normal(INPUTS, NEURONS, 6.0),
            "bias": np.zeros(NEURONS, np.float32),
            "recurrent": normal(NEURONS, NEURONS, 1.0),
            "output": normal(NEURONS, CLASSES, 1.0),
        },
    )


def serve(
    make_step: Callable[[Task], Callable[[], float]], bytes_of: Callable | None = None
) -> None:
    """Answer each line on stdin by the mean seconds of some training steps.

    `make_step` gives a function that takes one step and returns the loss before it. Beside it, the
    answer has the losses of the first steps, the seconds of the very first, by how many MiB the
    process grew at most, and what `bytes_of(step)` says.
    """
    data = task()
    step = make_step(data)
    before = _most_memory()
    start = time.perf_counter()
    losses = [step()]
    facts = {"first": time.perf_counter() - start}
    losses += [step() for _ in range(9)]
    facts |= {"losses": losses, "grown": (_most_memory() - before) / 1024}
    if bytes_of is not None:
        facts["temporary"] = bytes_of(step) / 2**20
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        for _ in range(REPEATS):
            step()
        seconds = (time.perf_counter() - start) / REPEATS
        print(json.dumps({"seconds": seconds, **facts}), flush=True)


def _most_memory() -> int:
    """KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
