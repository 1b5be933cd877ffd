"""`Explanation`: what `explain` returns; a table on a terminal and in a notebook."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from .._engine.observing import Step
from .._state import State
from .program_cost import Cost, ProgramCost
from .tables import Section, as_html, as_text

_COLUMNS = (
    "path", "kind", "shape", "dtype", "unit", "access", "axis in", "axis out", "donated", "random",
)  # fmt: skip
_ALWAYS = ("path", "kind", "shape", "dtype", "access", "donated")


@dataclasses.dataclass(frozen=True)
class StateRow:
    """One array of a State, and what the function does to the State."""

    path: str
    kind: str
    shape: str  # "(5,) -> (8,)" where the function changes it, here and below
    dtype: str
    unit: str
    access: str  # "read", "write", "read, write" or "create"
    axis_in: str  # of vmap; of nested ones, the outermost first
    axis_out: str
    donated: bool
    random: str  # of generators: "split between lanes" or "threaded"
    state: State = dataclasses.field(repr=False)

    def cells(self) -> dict[str, str]:
        values: list[Any] = [getattr(self, name.replace(" ", "_")) for name in _COLUMNS]
        values[_COLUMNS.index("donated")] = "yes" if self.donated else "no"
        return dict(zip(_COLUMNS, map(str, values), strict=True))


class Explanation:
    """What a call of a function would do to States, what that depends on, and what it costs.

    `states` has a row for each array of each State; `settings` and `attributes` give the values, in
    words, for which the program would be compiled; `transformations` are pairs of depth and step.
    """

    def __init__(
        self,
        name: str,
        states: list[StateRow],
        settings: dict[str, str],
        attributes: dict[str, str],
        transformations: list[tuple[int, Step]],
        program: ProgramCost,
    ):
        self.name, self.states = name, states
        self.settings, self.attributes = settings, attributes
        self.transformations, self._program = transformations, program

    def _with(self, word: str) -> list[State]:
        return list(dict.fromkeys(row.state for row in self.states if word in row.access))

    @property
    def read(self) -> list[State]:
        """States whose value the function takes in."""
        return self._with("read")

    @property
    def written(self) -> list[State]:
        """States from outside that get a new value."""
        return self._with("write")

    @property
    def created(self) -> list[State]:
        """States that the function makes."""
        return self._with("create")

    @property
    def equations(self) -> int:
        """Equations of the program; those of a loop's body count once."""
        return self._program.equations

    @property
    def cost(self) -> Cost:
        """FLOPs and bytes, from the compiled program; compiled when first asked for."""
        return self._program.cost

    # ------------------------------------------------------------------ as tables

    def __repr__(self) -> str:
        return as_text(self._title(), self._sections())

    def _repr_html_(self) -> str:
        return as_html(self._title(), self._sections())

    def _title(self) -> str:
        counts = {"changes": self.written, "reads": self.read, "creates": self.created}
        found = [(verb, len(states)) for verb, states in counts.items() if states]
        if not found:
            return f"{self.name} touches no State; {_count(self.equations, 'equation')}"
        (verb, count), *rest = found
        text = f"{verb} {_count(count, 'State')}"
        text += "".join(f", {verb} {count}" for verb, count in rest)
        return f"{self.name} {text}; {_count(self.equations, 'equation')}"

    def _sections(self) -> Iterator[Section]:
        steps = [["  " * depth + label_of(step)] for depth, step in self.transformations]
        yield Section("transformations, outside in", None, _without_repeats(steps))
        cells = [row.cells() for row in self.states]
        columns = [c for c in _COLUMNS if c in _ALWAYS or any(row[c] for row in cells)]
        yield Section("States", columns, [[row[c] for c in columns] for row in cells])
        pairs = {
            "depends on, in environ": self.settings,
            "depends on, on nodes": self.attributes,
        }
        for title, found in pairs.items():
            yield Section(title, None, [[key, value] for key, value in found.items()])
        yield Section("compiled program", None, self._costs())

    def _costs(self) -> list[list[str]]:
        cost, once = self.cost, ", each loop's body counted once" * self._program.has_loops
        return [
            ["FLOPs", with_prefix(cost.flops) + once],
            ["memory traffic", with_prefix(cost.bytes_accessed, "B") + once],
            ["inputs", with_prefix(cost.argument_bytes, "B")],
            ["outputs", with_prefix(cost.output_bytes, "B")],
            ["in place of inputs", with_prefix(cost.donated_bytes, "B")],
            ["scratch", with_prefix(cost.temporary_bytes, "B")],
        ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + "s" * (number != 1)


def label_of(step: Step) -> str:
    """``for_loop(step), 100 steps``."""
    words = {"length": "steps", "lanes": "lanes", "max_steps": "steps at most"}
    sizes = [f", {step.details[key]} {word}" for key, word in words.items() if key in step.details]
    return f"{step.name}({', '.join(step.functions)}){''.join(sizes)}"


def _without_repeats(rows: list[list[str]]) -> list[list[str]]:
    return [row for row, before in zip(rows, [None, *rows], strict=False) if row != before]


def with_prefix(number: float | None, unit: str = "") -> str:
    """``12.3 MB``; the number itself below a thousand."""
    if number is None:
        return "unknown"
    value, prefixes = float(number), ["", "k", "M", "G", "T", "P"]
    while value >= 1000 and len(prefixes) > 1:
        value, prefixes = value / 1000, prefixes[1:]
    return f"{value:.4g} {prefixes[0]}{unit}".strip()
