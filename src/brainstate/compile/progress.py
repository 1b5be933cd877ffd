"""`ProgressBar`: how far a compiled loop has come."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax


class ProgressBar:
    """A tqdm bar for `scan` and `for_loop` (``pip install tqdm``).

    It moves every `freq` steps, or `count` times in all; by default 20 times. Other arguments go
    to tqdm; `desc` or `message` set the text. The compiled loop calls back once for each move.

    >>> import brainstate, jax.numpy as jnp
    >>> bar = brainstate.compile.ProgressBar(count=2, disable=True)
    >>> brainstate.compile.for_loop(lambda i: i, jnp.arange(4), pbar=bar).shape
    (4,)
    """

    def __init__(self, freq: int | None = None, count: int | None = None, **kwargs: Any):
        try:
            import tqdm.auto
        except ImportError:
            raise ImportError("ProgressBar needs tqdm: pip install tqdm") from None
        if freq is not None and count is not None:
            raise ValueError("Give either freq or count to ProgressBar, not both.")
        self._tqdm = tqdm.auto.tqdm
        self.print_freq, self.print_count = freq, count
        ignored = ("total", "mininterval", "maxinterval", "miniters")
        self.options = {key: value for key, value in kwargs.items() if key not in ignored}
        self.message = self.options.pop("message", None)

    def init(self, n: int) -> ProgressBarRunner:
        """The bar for one loop of `n` steps."""
        freq, count = self.print_freq, self.print_count
        if count is not None:
            if not 1 <= count <= n:
                raise ValueError(f"ProgressBar: count={count} for a loop of {n} steps.")
            freq = n // count
        elif freq is None:
            freq = max(n // 20, 1)
        elif not 1 <= freq <= n:
            raise ValueError(f"ProgressBar: freq={freq} for a loop of {n} steps.")
        text = self.message or self.options.get("desc") or f"Running for {n:,} iterations"
        return ProgressBarRunner(self._tqdm, n, freq, {**self.options, "desc": text})

    def watch(self, body: Callable, n: int, reverse: bool = False) -> Callable:
        """The body of a scan over ``(step index, x)`` that moves the bar."""
        if not n:
            return lambda carry, indexed: body(carry, indexed[1])
        runner = self.init(n)

        @functools.wraps(body)
        def watched(carry: Any, indexed: tuple) -> Any:
            index, x = indexed
            step = n - 1 - index if reverse else index
            runner.before(step)
            out = body(carry, x)
            runner.after(step)
            return out

        return watched


class ProgressBarRunner:
    """One bar; counts steps by their index, so that a repeated callback does no harm."""

    def __init__(self, tqdm: Any, n: int, freq: int, options: dict):
        self.n, self.freq, self.options = n, freq, options
        self._tqdm = tqdm
        self._bar: Any = None

    @property
    def remainder(self) -> int:
        return self.n % self.freq

    def before(self, step: Any) -> None:
        jax.lax.cond(step == 0, lambda: jax.debug.callback(self._open), lambda: None)

    def after(self, step: Any) -> None:
        done = step + 1
        moves = (done % self.freq == 0) | (done == self.n)
        jax.lax.cond(moves, lambda: jax.debug.callback(self._move, done), lambda: None)

    def _open(self) -> None:
        if self._bar is None:
            self._bar = self._tqdm(total=self.n, **self.options)

    def _move(self, done: Any) -> None:
        done = int(done)
        self._open()
        self._bar.update(max(done - self._bar.n, 0))
        if done == self.n:
            self._bar.close()
            self._bar = None
