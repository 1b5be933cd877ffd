"""Contender: Brian2's generated C++, which then takes the place of this process and answers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from brian2 import device, ms, prefs, set_device
from brian2_network import simulation
from network import DT, rate
from serve import arguments

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "benchmarks"

CHUNK = r"""
for (long chunk = 0, before = 0;; chunk++) {
    if (chunk == 1) printf("ready\n");
    fflush(stdout);
    if (chunk >= 1 && getchar() == EOF) break;
    const auto start = std::chrono::steady_clock::now();
"""
ANSWER = r"""
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    long spikes = 0;
    for (int i = 0; i < {n}; i++) spikes += {counts}[i];
    const double rate = {rate} * (spikes - before);
    if (chunk >= 1) printf("{{\"seconds\": %.9f, \"rate\": %.9f}}\n", seconds.count(), rate);
    before = spikes;
}}
"""


def main() -> None:
    network, n, steps = arguments()
    method = sys.argv[4]
    folder = CACHE / f"standalone-{network.name}-{n}-{steps}-{method}"
    set_device("cpp_standalone", directory=str(folder), build_on_run=False)
    prefs.codegen.cpp.headers += ["<chrono>", "<cstdio>"]
    run, group = simulation(network, n, method)
    counts = f"brian::{device.get_array_name(group.variables['fired'], access_data=False)}"
    device.insert_code("main", CHUNK)
    run.run(steps * DT * ms)
    device.insert_code("main", ANSWER.format(n=n, counts=counts, rate=rate(1, n, steps)))
    device.build(directory=str(folder), run=False)
    os.chdir(folder)
    os.execv("./main", ["./main"])


if __name__ == "__main__":
    main()
