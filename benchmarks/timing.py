"""Timing contenders against a reference, interleaved in one process."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import jax


def interleaved(
    contenders: dict[str, Callable[[], object]], rounds: int = 41, calls: int | None = None
) -> dict[str, float]:
    """Median seconds per call of each contender; a round times each of them in turn."""
    calls = calls or _calls_for(next(iter(contenders.values())))
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    for run in contenders.values():
        jax.block_until_ready(run())
    for _ in range(rounds):
        for name, run in contenders.items():
            start = time.perf_counter()
            for _ in range(calls):
                out = run()
            jax.block_until_ready(out)
            samples[name].append((time.perf_counter() - start) / calls)
    return {name: statistics.median(values) for name, values in samples.items()}


def _calls_for(run: Callable[[], object], seconds: float = 0.02) -> int:
    """How many calls take about this long."""
    run()
    start = time.perf_counter()
    for _ in range(20):
        run()
    return max(5, int(seconds / ((time.perf_counter() - start) / 20)))


def table(title: str, header: list[str], rows: list[list[str]]) -> None:
    """Print a table in Markdown."""
    print(f"\n### {title}\n")
    for row in [header, ["---"] * len(header), *rows]:
        print("| " + " | ".join(row) + " |")


def machine() -> str:
    """What the figures were measured on."""
    cpu = next(
        (line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")),
        platform.processor(),
    )
    devices = ", ".join(sorted({device.device_kind for device in jax.devices()}))
    return f"{cpu}, Python {platform.python_version()}, jax {jax.__version__}, devices: {devices}"


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
