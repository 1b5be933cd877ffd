"""Programs kept for the next call with the same kinds of arguments."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import jax

from .frames import current_frame, write_checks
from .guards import Guards, settings
from .jax_api import current_trace
from .observing import is_observed
from .program import Program, outer_values

_LIMIT = 64  # signatures; each may have several programs, for several settings
_VARIANTS = 8


def signature(leaves: list, tree: Any) -> Hashable:
    """What a program depends on in its arguments, and in what looks at its writes."""
    return tree, tuple(jax.typeof(leaf) for leaf in leaves), write_checks.get()


class ProgramCache:
    """Programs by signature, most recently used last.

    A program that closes over tracers belongs to the trace under way and is kept by its frame.
    """

    def __init__(self) -> None:
        self._programs: OrderedDict[Hashable, list[tuple[Guards, Program]]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[Guards], Program]) -> Program:
        """A kept program whose facts and State types are as they were, or a new one."""
        kept = (self._of_frame().get((self, key)), self._programs.get(key))
        for programs in () if is_observed() else kept:
            for guards, program in programs or ():
                if guards.hold() and program.fits(outer_values(program.reads)):
                    _rely_on(guards)
                    return program
        guards = Guards()
        program = make(guards)
        guards.settle()
        if is_repeatable(program) and not is_observed():
            self._keep(key, guards, program)
        return program

    def clear(self) -> None:
        self._programs.clear()

    def _keep(self, key: Hashable, guards: Guards, program: Program) -> None:
        if program.closes_over_tracers:
            self._of_frame().setdefault((self, key), []).append((guards, program))
            return
        programs = self._programs.setdefault(key, [])
        programs.insert(0, (guards, program))
        del programs[_VARIANTS:]
        self._programs.move_to_end(key)
        while len(self._programs) > _LIMIT:
            self._programs.popitem(last=False)

    @staticmethod
    def _of_frame() -> dict:
        frame = current_frame()
        # An inner plain jax trace may be running, whose tracers must not be kept.
        return {} if frame is None or current_trace() is not frame.trace else frame.kept


def is_repeatable(program: Program) -> bool:
    """Whether replaying the program does all that running its body again would do."""
    return not (program.created or program.journal or program.frame.nodes)


def _rely_on(guards: Guards) -> None:
    """The enclosing programs rely on whatever the kept program relied on."""
    frame = current_frame()
    if frame is None or not frame.guarded:
        return
    for (_, kind), fact in guards.facts.items():
        if (node := fact.node()) is not None:
            frame.note(node, kind, fact.probe)
    for name in guards.settings:
        settings.observe(name)
