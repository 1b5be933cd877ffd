"""What a compiled call has to do beside storing leaves: new States and nodes, new structures."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import jax

from .._engine.cell import Cell
from .._engine.hidden import Reference, is_graph, show
from .._engine.names import path_of
from .._engine.program import Program
from .._state import State
from ..graph.copying import instantiate
from ..graph.node import attributes


class Template:
    """What one trace of the body made; the variant keeps it, JAX refers to it weakly."""

    def __init__(self, program: Program, written_tree: Any):
        self.nodes = program.frame.nodes
        self.states = list(program.created)
        self.has_graphs = program.has_graphs
        self.written_tree = written_tree
        edits = {(id(node), name): node for node, name, _ in program.journal}
        self.attached = [
            (weakref.ref(node), name, value)
            for (i, name), node in edits.items()
            if i not in self.nodes and self._has_made(value := attributes(node).get(name))
        ]

    def _has_made(self, value: Any) -> bool:
        parts = jax.tree.leaves(value)
        return any(part in self.states for part in parts if isinstance(part, State)) or any(
            id(part) in self.nodes for part in parts
        )

    def attach(self) -> None:
        """Hang what the body made on the nodes on which it hung them; other calls hang others."""
        for find, name, value in self.attached:
            node = find()
            if node is not None and attributes(node).get(name) is not value:
                setattr(node, name, value)


@jax.tree_util.register_pytree_node_class
class Remainder:
    """The values of the States that the body made; None stands for "nothing but leaves"."""

    def __init__(self, template: Template, values: list):
        self.template, self.values = template, values

    @classmethod
    def of(cls, program: Program, new: dict, before: list, after: list) -> Remainder | None:
        """Needed where the body made something, or changed the structure of a State's value."""
        tree = jax.tree.structure(after)
        if not (program.created or program.has_graphs) and tree == jax.tree.structure(before):
            return None
        return cls(Template(program, tree), [new[state] for state in program.created])

    def tree_flatten(self) -> tuple:
        return (self.values,), Reference(self.template, strong=False)

    @classmethod
    def tree_unflatten(cls, template: Reference, children: tuple) -> Remainder:
        return cls(template.get(), *children)

    def store(self, cells: Sequence[Cell], out: Any, written: list) -> Any:
        """Store all values; the caller gets his own copy of each node that the body made."""
        template = self.template
        memo: dict = {}
        for cell, value in zip(cells, template.written_tree.unflatten(written), strict=True):
            cell.set(value)
        values = dict(zip(template.states, self.values, strict=True))
        if template.has_graphs:
            out = jax.tree.map(
                lambda x: instantiate(x, template.nodes, values, memo) if is_graph(x) else x,
                show(out),
            )
        for state, value in values.items():
            # A State that only the returned copy holds needs no value in the template.
            if id(state) not in memo or _hangs_outside(state, template):
                state._home, state._value = None, value
        template.attach()
        return out


def _hangs_outside(state: State, template: Template) -> bool:
    owner = path_of(state)[0]
    return owner is not state and id(owner) not in template.nodes
