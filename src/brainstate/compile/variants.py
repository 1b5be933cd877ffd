"""The compiled callables behind one `jit`, and how a call finds the right one.

One `_Variant` wraps one `jax.jit` function that takes the values of the States that it reads and
writes, and the arguments. While its guards hold, a call collects these values, runs the function
and stores the new values; nothing else happens in Python.
"""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import jax

from .._engine import hidden
from .._engine.cache import ProgramCache, signature
from .._engine.frames import commit, read
from .._engine.guards import Guards
from .._engine.jax_api import EAGER, current_trace
from .._engine.program import Program, outer_values, trace
from .arguments import Arguments
from .created import Created

_LIMIT = 16


class StatesGrew(Exception):
    """A trace met States that the compiled callable does not pass explicitly yet."""

    def __init__(self, program: Program):
        self.program = program


class RunsEagerly(Exception):
    """`jax.disable_jit` is on: the body is to run as it is."""


class Variant:
    """One compiled callable, with fixed lists of States and the facts that it relies on."""

    def __init__(
        self,
        entry: Entry,
        guards: Guards,
        reads: tuple = (),
        writes: tuple = (),
        program: Program | None = None,
    ):
        self.entry, self.guards, self.reads, self.writes = entry, guards, reads, writes
        pending = [] if program is None else [program]
        known, written = {*reads, *writes}, {*writes}

        def make(*packed: Any) -> Program:
            return entry.trace(*packed, guards, outermost=True)

        def pure(
            read_values: list, write_values: list, donated: dict, args: tuple, kwargs: dict
        ) -> tuple:
            # Runs only where jax.jit has nothing for these arguments yet.
            if current_trace() is EAGER:
                raise RunsEagerly
            program = pending.pop() if pending else make(donated, args, kwargs)
            if not (known.issuperset(program.needs()) and written.issuperset(program.writes)):
                raise StatesGrew(program)
            values = dict(zip((*reads, *writes), (*read_values, *write_values), strict=True))
            inputs = jax.tree.leaves([values[state] for state in program.reads])
            out, new = program.replay(inputs, jax.tree.leaves((donated, args, kwargs)))
            created = Created.of(program, new)
            return out, [new.get(state, values[state]) for state in writes], created

        pure.__name__ = pure.__qualname__ = entry.name
        self.run = jax.jit(pure, **entry.options)

    def grown(self, program: Program) -> Variant:
        """A variant that passes the States of `program` too, and that has its trace ready."""
        writes = dict.fromkeys([*self.writes, *program.writes])
        reads = dict.fromkeys(s for s in (*self.reads, *program.needs()) if s not in writes)
        return Variant(self.entry, self.guards, tuple(reads), tuple(writes), program)

    def state_values(self) -> tuple[list, list]:
        return [read(None, s) for s in self.reads], [read(None, s) for s in self.writes]


class Entry:
    """What was compiled for one tuple of node arguments (mostly the empty one)."""

    def __init__(self, fun: Callable, arguments: Arguments, options: dict, objects: tuple = ()):
        self.fun, self.arguments, self.options = fun, arguments, options
        self.name = getattr(fun, "__name__", type(fun).__name__)
        self.objects = tuple(map(weakref.ref, objects))
        self.programs = ProgramCache()  # for calls inside other transformations
        self.lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        self.programs.clear()
        self.variants: tuple[Variant, ...] = (Variant(self, Guards()),)  # latest used first
        self.current = self.variants[0]
        self.warned = False

    def restore(self, donated: dict, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """The arguments as the user gave them."""
        args, kwargs = self.arguments.unpack(donated, args, kwargs)
        if self.objects:
            args, kwargs = hidden.fill((args, kwargs), self.objects)
        return args, kwargs

    def trace(
        self, donated: dict, args: tuple, kwargs: dict, guards: Guards, outermost: bool = False
    ) -> Program:
        def body(donated: dict, args: tuple, kwargs: dict) -> Any:
            args, kwargs = self.restore(donated, args, kwargs)
            return self.fun(*args, **kwargs)

        body.__name__ = self.name
        return trace(body, (donated, args, kwargs), guards=guards, outermost=outermost)

    # ------------------------------------------------------------------ outside

    def call(self, donated: dict, args: tuple, kwargs: dict) -> Any:
        variant = self.current
        if not variant.guards.hold():
            variant = self.select()
        writes = variant.writes
        try:
            out, written, created = variant.run(
                [s._value for s in variant.reads], [s._value for s in writes], donated, args, kwargs
            )
        except StatesGrew as grew:
            run = self.grow(variant, grew.program, donated, args, kwargs)
            writes, (out, written, created) = run
        for state, value in zip(writes, written):  # noqa: B905  of one length; once per call
            state._value = value
        return out if created is None else created.publish(out)

    def grow(
        self, variant: Variant, program: Program, *packed: Any, use: Callable | None = None
    ) -> tuple[tuple, Any]:
        """Pass more States until all are passed; returns the written ones, and what came out."""
        traced = [program]
        try:
            while True:
                variant = self._replace(variant, variant.grown(traced[-1]))
                try:
                    run = variant.run if use is None else use(variant.run)
                    return variant.writes, run(*variant.state_values(), *packed)
                except StatesGrew as grew:
                    traced.append(grew.program)
        except BaseException:
            for program in reversed(traced):
                program.frame.undo()
            raise

    def select(self) -> Variant:
        """The variant whose facts hold, or an empty one."""
        with self.lock:
            chosen = next((v for v in self.variants if v.guards.hold()), None)
            if chosen is None:
                self._warn_of_many_variants()
                chosen = Variant(self, Guards())
            return self._put_first(chosen, chosen)

    def _replace(self, old: Variant, new: Variant) -> Variant:
        with self.lock:
            return self._put_first(new, old)

    def _put_first(self, new: Variant, old: Variant) -> Variant:
        rest = [v for v in self.variants if v is not old and v is not new]
        self.variants, self.current = (new, *rest)[:_LIMIT], new
        return new

    def _warn_of_many_variants(self) -> None:
        if len(self.variants) >= _LIMIT and not self.warned:
            self.warned = True
            warnings.warn(
                f"{self.name} was compiled for {_LIMIT} settings; this call differs from the one "
                f"before in {self.variants[0].guards.broken()}. What changes from call to call "
                "should be a State or an argument.",
                stacklevel=5,
            )

    # ------------------------------------------------------------------ inside

    def call_inside(self, donated: dict, args: tuple, kwargs: dict) -> Any:
        """Become a part of the program under way."""
        leaves, tree = jax.tree.flatten((donated, args, kwargs))
        program = self.programs.get(
            signature(leaves, tree), lambda guards: self.trace(donated, args, kwargs, guards)
        )
        return perform(program, donated, args, kwargs)


def perform(program: Program, *args: Any) -> Any:
    """Run a program on the current values of its States, and commit what it did."""
    out, new = program(outer_values(program.needs()), *args)
    commit(new, new.values(), program.created)
    return out
