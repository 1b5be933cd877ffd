"""`checkpoint`: compute again in the backward pass instead of storing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax

from .._engine.frames import commit
from .._engine.hidden import hide, show
from .._engine.journal import transaction
from .._engine.names import function_name
from .._engine.observing import entering
from .._engine.options import decorator
from .._engine.program import outdated_program, outer_values, trace
from .arguments import Arguments


@decorator
def checkpoint(
    fun: Callable,
    *,
    prevent_cse: bool = True,
    policy: Callable[..., bool] | None = None,
    static_argnums: Any = (),
) -> Callable:
    """`jax.checkpoint` of a function that reads and writes States.

    >>> import brainstate
    >>> w = brainstate.ParamState(2.0)
    >>> cube = brainstate.compile.checkpoint(lambda x: w.value**3 * x)
    >>> brainstate.augment.grad(lambda: cube(1.0), w)().item()
    12.0
    """
    arguments = Arguments(fun, static_argnums)

    @functools.wraps(fun)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        def body(args: tuple, kwargs: dict) -> Any:
            args, kwargs = arguments.unpack({}, args, kwargs)
            return fun(*args, **kwargs)

        body.__name__ = function_name(fun)
        _, args, kwargs = arguments.pack(args, kwargs)
        with transaction(), entering("checkpoint", fun):
            program = trace(body, (args, kwargs))
            values = outer_values(program.reads)
            inputs = jax.tree.leaves([values[state] for state in program.reads])
            replay = jax.checkpoint(program.run_flat, prevent_cse=prevent_cse, policy=policy)
            leaves = jax.tree.leaves(hide((args, kwargs)))
            try:
                out, new = program.out_tree.unflatten(replay(inputs, leaves))
            except jax.errors.UnexpectedTracerError as error:
                raise outdated_program() from error
            commit(program.effects, new, program.created)
        return show(out)

    return wrapper


remat = checkpoint
