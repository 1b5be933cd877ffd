"""Loops and branches as compiled functions.

A loop called outside every transformation would be compiled anew at each call, since it builds a
new closure each time. So every loop and branch runs as a jitted function, kept with the functions
that the user gave; called again with the same ones, nothing is traced or compiled again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from .._debug.steps import run_counted
from .._engine.functions import common_storage, forgive_changes
from .._engine.observing import rename
from .arguments import Arguments
from .jit import Compiler, quick_call

_given: ContextVar[Sequence[Callable]] = ContextVar("brainstate_given_functions")


def compiled_call(
    run: Callable,
    funs: Sequence[Callable],
    args: tuple,
    static: Mapping[str, Hashable] | None = None,
    loop_body: int | None = None,
) -> Any:
    """``run(funs, *args, **static)``, compiled once for the same functions.

    `loop_body` says which of the functions a loop runs at each step, and writes States.
    """
    static = static or {}
    storage = common_storage(funs)
    key = (run, *static.items())
    call = storage.get(key)
    if call is None:
        # The functions are passed on the side: kept here, they would keep their models alive.
        def body(*args: Any) -> Any:
            funs = _given.get()
            rename(run.__name__.strip("_"), funs, dict(static))
            forgiving = [forgive_changes(fun) for fun in funs]
            out = run_counted(run, loop_body, tuple(funs), *args, **static)
            for forgive in forgiving:
                forgive()
            return out

        body.__name__ = run.__name__.strip("_")
        call = storage[key] = quick_call(Compiler(body, Arguments(body), {}))
    token = _given.set(funs)
    try:
        return call(*args)
    finally:
        _given.reset(token)
