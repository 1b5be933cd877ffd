"""`cond`, `switch` and `ifelse`: branches that read and write States."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from .._engine.frames import commit
from .._engine.hidden import hide, show
from .._engine.names import describe
from .._engine.program import Program, outer_values, trace
from .checks import jit_error_if
from .compiled_call import compiled_call
from .eager import runs_eagerly
from .loop_types import refuse_made_nodes, show_type


def cond(pred: Any, true_fun: Callable, false_fun: Callable, *operands: Any) -> Any:
    """`jax.lax.cond`, whose branches read and write States.

    `pred` is a scalar bool, or a number that counts as true unless 0. A State written in one
    branch only keeps its value in the other.

    >>> import brainstate
    >>> seen = brainstate.State(0)
    >>> def yes(x):
    ...     seen.value += 1
    ...     return x
    >>> brainstate.compile.cond(True, yes, lambda x: -x, 2).item(), seen.value.item()
    (2, 1)
    """
    _check_callables("cond", [true_fun, false_fun])
    pred = _as_predicate(pred)
    if runs_eagerly(pred):
        return (true_fun if pred else false_fun)(*operands)
    return compiled_call(_cond, (true_fun, false_fun), (pred, operands))


def switch(index: Any, branches: Sequence[Callable], *operands: Any) -> Any:
    """`jax.lax.switch`, whose branches read and write States; `index` is clamped.

    >>> import brainstate
    >>> brainstate.compile.switch(9, [lambda x: x, lambda x: 2 * x], 1.5).item()
    3.0
    """
    branches = _as_branches("switch", branches)
    kind, shape = _kind_and_shape("switch", "index", index)
    if kind not in "iu" or shape:
        raise TypeError(f"switch needs a scalar integer index; found {index!r}. [BST-A01]")
    if len(branches) == 1:
        return branches[0](*operands)
    if runs_eagerly(index):
        return branches[min(max(int(index), 0), len(branches) - 1)](*operands)
    return compiled_call(_switch, branches, (index, operands))


def ifelse(
    conditions: Any, branches: Sequence[Callable], *operands: Any, check_cond: bool = True
) -> Any:
    """Run the branch whose condition is true; there are as many conditions as branches.

    With `check_cond`, exactly one condition must hold (an error at run time otherwise). Without it
    the first true one counts, and the last branch where none is.

    >>> import brainstate
    >>> x = 3.0
    >>> brainstate.compile.ifelse([x < 2, x >= 2], [lambda: 0, lambda: 1]).item()
    1
    """
    branches = _as_branches("ifelse", branches)
    if len(branches) == 1:
        return branches[0](*operands)
    conditions = jnp.stack([_as_predicate(c) for c in conditions])
    if len(conditions) != len(branches):
        raise ValueError(
            f"ifelse got {len(conditions)} conditions for {len(branches)} branches; it needs one "
            "condition for each branch. Give `True` to the last one for an else branch, with "
            "check_cond=False. [BST-A10]"
        )
    if check_cond:
        count = jnp.sum(conditions)
        jit_error_if(
            count != 1,
            "ifelse: exactly one condition must hold; {count} do. Pass check_cond=False to take "
            "the first that holds, and the last branch where none does. [BST-L10]",
            count=count,
        )
    index = jnp.where(jnp.any(conditions), jnp.argmax(conditions), len(branches) - 1)
    return switch(index, branches, *operands)


def _cond(funs: tuple, pred: Any, operands: tuple) -> Any:
    return _switch(funs, 1 - pred.astype(jnp.int32), operands)


def _switch(funs: tuple, index: Any, operands: tuple) -> Any:
    programs = [trace(fun, operands, repeats=True) for fun in funs]
    for program in programs:
        refuse_made_nodes("the branch", program)
    states = list(dict.fromkeys(s for program in programs for s in program.writes))
    needed = [s for program in programs for s in program.needs()]
    values = outer_values([*needed, *states])
    _check_branches(funs, programs, states, values)

    def branch_of(program: Program) -> Callable:
        def branch(values: list, operands: tuple) -> tuple:
            known = dict(zip(order, values, strict=True))
            out, new = program.call_hidden(known, *operands)
            return out, [_as_array(new.get(state, known[state])) for state in states]

        return branch

    order = list(values)
    branches = [branch_of(program) for program in programs]
    out, final = jax.lax.switch(index, branches, list(values.values()), hide(operands))
    commit(states, final)
    return show(out)


def _check_branches(funs: tuple, programs: list[Program], states: list, values: dict) -> None:
    """Branches must agree in what they return and in the types of the States they write."""
    first = programs[0].hidden_out_type()
    for fun, program in zip(funs[1:], programs[1:], strict=True):
        if not _same_types(first, program.hidden_out_type()):
            raise TypeError(
                f"Branches must return the same types: {_name(funs[0])} returns "
                f"{show_type(first)}, {_name(fun)} returns {show_type(program.hidden_out_type())}. "
                "Convert one of them. [BST-L02]"
            )
    for state in states:
        for fun, program in zip(funs, programs, strict=True):
            new = program.effect_types().get(state)
            if state in program.effects and not _same_types(values[state], new, weak=True):
                raise TypeError(
                    f"{describe(state)} changes its type in branch {_name(fun)}: it is "
                    f"{show_type(values[state])} before and {show_type(new)} after, and must stay "
                    "the same (tree, shape, dtype, unit). Convert it in the branch. [BST-L02]"
                )


def _same_types(a: Any, b: Any, weak: bool = False) -> bool:
    (a_leaves, a_tree), (b_leaves, b_tree) = jax.tree.flatten(a), jax.tree.flatten(b)
    return a_tree == b_tree and all(
        x.shape == y.shape and x.dtype == y.dtype
        for x, y in zip(map(_aval, a_leaves), map(_aval, b_leaves), strict=True)
    )


def _aval(leaf: Any) -> Any:
    return leaf if hasattr(leaf, "weak_type") else jax.typeof(leaf)


def _as_array(value: Any) -> Any:
    return jax.tree.map(lambda x: jax.lax.convert_element_type(x, jax.typeof(x).dtype), value)


def _name(fun: Callable) -> str:
    return getattr(fun, "__name__", repr(fun))


def _as_branches(name: str, branches: Any) -> tuple[Callable, ...]:
    if callable(branches):
        raise TypeError(f"{name} needs a list of branches; found {branches!r}. [BST-A01]")
    branches = tuple(branches)
    _check_callables(name, branches)
    if not branches:
        raise ValueError(f"{name} needs at least one branch. [BST-A06]")
    return branches


def _check_callables(name: str, funs: Sequence[Any]) -> None:
    for fun in funs:
        if not callable(fun):
            raise TypeError(f"{name} needs functions as branches; found {fun!r}. [BST-A01]")


def _kind_and_shape(name: str, what: str, value: Any) -> tuple[str, tuple]:
    try:
        aval = jax.typeof(value)
        return jnp.dtype(aval.dtype).kind, aval.shape
    except TypeError:
        raise TypeError(f"{name} needs a scalar as {what}; found {value!r}. [BST-A01]") from None


def _as_predicate(pred: Any) -> Any:
    kind, shape = _kind_and_shape("A condition", "predicate", pred)
    if kind not in "biuf" or shape:
        raise TypeError(
            f"A condition must be a scalar boolean or number; found {show_type(pred)}. Use "
            "jnp.any(...) or jnp.all(...) for arrays, or jnp.where for a choice by element. "
            "[BST-L06]"
        )
    return jnp.asarray(pred, bool) if kind == "b" else jnp.asarray(pred) != 0
