"""Programs: what one run of a Python body leaves behind, with its States made explicit.

A State first read inside the body appears in the jaxpr as `state_input` equations. After tracing,
these become leading inputs of the jaxpr; no second run is needed to learn which States there are.

The body itself is traced as one `jax.jit` equation, into which its States come as if closed over.
So replaying a program binds a single equation, however long the body is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import jax

from .._errors import TraceContextError
from .frames import Frame, current_frame, read
from .guards import Guards
from .hidden import hide, is_graph, show
from .jax_api import (
    EAGER,
    ClosedJaxpr,
    Primitive,
    current_trace,
    is_tracer,
    jaxpr_as_fun,
    set_current_trace,
)
from .journal import Journal, transaction
from .names import describe, function_name

if TYPE_CHECKING:
    from .._state import State

_state_input = Primitive("state_input")
_state_input.def_abstract_eval(lambda *, aval, index: aval)


class TracingFrame(Frame):
    """Turns each outside State into fresh program inputs when it is first read."""

    def __init__(
        self,
        guards: Guards | None = None,
        repeats: bool = False,
        stand_ins: dict[State, Any] | None = None,
        outermost: bool = False,
    ):
        self.guards, self.repeats = guards, repeats
        self.stand_ins = stand_ins or {}
        self.input_count = 0
        self.input_trace: Any = None  # where the inputs are; the body may run one level deeper
        self.signatures: list[tuple] = []
        super().__init__()
        if outermost:  # only jax.jit's own tracing of our callable lies around it
            self.outer_trace = EAGER

    def fetch(self, state: State) -> Any:
        value = self.stand_ins[state] if state in self.stand_ins else self.outer_value(state)
        leaves, tree = jax.tree.flatten(value)
        try:
            avals = [jax.typeof(leaf) for leaf in leaves]
        except TypeError as error:
            raise TypeError(
                f"{describe(state)} holds {value!r}, which is no JAX value, so a transformation "
                "that compiles cannot read it. Keep such data in an ordinary attribute. [BST-S05]"
            ) from error
        start = self.input_count
        self.input_count += len(leaves)
        self.signatures.append((tree, avals))
        with set_current_trace(self.input_trace):
            inputs = [_state_input.bind(aval=a, index=start + i) for i, a in enumerate(avals)]
        return tree.unflatten(inputs)

    def _is_staged(self) -> bool:
        return True


@dataclasses.dataclass(eq=False)
class Program:
    """A traced body: call it with the values of its States to get output and new values."""

    run: Callable[..., list]
    reads: list[State]
    effects: list[State]  # written and created
    created: dict[State, None]
    out_tree: Any
    frame: TracingFrame
    journal: Journal  # attribute edits of the body
    in_tree: Any
    in_avals: list
    out_avals: list
    closes_over_tracers: bool
    has_graphs: bool  # the output holds nodes or States

    @property
    def writes(self) -> list[State]:
        return [state for state in self.effects if state not in self.created]

    def needs(self) -> list[State]:
        """Outside States whose values a caller must supply: what is read, what is written."""
        return list(dict.fromkeys([*self.reads, *self.writes]))

    def __call__(self, values: dict[State, Any], *args: Any, **kwargs: Any) -> tuple[Any, dict]:
        out, new = self.call_hidden(values, *args, **kwargs)
        return show(out) if self.has_graphs else out, new

    def call_hidden(self, values: dict[State, Any], *args: Any, **kwargs: Any) -> tuple[Any, dict]:
        """The same, with nodes and States in the output hidden from JAX."""
        inputs = jax.tree.leaves([values[state] for state in self.reads])
        return self.replay(inputs, jax.tree.leaves(hide((args, kwargs))))

    def replay(self, inputs: list, leaves: list) -> tuple[Any, dict[State, Any]]:
        """Run on flat State inputs and flat arguments; nodes in the output stay hidden."""
        out, new = self.out_tree.unflatten(self.run_flat(inputs, leaves))
        return out, dict(zip(self.effects, new, strict=True))

    def run_flat(self, inputs: list, leaves: list) -> list:
        return self.run(*inputs, *leaves)

    def out_type(self) -> Any:
        """The output, with abstract values for leaves."""
        return show(self.hidden_out_type())

    def hidden_out_type(self) -> Any:
        """The same, with nodes and States hidden from JAX."""
        return self.out_tree.unflatten(self.out_avals)[0]

    def effect_types(self) -> dict[State, Any]:
        """The abstract new values of written and created States."""
        return dict(zip(self.effects, self.out_tree.unflatten(self.out_avals)[1], strict=True))

    def read_types(self) -> list[Any]:
        """The abstract values of the States read."""
        return [tree.unflatten(avals) for tree, avals in self.frame.signatures]

    def as_jaxpr(self) -> Any:
        """State leaves and argument leaves to output leaves and new State leaves."""
        avals = jax.tree.leaves((self.read_types(), self.in_avals))
        structs = [jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in avals]
        return jax.make_jaxpr(lambda *leaves: self.run(*leaves))(*structs)

    def is_for(self, args: tuple) -> bool:
        """Whether arguments have the types that the program was traced with."""
        leaves, tree = jax.tree.flatten(hide((args, {})))
        return tree == self.in_tree and [jax.typeof(leaf) for leaf in leaves] == self.in_avals

    def fits(self, values: dict[State, Any]) -> bool:
        """Whether State values have the types that the program was traced with."""
        return all(
            jax.tree.structure(values[state]) == tree
            and [jax.typeof(leaf) for leaf in jax.tree.leaves(values[state])] == avals
            for state, (tree, avals) in zip(self.reads, self.frame.signatures, strict=True)
        )


def trace(
    fun: Callable,
    args: tuple,
    kwargs: dict | None = None,
    *,
    guards: Guards | None = None,
    repeats: bool = False,
    stand_ins: dict[State, Any] | None = None,
    boxed: bool = True,
    outermost: bool = False,
) -> Program:
    """Run `fun` once on abstract values.

    `repeats` says that the program will run any number of times; `stand_ins` are used in place of
    the outside values of some States; unless `boxed`, the jaxpr is left flat; `outermost` says that
    the outside of this body is plain eager code.
    """
    leaves, in_tree = jax.tree.flatten(hide((args, kwargs or {})))
    frame = TracingFrame(guards, repeats, stand_ins, outermost)
    effects: list[State] = []
    out_tree: Any = None
    has_graphs = False

    def body(*leaves: Any) -> list:
        nonlocal effects, out_tree, has_graphs
        args, kwargs = show(in_tree.unflatten(leaves))
        with frame:
            out = fun(*args, **kwargs)
            has_graphs = any(map(is_graph, jax.tree.leaves(out)))
            effects = frame.effects()
            if has_graphs:
                out = hide(out, strong=False)  # `frame` holds what the body made
            outs, out_tree = jax.tree.flatten((out, [frame.values[s] for s in effects]))
        return outs

    body.__name__ = body.__qualname__ = function_name(fun)

    def outer(*leaves: Any) -> list:
        frame.input_trace = current_trace()
        return jax.jit(body)(*leaves) if boxed and not _checks_leaks() else body(*leaves)

    try:
        with transaction() as journal:
            closed = jax.make_jaxpr(outer)(*leaves)
    except jax.errors.UnexpectedTracerError as error:
        raise outdated_program() from error
    return Program(
        run=_expose_state_inputs(closed, frame.input_count),
        reads=list(frame.fetched),
        effects=effects,
        created=frame.created,
        out_tree=out_tree,
        in_tree=in_tree,
        in_avals=list(map(_aval_of, leaves)),
        out_avals=list(closed.out_avals),
        frame=frame,
        journal=journal,
        closes_over_tracers=any(map(is_tracer, closed.consts)),
        has_graphs=has_graphs,
    )


def outdated_program() -> TraceContextError:
    """The error for a tracer of an earlier trace, kept by a user or by a plain jax function."""
    return TraceContextError(
        "A value that a function computed while it was traced is used here, after that trace has "
        "ended. If it was kept in a list, an attribute or a global: return it, or keep it in a "
        "State. If not, a plain jax transformation (jax.jit, jax.lax.scan, ...) called here holds "
        "it: use its brainstate twin (brainstate.transform.jit, .scan, ...), or pass the value as "
        "an argument. JAX says above where it was computed. [BST-S02]"
    )


def _checks_leaks() -> bool:
    # JAX's caches refer to what an inner jit closes over, which its own check takes for a leak.
    return jax.config.jax_check_tracer_leaks  # type: ignore[attr-defined]  # made at run time


def _aval_of(leaf: Any) -> Any:
    return leaf if isinstance(leaf, jax.ShapeDtypeStruct) else jax.typeof(leaf)


def _expose_state_inputs(closed: Any, count: int) -> Callable[..., list]:
    jaxpr = closed.jaxpr
    marks = {e.params["index"]: e.outvars[0] for e in jaxpr.eqns if e.primitive is _state_input}
    rest = [e for e in jaxpr.eqns if e.primitive is not _state_input]
    explicit = jaxpr.replace(invars=[*(marks[i] for i in range(count)), *jaxpr.invars], eqns=rest)
    return jaxpr_as_fun(ClosedJaxpr(explicit, closed.consts))


def outer_values(states: Iterable[State]) -> dict[State, Any]:
    """Read States in the enclosing context."""
    frame = current_frame()
    return {state: read(frame, state) for state in dict.fromkeys(states)}
