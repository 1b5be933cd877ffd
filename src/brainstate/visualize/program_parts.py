"""What a drawing of a program shows: its States, in the nodes that hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import jax

from .._engine.hidden import is_graph
from .._engine.labels import Labels
from .._engine.names import owners_of, path_of
from .._engine.program import Program
from .._state import State
from ..compile.loop_types import show_type

_SHOWN = 3  # arguments and outputs that are spelled out


@dataclass
class Row:
    """A State."""

    name: str
    type: str
    kind: str
    read: bool
    written: bool
    created: bool


@dataclass
class Group:
    """The States of one node."""

    title: str
    rows: list[Row] = field(default_factory=list)


@dataclass
class Parts:
    """A function, what it takes and returns, the States that it only reads, and those it writes."""

    name: str
    takes: list[str]
    returns: list[str]
    sources: list[Group]
    targets: list[Group]


def parts_of(name: str, program: Program, args: tuple, labels: Labels) -> Parts:
    """The parts of a drawing of this program."""
    types = dict(zip(program.reads, program.read_types(), strict=True)) | program.effect_types()
    sources: dict[Any, Group] = {}
    targets: dict[Any, Group] = {}
    for state in sorted(types, key=_order):
        written = state in program.effects
        key, title, row = _place(state, labels)
        group = (targets if written else sources).setdefault(key, Group(title))
        read, created = state in program.reads, state in program.created
        kind = type(state).__name__
        group.rows.append(Row(row, show_type(types[state]), kind, read, written, created))
    return Parts(
        name, _types(args), _types(program.out_type()), [*sources.values()], [*targets.values()]
    )


def _order(state: State) -> tuple:
    root, path = path_of(state)
    return not path, type(root).__name__, id(root), [(isinstance(key, str), key) for key in path]


def _place(state: State, labels: Labels) -> tuple[Any, str, str]:
    """(key of the group, its title, the name of the State in it)."""
    _, *owners = owners_of(state)
    if not owners:
        label, kind = labels.of(state), type(state).__name__
        if label.startswith(kind):  # not in sight of the function
            label = state.name or getattr(state, "source_info", None) or label
        return None, "States without a node", str(label)
    owner, path = owners[0]
    label, kind = labels.of(owner), type(owner).__name__
    title = label if label.rpartition(".")[2].startswith(kind) else f"{label}: {kind}"
    return id(owner), title, ".".join(map(str, path))


def _types(tree: Any) -> list[str]:
    leaves = jax.tree.leaves(tree, is_leaf=lambda x: is_graph(x) or hasattr(x, "mantissa"))
    shown = [type(x).__name__ if is_graph(x) else _type(x) for x in leaves[:_SHOWN]]
    more = len(leaves) - len(shown)
    return [*shown, f"and {more} more"] if more else shown or ["nothing"]


def _type(leaf: Any) -> str:
    try:
        return show_type(leaf)
    except TypeError:  # no value of JAX, such as a static argument
        return type(leaf).__name__
