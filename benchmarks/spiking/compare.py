"""What `coba.py` and `cuba.py` do: hold a contest and print its tables."""

from __future__ import annotations

import argparse

from _timing import machine, median, publish, ratio, table

from .contest import C_LOOP, JAX_FFI, JAX_PURE, NATIVE, OWN, PURE, Contender, Times, contest
from .network import DT
from .peers import BRIAN2, BRIAN2_SAME, peers

PAIRS = [
    (NATIVE, BRIAN2),
    (PURE, BRIAN2),
    (NATIVE, BRIAN2_SAME),
    (PURE, BRIAN2_SAME),
    (NATIVE, C_LOOP),
    (NATIVE, JAX_FFI),
    (PURE, JAX_PURE),
]


def compare(network: str, description: str | None) -> None:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--n", type=int, default=4000, help="neurons, a multiple of 40")
    parser.add_argument("--steps", type=int, help="steps that each simulates in a round")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--peers", action="store_true", help="also Brian2, BrainPy (installs them)")
    parser.add_argument("--write", action="store_true", help="renew the tables in README.md")
    options = parser.parse_args()
    steps = options.steps or max(200, 40_000_000 // options.n // 10 * 10)
    print(machine())
    contenders = [*OWN, *(peers(network) if options.peers else [])]
    found = contest(contenders, network, options.n, steps, options.rounds)
    title = f"{network.upper()}, {options.n} neurons, {options.rounds} rounds of {steps} steps"
    table(title, HEADER, [row(contender, found) for contender in found])
    pairs = [pair for pair in PAIRS if found.keys() >= {*pair}]
    rows = [[a.title, b.title, ratio(found[a].seconds, found[b].seconds)] for a, b in pairs]
    table(f"{network.upper()}, ratios", ["contender", "beside", "ratio"], rows)
    publish()


HEADER = ["contender", "µs per step", "simulated s per s", "beside C", "rate, Hz"]


def row(contender: Contender, found: dict[Contender, Times]) -> list[str]:
    own, limit = found[contender], found[C_LOOP]
    return [
        contender.title,
        median(own.seconds, 1e-6, 2),
        median([DT * 1e-3 / seconds for seconds in own.seconds], 1, 2),
        ratio(own.seconds, limit.seconds),
        f"{own.rate:.1f}",
    ]
