"""One row for each State that a program touches."""

from __future__ import annotations

from typing import Any

from .._engine.hidden import is_graph
from .._engine.labels import Labels
from .._engine.observing import Step
from .._engine.program import Program
from .._engine.wording import ValueType, types_of
from .._state import State
from .result import StateRow


def rows_of(program: Program, labels: Labels, root: Step) -> list[StateRow]:
    """A row for each array of each State: those read and written, then those created."""
    before = dict(zip(program.reads, program.read_types(), strict=True))
    after = program.effect_types()
    steps = [(depth, step) for depth, step in root.walk() if depth > 0]
    donated = {state for step in root.inner for state in step.donated}
    rows = []
    for state in dict.fromkeys([*program.reads, *program.effects]):
        if not is_graph(state) or getattr(state, "bookkeeping", False):
            continue
        access = _access(state, program)
        split = any(state in step.split for _, step in steps)
        first, last = before.get(state, after.get(state)), after.get(state, before.get(state))
        shapes = types_of(first), types_of(last)
        for path in dict.fromkeys([*shapes[0], *shapes[1]]):
            old, new = shapes[0].get(path), shapes[1].get(path)
            rows.append(
                StateRow(
                    path=labels.of(state) + path,
                    kind=type(state).__name__,
                    shape=_both(old, new, "shape"),
                    dtype=_both(old, new, "dtype"),
                    unit=_both(old, new, "unit"),
                    access=access,
                    axis_in=_axes([step.axes_in for _, step in steps], state),
                    axis_out=_axes([step.axes_out for _, step in steps], state),
                    donated=state in donated,
                    random=_randomness(state, access, split),
                    state=state,
                )
            )
    return rows


def _access(state: State, program: Program) -> str:
    if state in program.created:
        return "create"
    marks = {"read": state in program.reads, "write": state in program.effects}
    return ", ".join(word for word, true in marks.items() if true)


def _randomness(state: State, access: str, split: bool) -> str:
    if not state.private_to_lanes or access == "create":
        return ""
    return "split between lanes" if split else "threaded" if "write" in access else ""


def _axes(given: list[dict[State, Any]], state: State) -> str:
    """The axes along which maps take a State apart or put it together, the outermost first."""
    axes = [str(axes[state]) for axes in given if axes.get(state) is not None]
    return ", ".join(axes)


def _both(old: Any, new: Any, field: str) -> str:
    """One field of a type, or both where the program changes it."""
    texts = [_field(x, field) for x in (old, new) if x is not None]
    return " -> ".join(dict.fromkeys(texts))


def _field(value_type: Any, field: str) -> str:
    value = getattr(value_type, field) if isinstance(value_type, ValueType) else None
    return "" if value is None else str(value)
