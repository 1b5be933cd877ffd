"""Contenders of one network, each a process of its own, that take turns."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import NamedTuple

from _contenders import Contender, in_turn

C_LOOP = Contender("C, one thread", "c_loop.py")
JAX_FFI = Contender("JAX by hand, C++ kernel", "jax_ffi.py")
JAX_PURE = Contender("JAX by hand, pure", "jax_pure.py")
NATIVE = Contender("this library, native", "library.py", options=("native",))
PURE = Contender("this library, pure JAX", "library.py", options=("jax",))
OWN = [C_LOOP, JAX_FFI, NATIVE, JAX_PURE, PURE]


class Times(NamedTuple):
    """What a contender answered, round by round: seconds of a step, and mean rates in Hz."""

    seconds: list[float]
    rates: list[float]

    @property
    def rate(self) -> float:
        return statistics.mean(self.rates)


def contest(
    contenders: list[Contender], network: str, n: int, steps: int, rounds: int
) -> dict[Contender, Times]:
    """Ask each in turn, round after round; RuntimeError if their rates differ by over 5 %."""
    answers = in_turn(contenders, Path(__file__).resolve().parent, (network, n, steps), rounds)
    found = {
        contender: Times([a["seconds"] / steps for a in given], [a["rate"] for a in given])
        for contender, given in answers.items()
    }
    _check_rates(found)
    return found


def _check_rates(found: dict[Contender, Times], tolerance: float = 0.05) -> None:
    middle = statistics.median(times.rate for times in found.values())
    off = {
        c.title: f"{t.rate:.2f} Hz"
        for c, t in found.items()
        if abs(t.rate / middle - 1) > tolerance
    }
    if off:
        raise RuntimeError(
            f"All contenders must simulate one network, but {off} lie beside a rate of "
            f"{middle:.2f} Hz."
        )
