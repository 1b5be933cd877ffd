"""States and nodes that a compiled body made, on their way out of each call."""

from __future__ import annotations

from typing import Any

import jax

from .._engine.hidden import is_graph, show
from .._engine.names import path_of
from .._engine.program import Program
from .._state import State
from ..graph.copying import instantiate


class Template:
    """What one trace of the body made. Compared by identity: a part of JAX's static data."""

    def __init__(self, program: Program):
        self.nodes = program.frame.nodes
        self.states = list(program.created)
        self.has_graphs = program.has_graphs


@jax.tree_util.register_pytree_node_class
class Created:
    """The new States of one call, with their values; None stands for "nothing was made"."""

    def __init__(self, template: Template, values: list):
        self.template, self.values = template, values

    @classmethod
    def of(cls, program: Program, new: dict[State, Any]) -> Created | None:
        if not (program.created or program.has_graphs):
            return None
        return cls(Template(program), [new[state] for state in program.created])

    def tree_flatten(self) -> tuple:
        return (self.values,), self.template

    @classmethod
    def tree_unflatten(cls, template: Template, children: tuple) -> Created:
        return cls(template, *children)

    def publish(self, out: Any) -> Any:
        """Store the new values; the caller gets his own copy of each node that the body made."""
        template, memo = self.template, {}
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
        return out


def _hangs_outside(state: State, template: Template) -> bool:
    owner = path_of(state)[0]
    return owner is not state and id(owner) not in template.nodes
