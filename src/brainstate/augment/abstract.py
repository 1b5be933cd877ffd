"""`eval_shape`: what a function would return, without computing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from .._engine.hidden import is_graph
from .._engine.journal import undo
from .._engine.observing import entering
from .._engine.program import Program, trace
from .._state import State
from ..graph.copying import instantiate
from ..graph.walk import iter_node, iter_states


def eval_shape(fn: Callable, *args: Any, rngs: Any = None, **kwargs: Any) -> Any:
    """The output of `fn` with `jax.ShapeDtypeStruct`s for arrays; nothing changes.

    A node in the output comes back as a copy whose States hold shapes. `rngs` is accepted and not
    needed: generators do not advance.

    >>> import brainstate, jax.numpy as jnp
    >>> brainstate.augment.eval_shape(lambda x: x @ x.T, jnp.ones((2, 3))).shape
    (2, 2)
    """
    with entering("eval_shape", fn):
        program = trace(fn, args, kwargs)
    try:
        return _with_shapes(program)
    finally:
        undo(program.journal)


def _with_shapes(program: Program) -> Any:
    new = program.effect_types()
    memo: dict = {}
    out = program.out_type()
    roots = [leaf for leaf in jax.tree.leaves(out) if is_graph(leaf)]
    nodes = {id(node): node for root in roots for _, node in iter_node(root)}
    states = [state for root in roots for _, state in _states_of(root)]
    values = {s: _shapes(new[s] if s in new else s.value) for s in states}  # noqa: SIM401
    return jax.tree.map(
        lambda x: instantiate(x, nodes, values, memo) if is_graph(x) else _shapes(x), out
    )


def _states_of(root: Any) -> Any:
    return [((), root)] if isinstance(root, State) else iter_states(root)


def _shapes(tree: Any) -> Any:
    def shape(leaf: Any) -> Any:
        aval = leaf if hasattr(leaf, "shape") else jax.typeof(leaf)
        return jax.ShapeDtypeStruct(aval.shape, aval.dtype)

    return jax.tree.map(shape, tree)
