"""`explain`: look at a function through one abstract trace, as the transformations do."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from .._engine.frames import current_frame
from .._engine.guards import Guards
from .._engine.hidden import hide_foreign
from .._engine.jax_api import EAGER, current_trace
from .._engine.journal import undo
from .._engine.labels import Labels
from .._engine.names import function_name
from .._engine.observing import Step, observed
from .._engine.program import Program, trace
from .._errors import TraceContextError
from .dependencies import attributes_of, settings_of
from .program_cost import ProgramCost
from .result import Explanation
from .state_rows import rows_of


def explain(fun: Callable) -> Callable[..., Explanation]:
    """A function of the arguments of `fun` that says what calling `fun` would do.

    `fun` may be any function, also one that `jit`, `grad`, `vmap` and the like have made, in any
    nesting. It runs once on abstract values: no State changes, nothing is computed. Arrays among
    the arguments may be `jax.ShapeDtypeStruct`s; numbers and other Python objects stay as they are.
    A function that looks at concrete values, as in ``if x > 0``, raises JAX's error.

    >>> import brainstate
    >>> count, gain = brainstate.ShortTermState(0.0), brainstate.ParamState(2.0)
    >>> @brainstate.compile.jit
    ... def step(x):
    ...     count.value += gain.value * x
    >>> brainstate.explain(step)(1.0)
    step changes 1 State, reads 2; 2 equations
    <BLANKLINE>
    transformations, outside in
      jit(step)
    <BLANKLINE>
    States
      path   kind            shape  dtype    access       donated
      count  ShortTermState  ()     float32  read, write  no
      gain   ParamState      ()     float32  read         no
    ...
    """
    if not callable(fun):
        raise TypeError(
            f"explain() takes a function; found {fun!r}. Write explain(f)(*args). [BST-A01]"
        )

    @functools.wraps(fun)
    def look(*args: Any, **kwargs: Any) -> Explanation:
        if current_frame() is not None or current_trace() is not EAGER:
            raise TraceContextError(
                f"explain({function_name(fun)}) was called inside a transformation, where there "
                "is nothing to look at but tracers. Call it outside, on the function that is "
                "transformed. [BST-V04]"
            )
        with observed("explain", fun) as root:
            program = trace_call(fun, args, kwargs)
        return _result(fun, Labels(fun, args, kwargs), root, program)

    return look


def trace_call(fun: Callable, args: tuple, kwargs: dict) -> Program:
    """The program of a call; arrays become abstract, whatever else is given stays as it is."""
    leaves, tree = jax.tree.flatten((args, kwargs))
    places = [index for index, leaf in enumerate(leaves) if _is_array(leaf)]

    def body(arrays: list) -> Any:
        given = dict(zip(places, arrays, strict=True))
        full = [given.get(index, leaf) for index, leaf in enumerate(leaves)]
        args, kwargs = tree.unflatten(full)
        return hide_foreign(fun(*args, **kwargs))

    body.__name__ = function_name(fun)
    try:
        program = trace(body, ([leaves[i] for i in places],), guards=Guards(), boxed=False)
    except jax.errors.ConcretizationTypeError as error:
        error.add_note(
            f"{function_name(fun)} is looked at with abstract values, as in jit; a function that "
            "needs to know them cannot be explained or summarised."
        )
        raise
    undo([edit for edit in program.journal if id(edit[0]) not in program.frame.nodes])
    return program


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, (jax.Array, np.ndarray, jax.ShapeDtypeStruct))


def _result(fun: Callable, labels: Labels, root: Step, program: Program) -> Explanation:
    rows = rows_of(program, labels, root)
    return Explanation(
        name=function_name(fun),
        states=rows,
        settings=settings_of(program),
        attributes=attributes_of(program, labels),
        transformations=[(depth - 1, step) for depth, step in root.walk() if depth > 0],
        program=ProgramCost(program, {row.state for row in rows if row.donated}),
    )
