"""`ProgressBar`: how far a compiled loop has come, and what it has reached."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ..util.display import in_notebook

_IGNORED = ("total", "mininterval", "maxinterval", "miniters")


class ProgressBar:
    """A tqdm bar for any loop (``pip install tqdm``), with live `metrics` beside it.

    It moves every `freq` steps, or `count` times in all; by default 20 times, or every 100 steps of
    a `while_loop`, whose end is not known. Only then does the compiled loop call back. `metrics`
    is a function of nothing, or of what the step gave (the output of `for_loop` and `scan`, the new
    value of `while_loop`), that may read States and returns a dict of scalars; lanes of `vmap` show
    their mean. Nothing is shown if the output is neither a terminal nor a notebook, unless `file`
    or ``disable=False`` is given. `desc` or `message` set the text; the rest goes to tqdm.

    >>> import brainstate, io, jax, jax.numpy as jnp
    >>> loss, screen = brainstate.State(8.0), io.StringIO()
    >>> def step(i):
    ...     loss.value = loss.value / 2
    >>> bar = brainstate.compile.ProgressBar(metrics=lambda: {"loss": loss.value}, file=screen)
    >>> brainstate.compile.for_loop(step, jnp.arange(2), pbar=bar)
    >>> jax.effects_barrier()  # wait for the last move
    >>> "2/2" in screen.getvalue(), "loss=2" in screen.getvalue()
    (True, True)
    """

    def __init__(
        self,
        freq: int | None = None,
        count: int | None = None,
        *,
        metrics: Callable[..., dict] | None = None,
        **kwargs: Any,
    ):
        try:
            import tqdm.auto
        except ImportError:
            raise ImportError("ProgressBar needs tqdm: pip install tqdm [BST-A13]") from None
        if freq is not None and count is not None:
            raise ValueError("Give either freq or count to ProgressBar, not both. [BST-A07]")
        if metrics is not None and not callable(metrics):
            raise TypeError(
                f"metrics must be a function that returns a dict of numbers; found {metrics!r}. "
                'Write `metrics=lambda: {"loss": loss.value}`. [BST-A01]'
            )
        self._tqdm = tqdm.auto.tqdm
        self.print_freq, self.print_count, self.metrics = freq, count, metrics
        self.options = {key: value for key, value in kwargs.items() if key not in _IGNORED}
        self.message = self.options.pop("message", None)

    def init(self, n: int | None) -> ProgressBarRunner:
        """The bar for one loop of `n` steps; None if nobody knows how many."""
        text = self.message or self.options.get("desc")
        text = text or ("Running" if n is None else f"Running for {n:,} iterations")
        options = {**self.options, "desc": text}
        return ProgressBarRunner(n, self._interval(n), self._tqdm, options)

    def _interval(self, n: int | None) -> int:
        freq, count = self.print_freq, self.print_count
        if n is None:
            if count is not None:
                raise ValueError(
                    "ProgressBar: a while_loop takes freq, not count, for its end is not known. "
                    "[BST-A07]"
                )
            if freq is not None and freq < 1:
                raise ValueError(f"ProgressBar: freq={freq} must be 1 or more. [BST-A02]")
            return freq or 100
        for name, value in (("count", count), ("freq", freq)):
            if value is not None and not 1 <= value <= n:
                raise ValueError(
                    f"ProgressBar: {name}={value} must be between 1 and the {n} steps of the loop. "
                    "[BST-A02]"
                )
        return n // count if count is not None else freq or max(n // 20, 1)


class ProgressBarRunner:
    """The bars of one kind of loop, on the host: each run of the loop has a number and a bar.

    Runners with the same settings are equal, so that a loop whose bar is made anew at each call is
    compiled once.
    """

    def __init__(self, n: int | None, freq: int, tqdm: Any, options: dict):
        self.n, self.freq, self.options = n, freq, options
        self._tqdm = tqdm
        self._numbers = itertools.count()
        self._bars: dict[int, Any] = {}
        self._runs: dict[int, int] = {}  # how many share a bar
        self._lock = threading.Lock()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ProgressBarRunner) and self._settings() == other._settings()

    def __hash__(self) -> int:
        return hash((self.n, self.freq))

    def _settings(self) -> tuple:
        return self.n, self.freq, self._tqdm, self.options

    @property
    def remainder(self) -> int:
        return 0 if self.n is None else self.n % self.freq

    def begin(self, *inputs: Any) -> np.ndarray:
        """Open a bar; returns its number. Devices that begin together share it."""
        with self._lock:
            # What has moved belongs to a run that an exception ended.
            for other in [number for number, bar in self._bars.items() if bar.n]:
                self._drop(other)
            number = next(iter(self._bars), None)
            if number is None:
                number = next(self._numbers)
                self._bars[number], self._runs[number] = self._open(), 0
            self._runs[number] += 1
        lanes = np.broadcast_shapes(*map(np.shape, inputs))
        return np.full(lanes, number, np.int32)

    def move(
        self, run: Any, done: Any, moves: Any, metrics: dict[str, Any], units: dict[str, Any]
    ) -> np.ndarray:
        """Show the steps done and the metrics, of the lanes that move; repeats do no harm."""
        shape = np.broadcast_shapes(*map(np.shape, (run, done, moves, *metrics.values())))
        moving = np.broadcast_to(moves, shape)
        if moving.any():
            done, *numbers = (np.broadcast_to(x, shape)[moving] for x in (done, *metrics.values()))
            shown = zip(units, numbers, units.values(), strict=True)
            text = ", ".join(f"{name}={_show(number, unit)}" for name, number, unit in shown)
            with self._lock:
                self._advance(run, done, text)
        return np.broadcast_to(run, shape)

    def close(self, run: Any) -> None:
        """The run has ended."""
        with self._lock:
            number = int(np.ravel(run)[0])
            if number in self._bars:
                self._runs[number] -= 1
                if not self._runs[number]:
                    self._drop(number)

    def _advance(self, run: Any, done: Any, text: str) -> None:
        bar = self._bars.get(int(np.ravel(run)[0]))
        if bar is not None and (steps := int(np.max(done)) - bar.n) > 0:
            if text:
                bar.set_postfix_str(text, refresh=False)
            bar.update(steps)

    def _drop(self, number: int) -> None:
        self._runs.pop(number)
        self._bars.pop(number).close()

    def _open(self) -> Any:
        options = dict(self.options)
        if options.get("disable") is None:
            seen = "file" in options or sys.stderr.isatty() or in_notebook()
            options["disable"] = not seen
        return self._tqdm(total=self.n, **options)


def _show(number: Any, unit: Any) -> str:
    value = (number[0] if number.size == 1 else number.mean()).item()
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if unit is None else f"{text} {unit}"
