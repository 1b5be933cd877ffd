"""A training step through time: 700 inputs, 256 recurrent LIF neurons and 20 leaky readouts.

Loss, gradient and Adam for a batch of 64 and 100 steps, with cross-entropy of the mean readout.
Contenders are processes of their own that take turns. Those on JAX compute the same numbers, which
is checked; peers have neuron equations of their own, of the same sizes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from _contenders import Contender, Environment, find_python, in_turn
from _timing import machine, median, publish, ratio, table

FOLDER = Path(__file__).resolve().parent / "learning"
VERSION = (3, 11)

HAND = Contender("JAX by hand, all in the loop", "by_hand.py", options=("loop",))
HOISTED = Contender("JAX by hand, products outside", "by_hand.py", options=("outside",))
STEPS = Contender("this library, all in the loop", "library.py", options=("loop",))
THIRD = Contender("the same, in a third of the memory", "library.py", options=("loop", "9.5MB"))
SEQUENCES = Contender("this library, sequences", "library.py", options=("sequences",))
OWN = [HAND, HOISTED, STEPS, THIRD, SEQUENCES]

SNNTORCH = Environment("snntorch", ("torch==2.13.0", "snntorch==1.0.0", "numpy"))
NORSE = Environment("norse", ("torch==2.13.0", "norse==1.1.0", "numpy"))
PEERS = {
    SNNTORCH: Contender("snnTorch", "snntorch_network.py", SNNTORCH.python),
    NORSE: Contender("Norse", "norse_network.py", NORSE.python),
}

HEADER = ["contender", "ms per step", "ratio", "first call, s", "temporary, MiB", "grown, MiB"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--peers", action="store_true", help="also snnTorch, Norse (installs them)")
    parser.add_argument("--write", action="store_true", help="renew the tables in README.md")
    options = parser.parse_args()
    print(machine())
    contenders = [*OWN, *(peers() if options.peers else [])]
    answers = in_turn(contenders, FOLDER, (), options.rounds)
    check_losses(answers)
    check_memory(answers)
    table(f"training step, {options.rounds} rounds", HEADER, [row(c, answers) for c in answers])
    pairs = [(THIRD, STEPS), (SEQUENCES, HOISTED)]
    rows = [[a.title, b.title, ratio(seconds(a, answers), seconds(b, answers))] for a, b in pairs]
    table("training step, ratios", ["contender", "beside", "ratio"], rows)
    publish()


def peers() -> list[Contender]:
    """The peers, installed; none where there is no Python that they need."""
    base = find_python(VERSION)
    if base is None:
        print(f"No peers: no working Python {'.'.join(map(str, VERSION))} was found.")
        return []
    for environment in PEERS:
        environment.make(base)
    return list(PEERS.values())


def check_losses(answers: dict[Contender, list[dict]], tolerance: float = 1e-4) -> None:
    """RuntimeError if the contenders on JAX do not train alike, or a peer does not train."""
    expected = answers[HAND][0]["losses"]
    for contender, (first, *_) in answers.items():
        found = first["losses"]
        alike = max(abs(a - b) for a, b in zip(found, expected, strict=True)) < tolerance
        if not (alike if contender in OWN else found[-1] < found[0]):
            raise RuntimeError(f"{contender.title} has losses {found}, beside {expected} by hand.")


def check_memory(answers: dict[Contender, list[dict]]) -> None:
    """RuntimeError unless the third is one."""
    found, whole = (answers[contender][0]["temporary"] for contender in (THIRD, STEPS))
    if found > whole / 3:
        raise RuntimeError(f"{found:.1f} MiB are no third of {whole:.1f} MiB.")


def seconds(contender: Contender, answers: dict[Contender, list[dict]]) -> list[float]:
    return [answer["seconds"] for answer in answers[contender]]


def row(contender: Contender, answers: dict[Contender, list[dict]]) -> list[str]:
    own, first = seconds(contender, answers), answers[contender][0]
    return [
        contender.title,
        median(own, 1e-3),
        ratio(own, seconds(HAND, answers)),
        f"{first['first']:.2f}",
        f"{first['temporary']:.0f}" if "temporary" in first else "",
        f"{first['grown']:.0f}",
    ]


if __name__ == "__main__":
    main()
