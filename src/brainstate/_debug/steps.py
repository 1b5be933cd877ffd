"""Numbering the steps of loops, for the reports of `debug`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .._engine import frames
from .ledger import entered, ledger, left, stepped
from .watch import is_watched, watching


def run_counted(run: Callable, body: int | None, funs: tuple, *args: Any, **static: Any) -> Any:
    """``run(funs, *args, **static)``; calls of the body of a loop are counted under `debug`.

    The other functions of a loop, such as its condition, may write nothing.
    """
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
