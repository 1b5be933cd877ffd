"""What a step costs as the network grows, with the same number of synapses of each neuron."""

from __future__ import annotations

import argparse
import math
import statistics
from pathlib import Path

from _timing import machine, median, publish, ratio, table
from spiking.contest import C_LOOP, JAX_FFI, NATIVE, PURE, Contender, Times, contest
from spiking.network import FAN_OUT

SIZES = (4_000, 10_000, 20_000, 40_000, 100_000)
CONTENDERS = (C_LOOP, JAX_FFI, NATIVE, PURE)
PLOT = Path(__file__).with_name("scaling.svg")
NEURON_STEPS = 20_000_000  # in a chunk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="multiples of 40")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--write", action="store_true", help="renew README.md and the plot")
    options, _ = parser.parse_known_args()  # `make bench` gives all scripts the same
    print(machine())
    found = {}
    for n in options.sizes:
        steps = max(100, NEURON_STEPS // n // 10 * 10)
        found[n] = contest(list(CONTENDERS), "coba", n, steps, options.rounds)
    header = ["neurons", *(f"{c.title}, µs" for c in CONTENDERS)]
    header += [f"{c.title}, beside C" for c in CONTENDERS[1:]]
    table(f"COBA, {FAN_OUT} synapses of each neuron", header, [row(n, found[n]) for n in found])
    rows = [[c.title, f"{growth(c, found):.2f}"] for c in CONTENDERS]
    table("Growth: time of a step as this power of the neurons", ["contender", "power"], rows)
    if options.write:
        plot(found)
    publish(f"\n![Time of a step against the number of neurons]({PLOT.name})")


def row(n: int, times: dict[Contender, Times]) -> list[str]:
    own = [median(times[c].seconds, 1e-6) for c in CONTENDERS]
    limit = times[C_LOOP].seconds
    return [f"{n}", *own, *(ratio(times[c].seconds, limit) for c in CONTENDERS[1:])]


def growth(contender: Contender, found: dict[int, dict[Contender, Times]]) -> float:
    """The slope of the line through the medians in logarithms; 1 is linear."""
    x = [math.log(n) for n in found]
    y = [math.log(statistics.median(times[contender].seconds)) for times in found.values()]
    return statistics.linear_regression(x, y).slope if len(found) > 1 else math.nan


def plot(found: dict[int, dict[Contender, Times]]) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "scaling"  # so that equal plots are equal files
    figure = Figure(figsize=(5.5, 3.6), layout="constrained")
    axes = figure.subplots()
    for contender, marker in zip(CONTENDERS, "svo^", strict=True):
        medians = [1e6 * statistics.median(times[contender].seconds) for times in found.values()]
        axes.loglog(list(found), medians, marker=marker, label=contender.title)
    axes.set(xlabel="Neurons", ylabel="Time of a step (µs)")
    axes.set_xticks(list(found), [f"{n // 1000}k" for n in found])
    axes.minorticks_off()
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(PLOT, metadata={"Date": None})


if __name__ == "__main__":
    main()
