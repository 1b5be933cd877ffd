"""Contenders of one network, each a process of its own, that take turns."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent


class Contender(NamedTuple):
    """A program of this folder, the Python that runs it, and more arguments for it."""

    title: str
    program: str
    python: str = sys.executable
    options: tuple[str, ...] = ()


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


class Process:
    """A contender that has built its network and waits to be asked."""

    def __init__(self, contender: Contender, network: str, n: int, steps: int):
        self.title, self.steps = contender.title, steps
        command = [contender.python, str(HERE / contender.program), network, str(n), str(steps)]
        self.child = subprocess.Popen(
            [*command, *contender.options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=_environment(contender.python),
        )
        try:
            while self._line() != "ready":
                pass
        except BaseException:
            self.close()
            raise

    def _line(self) -> str:
        line = self.child.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.title} ended with status {self.child.wait()}.")
        return line.strip()

    def ask(self) -> tuple[float, float]:
        """Seconds of a step and the mean rate in one more chunk."""
        self.child.stdin.write("\n")
        self.child.stdin.flush()
        answer = json.loads(self._line())
        return answer["seconds"] / self.steps, answer["rate"]

    def close(self) -> None:
        self.child.kill()
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()


def _environment(python: str) -> dict[str, str]:
    """What a contender inherits; a peer must not find this library on its path."""
    own = python == sys.executable
    return {key: value for key, value in os.environ.items() if own or key != "PYTHONPATH"}


def contest(
    contenders: list[Contender], network: str, n: int, steps: int, rounds: int
) -> dict[Contender, Times]:
    """Ask each in turn, round after round; RuntimeError if their rates differ by over 5 %."""
    found = {contender: Times([], []) for contender in contenders}
    running: dict[Contender, Process] = {}
    try:
        for contender in contenders:
            running[contender] = Process(contender, network, n, steps)
        for _ in range(rounds):
            for contender, process in running.items():
                seconds, rate = process.ask()
                found[contender].seconds.append(seconds)
                found[contender].rates.append(rate)
    finally:
        for process in running.values():
            process.close()
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
