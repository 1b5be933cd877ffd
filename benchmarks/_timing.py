"""Timing contenders against a reference, interleaved in one process.

The clock is the processor time of the calling thread: what Python and JAX's dispatch take, which
other programs on the machine hardly disturb.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
from _readme import replace

Samples = dict[str, list[float]]


def interleaved(
    contenders: dict[str, Callable[[], object]],
    rounds: int = 41,
    calls: int | None = None,
    clock: Callable[[], float] = time.thread_time,
) -> Samples:
    """Seconds per call of each contender in each round; a round times each of them in turn."""
    calls = calls or _calls_for(next(iter(contenders.values())))
    samples: Samples = {name: [] for name in contenders}
    for run in contenders.values():
        jax.block_until_ready(run())
    for _ in range(rounds):
        for name, run in contenders.items():
            start = clock()
            for _ in range(calls):
                out = run()
            jax.block_until_ready(out)
            samples[name].append((clock() - start) / calls)
    return samples


def _calls_for(run: Callable[[], object], seconds: float = 0.02) -> int:
    """How many calls take about this long."""
    run()
    start = time.thread_time()
    for _ in range(20):
        run()
    return max(5, int(seconds / ((time.thread_time() - start) / 20)))


def median(samples: list[float], unit: float, digits: int = 1) -> str:
    """The median in `unit` seconds."""
    return f"{statistics.median(samples) / unit:.{digits}f}"


def ratio(samples: list[float], reference: list[float]) -> str:
    """The ratio of the medians, and the bounds of the middle half of the rounds' own ratios."""
    middle = statistics.median(samples) / statistics.median(reference)
    rounds = [a / b for a, b in zip(samples, reference, strict=True)]
    low, _, high = statistics.quantiles(rounds, n=4)
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


_printed: list[str] = []


def table(title: str, header: list[str], rows: list[list[str]]) -> None:
    """Print a table in Markdown."""
    lines = (f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *rows])
    text = "\n".join([f"\n### {title}\n", *lines])
    print(text)
    _printed.append(text)


def publish(*more: str) -> None:
    """With ``--write`` on the command line, put the tables and `more` into README.md."""
    if "--write" in sys.argv:
        replace(Path(sys.argv[0]).stem, "\n".join([machine(), *_printed, *more]))


def machine() -> str:
    """What the figures were measured on."""
    cpu = next(
        (line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")),
        platform.processor(),
    )
    devices = ", ".join(sorted({device.device_kind for device in jax.devices()}))
    return (
        f"{os.cpu_count()} x {cpu}, Python {platform.python_version()}, jax {jax.__version__}, "
        f"devices: {devices}"
    )


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
