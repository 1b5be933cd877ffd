"""`StatefulFunction` and `make_jaxpr`: a look at the program behind a stateful function."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from typing import Any

import jax

from .._debug.watch import watching
from .._engine.cache import signature
from .._engine.frames import commit
from .._engine.journal import undo
from .._engine.names import function_name
from .._engine.observing import entering
from .._engine.program import Program, outer_values, trace
from .._state import State, StateTraceStack
from .arguments import Arguments


class StatefulFunction:
    """A function, with its programs by kind of arguments.

    >>> import brainstate
    >>> count = brainstate.State(1.0)
    >>> f = brainstate.compile.StatefulFunction(lambda x: count.value * x).make_jaxpr(2.0)
    >>> f.get_states() == (count,), f.jaxpr_call_auto(3.0).item()
    (True, 3.0)
    """

    def __init__(
        self,
        fun: Callable,
        static_argnums: Any = (),
        axis_env: Any = None,
        abstracted_axes: Any = None,
        state_returns: Any = ("read", "write"),
        cache_type: str | None = None,
    ):
        _refuse_old_options(axis_env, abstracted_axes)
        if cache_type not in (None, "jit"):
            raise ValueError(f"cache_type must be None or 'jit'; found {cache_type!r}. [BST-A03]")
        self.fun, self.static_argnums = fun, static_argnums
        self.state_returns = (state_returns,) if isinstance(state_returns, str) else state_returns
        self._arguments = Arguments(fun, static_argnums)
        self._programs: dict[Hashable, Program] = {}

    def __repr__(self) -> str:
        return (
            f"StatefulFunction({self.fun}, static_argnums={self.static_argnums}, "
            f"state_returns={self.state_returns})"
        )

    def get_arg_cache_key(self, *args: Any, **kwargs: Any) -> Hashable:
        """What tells these arguments from others: tree structure, static values, types."""
        return signature(*jax.tree.flatten(self._arguments.pack(args, kwargs)))

    def make_jaxpr(self, *args: Any, return_only_write: bool = False, **kwargs: Any) -> Any:
        """Trace for these arguments unless done before; returns this object."""
        self._program_of(args, kwargs)
        return self

    def _program_of(self, args: tuple, kwargs: dict) -> Program:
        key = self.get_arg_cache_key(*args, **kwargs)
        program = self._programs.pop(key, None)
        if program is None or not program.fits(outer_values(program.reads)):
            program = trace_without_effects(self.fun, self._arguments, args, kwargs)
        self._programs[key] = program  # the last entry is the one used last
        return program

    def _look_up(self, cache_key: Hashable) -> Program:
        if cache_key == () and self._programs:
            return next(reversed(self._programs.values()))
        try:
            return self._programs[cache_key]
        except KeyError:
            raise ValueError(
                f"{function_name(self.fun)} was not traced under the cache key {cache_key}; call "
                "make_jaxpr(*args) first. [BST-J04]"
            ) from None

    def get_jaxpr(self, cache_key: Hashable = ()) -> Any:
        """The jaxpr: State leaves, then argument leaves, to outputs, then new State values."""
        return self._look_up(cache_key).as_jaxpr()

    def get_out_shapes(self, cache_key: Hashable = ()) -> Any:
        """(output, all State values after the call) as `jax.ShapeDtypeStruct`s."""
        program = self._look_up(cache_key)
        return _shapes(program.out_type()), _shapes(tuple(_states_after(program).values()))

    def get_out_treedef(self, cache_key: Hashable = ()) -> Any:
        """The tree of the output."""
        return jax.tree.structure(self._look_up(cache_key).out_type())

    def get_state_trace(self, cache_key: Hashable = ()) -> StateTraceStack:
        """The record of States read and written."""
        program, record = self._look_up(cache_key), StateTraceStack()
        for state in program.needs():
            record._record(state, state in program.effects)
        return record

    def get_states(self, cache_key: Hashable = ()) -> tuple[State, ...]:
        """All States read or written."""
        return tuple(self._look_up(cache_key).needs())

    def get_read_states(self, cache_key: Hashable = ()) -> tuple[State, ...]:
        """The States only read."""
        program = self._look_up(cache_key)
        return tuple(s for s in program.reads if s not in program.effects)

    def get_write_states(self, cache_key: Hashable = ()) -> tuple[State, ...]:
        """The States written."""
        return tuple(self._look_up(cache_key).writes)

    def compile_function_and_get_states(self, *args: Any, **kwargs: Any) -> tuple[State, ...]:
        """`make_jaxpr`, then `get_states`."""
        self.make_jaxpr(*args, **kwargs)
        return self.get_states()

    def compile_function_and_get_state_trace(
        self, *args: Any, return_only_write: bool = False, **kwargs: Any
    ) -> StateTraceStack:
        """`make_jaxpr`, then `get_state_trace`."""
        self.make_jaxpr(*args, **kwargs)
        return self.get_state_trace()

    def jaxpr_call(self, state_vals: Any, *args: Any, **kwargs: Any) -> tuple[tuple, Any]:
        """Pure: (values of all States after the call, output); no State changes."""
        program = self._program_of(args, kwargs)
        states = program.needs()
        if len(state_vals) != len(states):
            raise ValueError(
                f"jaxpr_call needs the values of {len(states)} States, in the order of "
                f"get_states(); found {len(state_vals)}. [BST-A10]"
            )
        values = dict(zip(states, state_vals, strict=True))
        out, new = program(values, *self._arguments.pack(args, kwargs))
        return tuple(new.get(state, values[state]) for state in states), out

    def jaxpr_call_auto(self, *args: Any, **kwargs: Any) -> Any:
        """Call on the current State values, and store the new ones."""
        program = self._look_up(self.get_arg_cache_key(*args, **kwargs))
        out, new = program(outer_values(program.needs()), *self._arguments.pack(args, kwargs))
        commit(new, new.values(), program.created)
        return out

    def clear_cache(self) -> None:
        """Forget all programs."""
        self._programs.clear()


def trace_without_effects(
    fun: Callable, arguments: Arguments, args: tuple, kwargs: dict, boxed: bool = False
) -> Program:
    """Trace, and take back the attribute edits that the body made."""

    def body(donated: dict, args: tuple, kwargs: dict) -> Any:
        args, kwargs = arguments.unpack(donated, args, kwargs)
        return fun(*args, **kwargs)

    body.__name__ = function_name(fun)
    # Unwatched: what comes out tells of the user's States alone.
    with watching(None), entering("make_jaxpr", fun):
        program = trace(body, arguments.pack(args, kwargs), boxed=boxed)
    undo([edit for edit in program.journal if id(edit[0]) not in program.frame.nodes])
    return program


def make_jaxpr(
    fun: Callable,
    static_argnums: Any = (),
    axis_env: Any = None,
    return_shape: bool = False,
    abstracted_axes: Any = None,
    state_returns: Any = ("read", "write"),
) -> Callable:
    """A function of example arguments that returns ``(jaxpr, states)``.

    With `return_shape`, ``(jaxpr, states, output shapes)``. Inputs of the jaxpr: argument leaves,
    then State leaves in the order of first access. Outputs: those of `fun`, then the values of all
    these States.

    >>> import brainstate
    >>> a = brainstate.State(1.0)
    >>> jaxpr, states = brainstate.compile.make_jaxpr(lambda x: a.value + x)(2.0)
    >>> states == (a,), len(jaxpr.in_avals), len(jaxpr.out_avals)
    (True, 2, 2)
    """
    _refuse_old_options(axis_env, abstracted_axes)
    arguments = Arguments(fun, static_argnums)

    def wrapper(*args: Any, **kwargs: Any) -> tuple:
        program = trace_without_effects(fun, arguments, args, kwargs)
        states = tuple(program.needs())

        def pure(packed: tuple, state_values: tuple) -> tuple:
            values = dict(zip(states, state_values, strict=True))
            out, new = program(values, *packed)
            return out, [new.get(state, values[state]) for state in states]

        values = tuple(outer_values(states).values())
        jaxpr = jax.make_jaxpr(pure)(arguments.pack(args, kwargs), values)
        return (jaxpr, states, _shapes(program.out_type())) if return_shape else (jaxpr, states)

    functools.update_wrapper(wrapper, fun)
    wrapper.__name__ = f"make_jaxpr({getattr(fun, '__name__', type(fun).__name__)})"
    return wrapper


def _refuse_old_options(axis_env: Any, abstracted_axes: Any) -> None:
    if axis_env is not None or abstracted_axes is not None:
        raise ValueError(
            "axis_env and abstracted_axes are gone from JAX; leave them out. [BST-A12]"
        )


def _states_after(program: Program) -> dict[State, Any]:
    before = dict(zip(program.reads, program.read_types(), strict=True))
    return {s: program.effect_types().get(s, before.get(s)) for s in program.needs()}


def _shapes(tree: Any) -> Any:
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), tree)
