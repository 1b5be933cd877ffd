"""`jit`: compile a function together with the States that it touches."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from itertools import chain
from typing import Any

import jax

from .._debug.watch import watching
from .._engine import hidden
from .._engine.attachments import attachments
from .._engine.cell import UNSET, changes, handed_out
from .._engine.frames import current_frame, read
from .._engine.jax_api import EAGER, current_trace
from .._engine.names import describe, function_name
from .._engine.options import decorator
from .._engine.program import outdated_program
from .arguments import Arguments
from .lowering import Lowered
from .retracing import Retraces
from .stateful_function import StatefulFunction
from .variants import Entry, RunsEagerly, StatesGrew, Variant

_concrete_types: set[type] = set()
_NOTHING: dict = {}


def _nothing() -> None:
    """A weak reference to no entry."""


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
    max_traces: int | None = None,
    **options: Any,
) -> Callable:
    """Compile `fun`; States that it reads are inputs, States that it writes are outputs.

    As `jax.jit`, and beyond it: nodes and States may be arguments and results; the function sees
    at once when a State was replaced on a node, an attribute that it looked at was changed, or a
    setting of `environ`. Going back to an earlier setting compiles nothing again. What the body
    does to Python objects it does while it is traced, and not at each call.

    `donate_states` gives the buffers of written States to XLA for their new values; an array
    taken from such a State earlier is then deleted by the call.

    ``.why_retraced()`` of the result says in words what changed before each of the last traces.
    `max_traces` raises RetraceError with these words instead of tracing once more than that.

    >>> import brainstate
    >>> count = brainstate.State(0)
    >>> @brainstate.compile.jit
    ... def step(x):
    ...     count.value += x
    >>> step(2), step(3), int(count.value)
    (None, None, 5)
    """
    arguments = Arguments(fun, static_argnums, static_argnames, donate_argnums, donate_argnames)
    given = {"in_shardings": in_shardings, "out_shardings": out_shardings}
    options = {**given, "keep_unused": keep_unused, "inline": inline, **options}
    compiler = Compiler(
        fun,
        arguments,
        _jax_options(arguments, options, donate_states),
        donate_states,
        Retraces(function_name(fun), max_traces),
    )
    jitted: Any = functools.wraps(fun)(quick_call(compiler))
    jitted.origin_fun = fun
    jitted.stateful_fun = StatefulFunction(fun, static_argnums=static_argnums or ())
    jitted.clear_cache = compiler.clear
    jitted.lower = compiler.lower
    jitted.trace = compiler.trace
    jitted.eval_shape = compiler.eval_shape
    jitted.why_retraced = compiler.retraces.explain
    return jitted


def quick_call(compiler: Compiler) -> Callable:  # noqa: C901  one function, for speed
    """The call of a jitted function, written for speed: what a later call does costs here.

    Anything unusual goes the full way, `Compiler.call`.
    """
    main, led = compiler.main, compiler.led
    plain, donates = compiler.arguments.plain, main.donates

    def jitted(*args: Any, **kwargs: Any) -> Any:  # noqa: C901
        if kwargs or not plain or current_frame() is not None:
            return compiler.call(args, kwargs)
        entry, passed = main, args
        if (
            led
            and args
            and (found := led.get(id(args[0]), _nothing)()) is not None
            and found.objects[0]() is args[0]  # and not one that died and left its address
        ):
            entry, passed = found, args[1:]
        try:
            if handed_out.dicts != handed_out.copies:
                handed_out.absorb_edits()
        except Exception:  # comparing different arrays: they have no single truth value
            handed_out.absorb_edits()
        variant = entry.current
        guards = variant.guards
        if variant.seen is not changes.now or guards.live != guards.copies:
            if not guards.hold():
                return compiler.call(args, kwargs)
            variant.gather()
        try:
            if donates:
                results = variant.run(*variant.inputs(_NOTHING, passed, _NOTHING))
            else:
                leaves = [*variant.read_leaves, *chain(*variant.write_lists)]
                results = variant.run(leaves, passed)
        except StatesGrew as grew:
            results, program = None, grew.program
        except jax.errors.UnexpectedTracerError as error:
            raise outdated_program() from error
        except RunsEagerly:
            return compiler.fun(*args)
        except TypeError:
            if hidden.has_graph(passed):  # nodes among the arguments: JAX refused them
                return compiler.call(args, kwargs)
            _name_bad_values(entry, passed)
            raise
        if results is None:
            return entry.grow(variant, program, lambda v: v.call({}, passed, {}))[1]
        out, written, remainder = results
        witness = written[0] if written else out
        if type(witness) not in _concrete_types and not _is_outside(witness):
            return compiler.call(args, kwargs)  # a plain jax transformation is under way
        if remainder is not None or not variant.quick:
            return variant.store(out, written, remainder)
        for leaves, value in zip(variant.singles, written):  # noqa: B905  of one length
            leaves[0] = value
        return out

    return jitted


def _is_outside(witness: Any) -> bool:
    """Whether a result was computed and not traced."""
    if current_trace() is not EAGER:
        return False
    if isinstance(witness, jax.Array):
        _concrete_types.add(type(witness))
    return True


def _jax_options(arguments: Arguments, options: dict, donate_states: bool) -> dict:
    """Options for the `jax.jit` of ``(cells, args)`` or ``(cells, args, kwargs, donated)``."""
    donates = donate_states or bool(arguments.donated)
    shardings = options.pop("in_shardings")
    if shardings is not None:
        given, rest = arguments.split_prefix(shardings)
        tail = (None, (None, given or None)) if donates else ()
        options["in_shardings"] = (None, rest, *tail)
    if options["out_shardings"] is None:
        del options["out_shardings"]
    else:
        options["out_shardings"] = (options["out_shardings"], None, None)
    return {**options, "donate_argnums": (3,)} if donates else options


class Compiler:
    """All that was compiled for one function."""

    def __init__(
        self,
        fun: Callable,
        arguments: Arguments,
        options: dict,
        donate_states: bool = False,
        retraces: Retraces | None = None,
    ):
        self.fun, self.arguments = fun, arguments
        self.retraces = retraces or Retraces(function_name(fun))
        self.options = (options, donate_states, self.retraces)
        self.main = Entry(fun, arguments, *self.options)
        # By the nodes among the arguments; `led`: where the first argument is the only one.
        self.entries: dict[Any, Callable[[], Entry | None]] = {}
        self.led: dict[Any, Callable[[], Entry | None]] = {}

    def call(self, args: tuple, kwargs: dict) -> Any:
        """The full way: any arguments, inside or outside other transformations."""
        if kwargs and "in_shardings" in self.options[0]:
            raise ValueError(
                f"{self.main.name} was jitted with in_shardings, which are for positional "
                f"arguments only; it was called with keyword arguments {list(kwargs)}. [BST-A07]"
            )
        entry, *packed = self.prepare(args, kwargs)
        if current_frame() is not None or current_trace() is not EAGER:
            return entry.call_inside(*packed)
        try:
            return entry.call(*packed)
        except RunsEagerly:
            return self.fun(*args, **kwargs)
        except TypeError:
            _name_bad_values(entry, packed)
            raise

    def prepare(self, args: tuple, kwargs: dict) -> tuple[Any, ...]:
        """Pack the arguments, punch holes for nodes, and find the entry that belongs to these."""
        (donated, punched, named), objects = hidden.punch(self.arguments.pack(args, kwargs))
        if len(objects) == 1 and self.arguments.plain and args and args[0] is objects[0]:
            return self._entry_of(objects, led=True), donated, punched[1:], named
        return self._entry_of(objects), donated, punched, named

    def _entry_of(self, objects: list, led: bool = False) -> Entry:
        """The entry for these nodes.

        The first of them keeps it: a compiled function keeps no model alive that only passes.
        """
        if not objects:
            return self.main
        known = self.led if led else self.entries
        key = id(objects[0]) if led else tuple(map(id, objects))
        entry = known.get(key, _nothing)()
        if entry is None or [ref() for ref in entry.objects] != objects:
            entry = Entry(self.fun, self.arguments, *self.options, tuple(objects), led)
            kept = attachments(objects[0]).setdefault(Compiler, weakref.WeakKeyDictionary())
            kept.setdefault(self, {})[key] = entry
            for dead in [key for key, find in known.items() if find() is None]:
                del known[dead]
            known[key] = weakref.ref(entry)
        return entry

    def clear(self) -> None:
        """Forget everything; the next call compiles anew."""
        self.main.clear()
        self.retraces.clear()
        self.entries.clear()
        self.led.clear()

    # ------------------------------------------------------------------ ahead of time

    @watching(None)  # what `debug` adds must not be found in later calls
    def stage(self, method: str, args: tuple, kwargs: dict) -> tuple[Variant, Any]:
        """Call a method of the `jax.jit` function that fits: trace, lower, eval_shape."""
        entry, *packed = self.prepare(args, kwargs)

        def use(variant: Variant) -> Any:
            inputs = variant.inputs(*packed)  # this chooses `run`
            return getattr(variant.run, method)(*inputs)

        variant = entry.select()
        try:
            return variant, use(variant)
        except StatesGrew as grew:
            return entry.grow(variant, grew.program, use)

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """Lower for these arguments; `.compile()` gives a callable that reads and writes States."""
        variant, staged = self.stage("lower", args, kwargs)
        return Lowered(staged, variant, self.prepare)

    def trace(self, *args: Any, **kwargs: Any) -> Any:
        """`jax.stages.Traced` of the compiled callable."""
        return self.stage("trace", args, kwargs)[1]

    def eval_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The output as `jax.ShapeDtypeStruct`s; no State changes."""
        _, (out, _, _) = self.stage("eval_shape", args, kwargs)
        return hidden.show(out)


def _name_bad_values(entry: Entry, args: Any) -> None:
    """Where JAX refuses a value, say which State or argument it is."""
    for state in (*entry.current.reads, *entry.current.writes):
        if state._value is UNSET:
            read(None, state)
        for leaf in jax.tree.leaves(state._value):
            if not _is_jax_type(leaf):
                raise TypeError(
                    f"{describe(state)} holds {leaf!r}, which is no JAX value. "
                    "Keep such data in an ordinary attribute. [BST-S05]"
                ) from None
    for leaf in jax.tree.leaves(args):
        if not _is_jax_type(leaf) and hasattr(leaf, "__dict__"):
            kind = type(leaf).__name__
            raise TypeError(
                f"{entry.name} was called with a {kind}, which is neither a JAX value nor a node. "
                f"Derive {kind} from brainstate.graph.Node, or make the argument static "
                "(static_argnums=0 for the object of a method). [BST-J02]"
            ) from None


def _is_jax_type(leaf: Any) -> bool:
    try:
        jax.typeof(leaf)
    except TypeError:
        return False
    return True
