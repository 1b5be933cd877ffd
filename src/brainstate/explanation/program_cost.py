"""What a program costs: its equations, and what XLA says of the compiled one."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax

from .._engine.program import Program
from .._state import State

_BOXES = ("jit", "pjit", "closed_call")  # equations that only hold others
_LOOPS = ("scan", "while")


class Cost(NamedTuple):
    """Estimates of XLA for the compiled program; None where the backend gives none.

    XLA counts the body of a loop once, however many steps it makes.
    """

    flops: float | None
    bytes_accessed: float | None
    argument_bytes: int | None
    output_bytes: int | None
    temporary_bytes: int | None
    donated_bytes: int | None


class ProgramCost:
    """The equations of a program; its cost once asked for, since XLA compiles then."""

    def __init__(self, program: Program, donated: set[State]):
        avals = [aval for _, avals in program.frame.signatures for aval in avals]
        owners = [s for s, (_, own) in zip(program.reads, program.frame.signatures, strict=True)
                  for _ in own]  # fmt: skip
        inputs = [
            jax.ShapeDtypeStruct(a.shape, a.dtype, weak_type=a.weak_type)
            for a in [*avals, *program.in_avals]
        ]

        def run(*leaves: Any) -> list:
            return program.run(*leaves)

        numbers = tuple(i for i, state in enumerate(owners) if state in donated)
        traced = jax.jit(run, donate_argnums=numbers).trace(*inputs)
        names = Counter(_primitives(traced.jaxpr))
        self.equations = sum(n for name, n in names.items() if name not in _BOXES)
        self.has_loops = any(names[name] for name in _LOOPS)
        self._lowered = traced.lower()

    @functools.cached_property
    def cost(self) -> Cost:
        compiled = self._lowered.compile()
        counts, memory = compiled.cost_analysis(), compiled.memory_analysis()
        counts = (counts[0] if isinstance(counts, list) else counts) or {}
        sizes = ("argument", "output", "temp", "alias")
        return Cost(
            counts.get("flops"),
            counts.get("bytes accessed"),
            *[getattr(memory, f"{size}_size_in_bytes", None) for size in sizes],
        )


def _primitives(jaxpr: Any) -> Iterator[str]:
    """The names of all equations, also inside loops, branches and other bodies."""
    for equation in getattr(jaxpr, "jaxpr", jaxpr).eqns:
        yield equation.primitive.name
        for parameter in equation.params.values():
            for part in parameter if isinstance(parameter, (tuple, list)) else (parameter,):
                if hasattr(part, "eqns") or hasattr(part, "jaxpr"):
                    yield from _primitives(part)
