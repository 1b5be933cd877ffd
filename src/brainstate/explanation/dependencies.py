"""The settings and attributes that a program depends on: other values, another program."""

from __future__ import annotations

from typing import Any

from .._engine.guards import Fact
from .._engine.hidden import has_graph, is_graph
from .._engine.labels import Labels
from .._engine.program import Program
from .._engine.wording import in_words, types_of
from ..graph.node import ABSENT


def settings_of(program: Program) -> dict[str, str]:
    """Settings of `environ` that the body looked up, with their values in words."""
    guards = program.frame.guards
    found: dict[str, str] = {}
    for name, snapshot in guards.settings.items() if guards else ():
        found[name] = in_words(snapshot)
    for state, value in zip(program.reads, program.read_types(), strict=True):
        if not is_graph(state):  # it stands for a setting that holds arrays
            types = ", ".join(map(str, types_of(value).values()))
            found[str(state.name)] = f"{types}, an input at each call"
    return found


def attributes_of(program: Program, labels: Labels) -> dict[str, str]:
    """Plain data on nodes that the body looked at; the paths of States tell of the rest."""
    guards = program.frame.guards
    found: dict[str, str] = {}
    if guards is None:
        return found
    guards.settle()
    for (_, kind), fact in guards.facts.items():
        node = fact.node()
        if node is None or " " in kind or (kind[0] == "_" and _is_ours(node)):
            continue
        if _is_data(fact, node):
            found[f"{labels.of(node)}.{kind}"] = in_words(fact.snapshot)
    return found


def _is_ours(node: Any) -> bool:
    return type(node).__module__.partition(".")[0] == __name__.partition(".")[0]


def _is_data(fact: Fact, node: Any) -> bool:
    value = fact.probe(node)
    if value is ABSENT:
        return False  # a method, or anything else that the class has
    parts = list(value.values()) if isinstance(value, dict) else value
    return not has_graph(parts if not isinstance(parts, set) else list(parts))
