"""`jit`: compile a function together with the States that it touches."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

import jax

from .._engine import hidden
from .._engine.frames import UNSET, current_frame, read
from .._engine.hidden import Hole
from .._engine.jax_api import EAGER, current_trace
from .._engine.names import describe
from .._engine.options import decorator
from .arguments import Arguments
from .lowering import Lowered
from .stateful_function import StatefulFunction
from .variants import Entry, RunsEagerly, StatesGrew

_HOLES = tuple(map(Hole, range(64)))
_NONE_DONATED: dict = {}


@decorator
def jit(
    fun: Callable,
    in_shardings: Any = None,
    out_shardings: Any = None,
    static_argnums: Any = None,
    donate_argnums: Any = None,
    donate_argnames: Any = None,
    keep_unused: bool = False,
    inline: bool = False,
    *,
    static_argnames: Any = None,
    donate_states: bool = False,
    **options: Any,
) -> Callable:
    """Compile `fun`; States that it reads are inputs, States that it writes are outputs.

    As `jax.jit`, and beyond it: nodes and States may be arguments and results; the function sees
    at once when a State was replaced on a node, an attribute that it looked at was changed, or a
    setting of `environ`. Going back to an earlier setting compiles nothing again.

    `donate_states` gives the buffers of written States to XLA for their new values; an array
    taken from such a State earlier is then deleted by the call.

    >>> import brainstate
    >>> count = brainstate.State(0)
    >>> @brainstate.compile.jit
    ... def step(x):
    ...     count.value += x
    >>> step(2), step(3), int(count.value)
    (None, None, 5)
    """
    arguments = Arguments(fun, static_argnums, static_argnames, donate_argnums, donate_argnames)
    compiler = Compiler(fun, arguments, _jax_options(arguments, donate_states, {
        "in_shardings": in_shardings, "out_shardings": out_shardings,
        "keep_unused": keep_unused, "inline": inline, **options,
    }))  # fmt: skip
    call = compiler.call

    @functools.wraps(fun)
    def jitted(*args: Any, **kwargs: Any) -> Any:
        return call(args, kwargs)

    jitted.origin_fun = fun
    jitted.stateful_fun = StatefulFunction(fun, static_argnums=static_argnums or ())
    jitted.clear_cache = compiler.clear
    jitted.lower = compiler.lower
    jitted.trace = lambda *args, **kwargs: compiler.stage("trace", args, kwargs)[1]
    jitted.eval_shape = compiler.eval_shape
    return jitted


def _jax_options(arguments: Arguments, donate_states: bool, options: dict) -> dict:
    """Options for the `jax.jit` of (reads, writes, donated, args, kwargs)."""
    donated = ((1,) if donate_states else ()) + ((2,) if arguments.donated else ())
    shardings = options.pop("in_shardings")
    if shardings is not None:
        given, rest = arguments.split_prefix(shardings)
        options["in_shardings"] = (None, None, given or None, rest, None)
    if options["out_shardings"] is None:
        del options["out_shardings"]
    else:
        options["out_shardings"] = (options["out_shardings"], None, None)
    return {**options, "donate_argnums": donated}


class Compiler:
    """All that was compiled for one function."""

    def __init__(self, fun: Callable, arguments: Arguments, options: dict):
        self.fun, self.arguments, self.options = fun, arguments, options
        self.plain = arguments.plain
        self.main = Entry(fun, arguments, options)
        self.entries: dict[tuple[int, ...], Entry] = {}

    def call(self, args: tuple, kwargs: dict) -> Any:
        if current_frame() is not None or current_trace() is not EAGER:
            entry, *packed = self.prepare(args, kwargs)
            return entry.call_inside(*packed)
        if self.plain:
            for arg in args:
                if isinstance(arg, hidden.graph_types):
                    return self._call_with_nodes(args, kwargs)
            try:
                return self.main.call(_NONE_DONATED, args, kwargs)
            except RunsEagerly:
                return self.fun(*args, **kwargs)
            except TypeError:
                if not hidden.has_graph((args, kwargs)):
                    _name_bad_states(self.main)
                    raise
                self.plain = False  # nodes deeper in the arguments: look for them from now on
        return self._call_packed(*self.prepare(args, kwargs))

    def _call_with_nodes(self, args: tuple, kwargs: dict) -> Any:
        """Nodes among the positional arguments only, which is quick to see."""
        objects = [arg for arg in args if isinstance(arg, hidden.graph_types)]
        entry = self.entries.get(tuple(map(id, objects)))
        if entry is None or kwargs:
            return self._call_packed(*self.prepare(args, kwargs))
        holes = iter(_HOLES)
        punched = tuple(next(holes) if isinstance(a, hidden.graph_types) else a for a in args)
        try:
            return entry.call(_NONE_DONATED, punched, kwargs)
        except RunsEagerly:
            return self.fun(*args, **kwargs)
        except TypeError:
            if not hidden.has_graph(punched):
                _name_bad_states(entry)
                raise
            return self._call_packed(*self.prepare(args, kwargs))

    def _call_packed(self, entry: Entry, *packed: Any) -> Any:
        try:
            return entry.call(*packed)
        except RunsEagerly:
            args, kwargs = entry.restore(*packed)
            return self.fun(*args, **kwargs)
        except TypeError:
            _name_bad_states(entry)
            raise

    def prepare(self, args: tuple, kwargs: dict) -> tuple[Entry, dict, tuple, dict]:
        """Pack the arguments, punch holes for nodes, and find the entry that belongs to these."""
        packed, objects = hidden.punch(self.arguments.pack(args, kwargs))
        return self._entry_of(tuple(objects)), *packed

    def _entry_of(self, objects: tuple) -> Entry:
        if not objects:
            return self.main
        key = tuple(map(id, objects))
        if key not in self.entries:
            self.entries[key] = Entry(self.fun, self.arguments, self.options, objects)
            for obj in objects:  # a compiled function keeps no model alive
                weakref.finalize(obj, self.entries.pop, key, None)
        return self.entries[key]

    def clear(self) -> None:
        """Forget everything; the next call compiles anew."""
        self.main.clear()
        self.entries.clear()

    # ------------------------------------------------------------------ ahead of time

    def stage(self, method: str, args: tuple, kwargs: dict) -> tuple[Entry, Any, tuple]:
        """Call a method of the `jax.jit` function that fits: trace, lower, eval_shape."""
        entry, *packed = self.prepare(args, kwargs)
        variant = entry.select()
        try:
            staged = getattr(variant.run, method)(*variant.state_values(), *packed)
        except StatesGrew as grew:
            use = lambda run: getattr(run, method)  # noqa: E731
            _, staged = entry.grow(variant, grew.program, *packed, use=use)
        return entry, staged, tuple(packed)

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """Lower for these arguments; `.compile()` gives a callable that reads and writes States."""
        entry, staged, _ = self.stage("lower", args, kwargs)
        return Lowered(staged, entry.current, self.prepare)

    def eval_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The output as `jax.ShapeDtypeStruct`s; no State changes."""
        _, (out, _, _), _ = self.stage("eval_shape", args, kwargs)
        return hidden.show(out)


def _name_bad_states(entry: Entry) -> None:
    """Where JAX refuses a value, say which State it belongs to."""
    for state in (*entry.current.reads, *entry.current.writes):
        if state._value is UNSET:
            read(None, state)
        for leaf in jax.tree.leaves(state._value):
            try:
                jax.typeof(leaf)
            except TypeError as error:
                raise TypeError(f"{describe(state)} holds {leaf!r}, no JAX value.") from error
