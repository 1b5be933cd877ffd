"""The compiled callables behind one `jit`, and how a call finds the right one."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from .._engine import hidden
from .._engine.cache import ProgramCache, signature
from .._engine.cell import UNREAD, Cell, changes, handed_out
from .._engine.frames import commit, read
from .._engine.guards import Guards
from .._engine.jax_api import EAGER, current_trace
from .._engine.journal import transaction, undo
from .._engine.names import function_name
from .._engine.observing import entering
from .._engine.program import Program, outdated_program, outer_values, trace
from .._state import State
from .arguments import Arguments
from .remainder import Remainder
from .retracing import Retraces

_LIMIT = 64


class StatesGrew(Exception):
    """A trace met States that the compiled callable does not pass explicitly yet."""

    def __init__(self, program: Program):
        self.program = program


class RunsEagerly(Exception):
    """`jax.disable_jit` is on: the body is to run as it is."""


class _Callable(NamedTuple):
    """A `jax.jit` function for one structure of the States' values."""

    run: Callable
    singles: list[list]  # the leaves of the written States that come first: they have one each
    wrapped: list[tuple[Cell, int]]  # those among them with a structure, such as a Quantity
    structured: list[tuple[Cell, int, int]]  # other written States, and which leaves are theirs


class Variant:
    """The States that are passed explicitly, and the facts that its programs rely on.

    `run` takes the leaves of the States, the arguments, and where there are any, the keyword
    arguments and what is donated: leaves of written States, and arguments by position or name. It
    is kept for each structure that the values of the States had so far.

    The States are held weakly: once one of them is gone, no call can need the variant any more, and
    its entry drops it. A model initialised anew again and again leaves nothing behind.
    """

    __slots__ = (
        "__weakref__", "_reads", "_writes", "callables", "entry", "guards", "lasting",
        "moves_clock", "pending", "quick", "read_cells", "read_leaves", "run", "seen", "singles",
        "structured", "templates", "wrapped", "write_cells", "write_lists",
    )  # fmt: skip

    def __init__(
        self,
        entry: Entry,
        guards: Guards,
        reads: tuple = (),
        writes: tuple = (),
        program: Program | None = None,
    ):
        self.entry, self.guards = entry, guards
        # Single leaves first, bare ones before all: they come out first and are stored fastest.
        writes = tuple(sorted(writes, key=lambda state: _effort(state._cell)))
        self._reads, self._writes = self._refer(reads), self._refer(writes)
        self.read_cells = [state._cell for state in reads]
        self.write_cells = [state._cell for state in writes]
        self.write_lists = [cell.leaves for cell in self.write_cells]
        self.lasting = all(cell.lasting for cell in self.read_cells)
        self.pending = [] if program is None else [program]
        self.templates: list = []  # kept here, where they go with the function that made them
        self.callables: dict[tuple, _Callable] = {}
        self.seen: Any = None  # what `changes` said when `read_leaves` were collected
        self.read_leaves: list = []

    def _refer(self, states: tuple) -> list[weakref.ref]:
        myself = weakref.ref(self)

        def drop(_: Any) -> None:
            variant = myself()
            if variant is not None:
                variant.entry.drop(variant)

        return [weakref.ref(state, drop) for state in states]

    @property
    def reads(self) -> list[State]:
        return [state for find in self._reads if (state := find()) is not None]

    @property
    def writes(self) -> list[State]:
        return [state for find in self._writes if (state := find()) is not None]

    def gather(self) -> None:
        """Collect what is only read, and choose the callable for the structure of all values."""
        for cell in self.read_cells:
            cell.remember()
        now = changes.now
        cells = [*self.read_cells, *self.write_cells]
        trees = tuple([cell.tree for cell in cells])
        self.read_leaves = [leaf for cell in self.read_cells for leaf in cell.leaves]
        if trees not in self.callables:
            self.callables[trees] = self._make(trees)
        self.run, self.singles, self.wrapped, self.structured = self.callables[trees]
        self.moves_clock = any(cell.remembered for cell in self.write_cells)
        self.quick = not (self.moves_clock or self.wrapped or self.structured)
        self.seen = now if self.lasting and not self.guards.slow else None

    def _make(self, trees: tuple) -> _Callable:
        sizes = [1 if tree is None else tree.num_leaves for tree in trees]
        starts = list(itertools.accumulate(sizes, initial=0))
        count, cells = len(self.read_cells), self.write_cells
        first = sum(1 for _ in itertools.takewhile(lambda size: size == 1, sizes[count:]))
        wrapped = [(cells[i], i) for i in range(first) if trees[count + i] is not None]
        places = [
            (cell, starts[count + i] - starts[count], starts[count + i + 1] - starts[count])
            for i, cell in enumerate(cells)
        ]
        pure = self._pure(trees, starts)
        pure.__name__ = pure.__qualname__ = self.entry.name
        run = jax.jit(pure, **self.entry.options)
        return _Callable(run, self.write_lists[:first], wrapped, places[first:])

    def _pure(self, trees: tuple, starts: list[int]) -> Callable:
        """What jax.jit compiles; runs only where it has nothing for these arguments yet."""
        entry = self.entry

        def value(leaves: list, i: int) -> Any:
            own = leaves[starts[i] : starts[i + 1]]
            return own[0] if trees[i] is None else trees[i].unflatten(own)

        def pure(leaves: list, args: tuple, kwargs: Any = None, donated: Any = ((), None)) -> tuple:
            if current_trace() is EAGER:
                raise RunsEagerly
            writes = self.writes
            order = (*self.reads, *writes)
            packed = (donated[1] or {}, args, kwargs or {})
            leaves = [*leaves, *donated[0]]
            now = {state: value(leaves, i) for i, state in enumerate(order)}
            program = self._take_pending(packed, now)
            program = program or entry.trace(*packed, Guards(), outermost=True)
            if not ({*order}.issuperset(program.needs()) and {*writes}.issuperset(program.writes)):
                raise StatesGrew(program)
            if not entry.adopt(self, program):
                raise StatesGrew(program)
            inputs = jax.tree.leaves([now[state] for state in program.reads])
            out, new = program.replay(inputs, jax.tree.leaves(packed))
            after = [new.get(state, now[state]) for state in writes]
            before = [now[state] for state in writes]
            self.seen = None  # facts were learnt: look at all of them at the next call
            remainder = Remainder.of(program, new, before, after)
            if remainder is not None:
                self.templates.append(remainder.template)
            return out, jax.tree.leaves(after), remainder

        return pure

    def _take_pending(self, packed: tuple, now: dict) -> Program | None:
        """The program of the trace that made this variant, if it is for these arguments."""
        if not self.pending:
            return None
        program = self.pending.pop()
        # Another thread may have come first, with arguments of other types.
        if program.is_for(packed) and set(program.reads) <= now.keys() and program.fits(now):
            return program
        self.pending.append(program)
        return None

    def grown(self, program: Program) -> Variant:
        """A variant that passes the States of `program` too, and that has its trace ready."""
        guards, learnt = Guards(), program.frame.guards or Guards()
        known = (*self.reads, *self.writes)
        if not ((not self.guards.ready or guards.merge(self.guards)) and guards.merge(learnt)):
            guards, known = learnt, ()  # the body was traced under other facts: a variant beside
        writes = dict.fromkeys([*(s for s in self.writes if s in known), *program.writes])
        reads = dict.fromkeys(s for s in (*known, *program.needs()) if s not in writes)
        return Variant(self.entry, guards, tuple(reads), tuple(writes), program)

    def call(self, donated: dict, args: tuple, kwargs: dict) -> Any:
        """Run on the current values of the States, and store the new ones."""
        inputs = self.inputs(donated, args, kwargs)  # this chooses `run`
        return self.store(*self.run(*inputs))

    def inputs(self, donated: dict, args: tuple, kwargs: dict) -> tuple:
        """The arguments of `run`; each State is checked to have a value."""
        for state in (*self.reads, *self.writes):
            read(None, state)
        handed_out.absorb_edits()
        self.gather()
        written = [*itertools.chain(*self.write_lists)]
        if self.entry.donate_states:
            written = _distinct(written, self.read_leaves)
            return self.read_leaves, args, kwargs, (written, donated)
        leaves = [*self.read_leaves, *written]
        if self.entry.donates:
            return leaves, args, kwargs, ((), donated)
        return (leaves, args, kwargs) if kwargs else (leaves, args)

    def store(self, out: Any, written: list, remainder: Remainder | None) -> Any:
        """Give the written States their new values; returns the output."""
        if remainder is not None:
            return remainder.store(self.write_cells, out, written)
        for leaves, value in zip(self.singles, written):  # noqa: B905  `singles` may be shorter
            leaves[0] = value
        for cell, i in self.wrapped:
            if cell.container is not UNREAD:  # it was put together for a reader
                cell.put([written[i]])
        for cell, start, stop in self.structured:
            cell.put(written[start:stop])
        if self.moves_clock:
            changes.now = object()
        return out


class Entry:
    """What was compiled for one tuple of node arguments (mostly the empty one)."""

    def __init__(
        self,
        fun: Callable,
        arguments: Arguments,
        options: dict,
        donate_states: bool,
        retraces: Retraces,
        objects: tuple = (),
        led: bool = False,
    ):
        self.fun, self.arguments, self.options = fun, arguments, options
        self.donate_states, self.retraces = donate_states, retraces
        self.donates = donate_states or bool(arguments.donated)
        self.name = function_name(fun)
        self.objects = tuple(map(weakref.ref, objects))
        self.led = led  # the only node is the first argument, and left out of `args`
        self.programs = ProgramCache()  # for calls inside other transformations
        self.lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        self.programs.clear()
        self.variants: tuple[Variant, ...] = ()  # the one used last comes first
        self.current = self.nobodys = Variant(self, Guards())  # empty: its facts never hold

    def restore(self, donated: dict, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """The arguments as the user gave them."""
        args, kwargs = self.arguments.unpack(donated, args, kwargs)
        if self.led:
            return (self.objects[0](), *args), kwargs
        if self.objects:
            args, kwargs = hidden.fill((args, kwargs), self.objects)
        return args, kwargs

    def trace(
        self, donated: dict, args: tuple, kwargs: dict, guards: Guards, outermost: bool = False
    ) -> Program:
        """Trace under facts of its own, which other threads do not see yet."""

        def body(donated: dict, args: tuple, kwargs: dict) -> Any:
            args, kwargs = self.restore(donated, args, kwargs)
            return self.fun(*args, **kwargs)

        body.__name__ = self.name
        program = trace(body, (donated, args, kwargs), guards=guards, outermost=outermost)
        guards.settle()
        try:
            given = self.restore(donated, args, kwargs)
            self.retraces.note(self.fun, *given, self.arguments.static, program)
        except BaseException:
            undo(program.journal)
            raise
        return program

    def adopt(self, variant: Variant, program: Program) -> bool:
        """Let the variant rely on what the program does; False if that contradicts."""
        with self.lock:
            if not variant.guards.merge(program.frame.guards or Guards()):
                return False
            self._put_first(variant, variant)
            return True

    # ------------------------------------------------------------------ outside

    def call(self, donated: dict, args: tuple, kwargs: dict) -> Any:
        variant = self.current
        if not variant.guards.hold():
            variant = self.select()
        try:
            return variant.call(donated, args, kwargs)
        except StatesGrew as grew:
            program = grew.program
        except jax.errors.UnexpectedTracerError as error:
            raise outdated_program() from error
        return self.grow(variant, program, lambda v: v.call(donated, args, kwargs))[1]

    def grow(
        self, variant: Variant, program: Program, use: Callable[[Variant], Any]
    ) -> tuple[Variant, Any]:
        """Pass more States until all are passed; returns the variant, and what came of its use."""
        traced = [program]
        try:
            while True:
                variant = self._replace(variant, variant.grown(traced[-1]))
                try:
                    return variant, use(variant)
                except StatesGrew as grew:
                    traced.append(grew.program)
                except jax.errors.UnexpectedTracerError as error:
                    raise outdated_program() from error
        except BaseException:
            for program in reversed(traced):
                undo(program.journal)
            raise

    def select(self) -> Variant:
        """The variant whose facts hold, or an empty one."""
        with self.lock:
            chosen = next((v for v in self.variants if v.guards.hold()), None)
            if chosen is not None:
                return self._put_first(chosen, chosen)
            return Variant(self, Guards())  # others see it once it is traced

    def drop(self, variant: Variant) -> None:
        """Forget a variant. Without the lock: a State may be collected anywhere."""
        self.variants = tuple(v for v in self.variants if v is not variant)
        if self.current is variant:
            self.current = self.nobodys

    def _replace(self, old: Variant, new: Variant) -> Variant:
        with self.lock:
            grown = {*old.reads, *old.writes} <= {*new.reads, *new.writes}
            return self._put_first(new, old if grown and new.guards.covers(old.guards) else new)

    def _put_first(self, new: Variant, old: Variant) -> Variant:
        rest = [v for v in self.variants if v is not old and v is not new]
        self.variants, self.current = (new, *rest)[:_LIMIT], new
        return new

    # ------------------------------------------------------------------ inside

    def call_inside(self, donated: dict, args: tuple, kwargs: dict) -> Any:
        """Become a part of the program under way."""
        args = _constrain(args, self.options.get("in_shardings", (None, None))[1])
        packed = (donated, args, kwargs)
        key = signature(*jax.tree.flatten(packed))
        with transaction(), entering("jit", self.fun) as step:
            program = self.programs.get(
                key, lambda guards: self.trace(donated, args, kwargs, guards)
            )
            if step is not None and self.donate_states:
                step.donated.update(program.writes)
            out = perform(program, donated, args, kwargs)
        return _constrain(out, self.options.get("out_shardings", (None,))[0])


def _effort(cell: Cell) -> int:
    """How much it takes to store a value like the present one."""
    return 0 if cell.tree is None else 1 if cell.tree.num_leaves == 1 else 2


def _constrain(tree: Any, shardings: Any) -> Any:
    """Ask for these shardings, given for a prefix of the tree, within another program."""
    if shardings is None:
        return tree

    def constrain(sharding: Any, part: Any) -> Any:
        return part if sharding is None else jax.lax.with_sharding_constraint(part, sharding)

    return jax.tree.map(constrain, shardings, tree, is_leaf=lambda x: x is None)


def _distinct(donated: list, kept: list) -> list:
    """Leaves safe to donate: one that stands elsewhere too is copied first."""
    seen = {*map(id, kept)}
    out = []
    for leaf in donated:
        out.append(jnp.array(leaf, copy=True) if id(leaf) in seen else leaf)
        seen.add(id(leaf))
    return out


def perform(program: Program, *args: Any) -> Any:
    """Run a program on the current values of its States, and commit what it did."""
    out, new = program(outer_values(program.reads), *args)
    commit(new, new.values(), program.created)
    return out
