"""Contender: Brian2 with Cython. One run goes on for ever and answers between chunks of steps."""

from __future__ import annotations

import sys
import time

import numpy as np
from brian2 import ms, network_operation, prefs, second
from brian2_network import simulation
from network import DT, rate
from serve import answer, arguments, say


def main() -> None:
    prefs.codegen.target = "cython"
    network, n, steps = arguments()
    run, group = simulation(network, n, sys.argv[4])
    started: list[tuple[float, int]] = []

    @network_operation(dt=steps * DT * ms, when="start", order=-1)
    def between_chunks() -> None:
        spikes = int(np.asarray(group.fired).sum())
        if len(started) == 1:
            say("ready")
        elif started:
            start, before = started[-1]
            answer(time.perf_counter() - start, rate(spikes - before, n, steps))
        if started and not sys.stdin.readline():
            sys.exit()
        started.append((time.perf_counter(), spikes))

    run.add(between_chunks)
    run.run(1e6 * second)


if __name__ == "__main__":
    main()
