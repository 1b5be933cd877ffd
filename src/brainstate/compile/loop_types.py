"""A loop keeps the types of what it carries: the user's carry, and the States that it writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from .._engine.hidden import Hidden
from .._engine.names import describe
from .._engine.program import Program, outer_values
from .._state import State

_MANY = 8  # weakly typed States that may take on types one after the other


def show_type(value: Any) -> str:
    """Types, shapes and units of a value, for an error message."""

    def show(leaf: Any) -> str:
        aval = leaf if hasattr(leaf, "dtype") and hasattr(leaf, "shape") else jax.typeof(leaf)
        return f"{aval.dtype}[{','.join(map(str, aval.shape))}]"

    if isinstance(value, Hidden):
        return describe(value.token.get())
    unit = getattr(value, "unit", None)
    if unit is not None and hasattr(value, "mantissa"):
        return f"{show(value.mantissa)} in {unit}"
    if jax.tree_util.all_leaves([value]):
        return show(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {show_type(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "(" + ", ".join(map(show_type, value)) + ")"
    return str(jax.tree.map(show, value))


def settle(
    loop: str, trace_body: Callable[[Any, dict], tuple[Program, Any]], init: Any
) -> tuple[Program, Any, dict[State, Any]]:
    """Trace a loop body such that what it hands on has the type of what it was given.

    `trace_body(carry, stand_ins)` gives a program and the types of its new carry. As in JAX, weakly
    typed numbers (Python scalars) take on the type that the body makes of them; then the body is
    traced once more, unless only the weakness changed. Anything else that changes raises TypeError.
    Returns the program, the initial carry, and the values of all States that it needs.
    """
    stand_ins: dict[State, Any] = {}
    for _ in range(2 + len(jax.tree.leaves(init)) + _MANY):
        program, carry_type = trace_body(init, stand_ins)
        refuse_made_nodes(loop, program)
        values = {**outer_values(program.needs()), **stand_ins}
        new_types = program.effect_types()
        states = program.writes
        carries = [(f"the carry of {loop}", init, carry_type)]
        carries += [(describe(s), values[s], new_types[s]) for s in states]
        settled = [_promote(loop, *carry) for carry in carries]
        init, promoted = settled[0][0], dict(zip(states, (v for v, _ in settled[1:]), strict=True))
        if not any(changed for _, changed in settled):
            return program, init, {**values, **promoted}
        stand_ins = promoted
    raise TypeError(f"The types carried by {loop} change at every step; give the initial values "
                    "the dtypes that the body returns. [BST-L01]")  # fmt: skip


def _promote(loop: str, name: str, given: Any, new_type: Any) -> tuple[Any, bool]:
    """The given value with weak types resolved, and whether a dtype changed thereby."""
    leaves, tree = jax.tree.flatten(given)
    new_leaves, new_tree = jax.tree.flatten(new_type)
    if tree != new_tree:
        raise _type_changed(loop, name, given, new_type)
    changed, out = False, []
    for leaf, new in zip(leaves, new_leaves, strict=True):
        old = jax.typeof(leaf)
        if old.shape != new.shape or (old.dtype != new.dtype and not old.weak_type):
            raise _type_changed(loop, name, given, new_type)
        if old.weak_type and (old.dtype != new.dtype or not new.weak_type):
            if jnp.result_type(leaf, new.dtype) != new.dtype:
                raise _type_changed(loop, name, given, new_type)
            leaf = jax.lax.convert_element_type(leaf, new.dtype)
            changed = changed or old.dtype != new.dtype
        out.append(leaf)
    return tree.unflatten(out), changed


def _type_changed(loop: str, name: str, given: Any, new_type: Any) -> TypeError:
    return TypeError(
        f"{name} changes its type in the body of {loop}: it is {show_type(given)} before and "
        f"{show_type(new_type)} after one step, and must stay the same (tree, shape, dtype, unit). "
        "Start with the type that the body makes of it, or convert it back in the body. [BST-L01]"
    )


def refuse_made_nodes(loop: str, program: Program) -> None:
    """A loop or branch cannot hand out what it makes anew in each run."""
    if program.has_graphs and (program.created or program.frame.nodes):
        raise TypeError(
            f"The body of {loop} returns a node or State that it made itself; each step would make "
            "another one. Return its values, or make it before the loop. [BST-L03]"
        )
