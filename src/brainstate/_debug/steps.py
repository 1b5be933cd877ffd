"""Numbering the steps of loops, for the reports of `debug`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .._engine import frames
from .ledger import entered, ledger, left, stepped
from .watch import is_watched, watching

# How loops are run, by name: which of their functions is the body; others may write nothing.
_BODIES = {
    "_scan": 0,
    "_for_loop": 0,
    "_checkpointed_scan": 0,
    "_while_loop": 1,
    "_bounded_while_loop": 1,
}


def run_loop(run: Callable, funs: tuple, *args: Any, **static: Any) -> Any:
    """``run(funs, *args, **static)``; if it is a loop and `debug` is on, steps are counted."""
    body = _BODIES.get(run.__name__)
    if body is None or not is_watched():
        return run(funs, *args, **static)
    backwards = static.get("reverse", False)
    _edit(entered, static["length"] - 1 if backwards else 0)
    counted = [_silent(fun) for fun in funs]
    counted[body] = _counting(funs[body], -1 if backwards else 1)
    out = run(tuple(counted), *args, **static)
    _edit(left)
    return out


def _counting(body: Callable, by: int) -> Callable:
    @functools.wraps(body, updated=())
    def counting(*args: Any) -> Any:
        out = body(*args)
        _edit(stepped, by)
        return out

    return counting


def _silent(fun: Callable) -> Callable:
    return functools.wraps(fun, updated=())(watching(None)(fun))


def _edit(change: Callable, *args: Any) -> None:
    frame = frames.current_frame()
    frames.write(frame, ledger, change(frames.read(frame, ledger), *args))
