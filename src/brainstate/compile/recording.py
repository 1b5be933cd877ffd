"""How a loop records: entries are stacked by the scan, or added up in its carry.

Entries that belong to every n-th step only are taken between loops of n steps, inside a loop over
these: so the steps in between cost nothing, and no buffer is carried that vmap would scatter into.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from .._engine.names import describe, function_name
from .._engine.program import Program, outer_values, trace
from .._state import State
from .loop_blocks import in_blocks
from .recorders import Recorder, as_recorder, look_at

Named = tuple[tuple[str, Recorder], ...]


class Request:
    """The argument `record`: a recorder, or a container of recorders."""

    def __init__(self, loop: str, record: Any):
        leaves, self.tree = jax.tree_util.tree_flatten_with_path(record)
        self.sources, named = [], []
        for path, leaf in leaves:
            name = f"record{jax.tree_util.keystr(path)}"
            if not (isinstance(leaf, (Recorder, State)) or callable(leaf)):
                raise TypeError(
                    f"{loop}: {name} must be a recorder, a State or a function without arguments; "
                    f"found {leaf!r}. [BST-A01]"
                )
            recorder = as_recorder(leaf)
            self.sources.append(recorder.source)
            named.append((f"{name} ({_name_of(recorder.source)})", recorder.unbound()))
        self.recorders: Named = tuple(named)


def _name_of(source: Any) -> str:
    return describe(source) if isinstance(source, State) else function_name(source)


@dataclasses.dataclass
class Probe:
    """One recorder in a traced loop."""

    recorder: Recorder
    program: Program
    values: dict[State, Any]
    states: list[State]  # carried by the loop

    def __post_init__(self) -> None:
        self.source_kind = _struct(self.program.hidden_out_type())
        self.kind = jax.eval_shape(self.recorder.select, self.source_kind)

    def look(self, carry: tuple) -> Any:
        (_, written), _ = carry  # beside what a progress bar counts
        carried = dict(zip(self.states, written, strict=True))
        return self.recorder.select(self.program({**self.values, **carried})[0])

    def start(self) -> Any:
        return self.recorder.start(self.kind)

    def finish(self, kept: Any, count: int) -> Any:
        return self.recorder.finish(kept, count, self.kind)


def attach(recorders: Named, sources: Sequence, states: list[State], values: dict) -> list[Probe]:
    """Trace what is recorded, on the types that the States have inside the loop."""
    probes = []
    for (name, recorder), source in zip(recorders, sources, strict=True):
        program = trace(look_at(source), (), repeats=True, stand_ins=values)
        for state in program.writes:
            raise TypeError(
                f"{name} writes {describe(state)}; recording must not change the run. Write it in "
                "the body of the loop, and record what is written. [BST-L07]"
            )
        if program.has_graphs:
            raise TypeError(f"{name} returns a node or State; return its value. [BST-L03]")
        recorder.check(name, program.hidden_out_type())
        own = outer_values(state for state in program.needs() if state not in values)
        probes.append(Probe(recorder, program, {**values, **own}, states))
    return probes


class Recording:
    """A loop of `length` steps that records.

    `run` is the loop to use, as ``run(step, carry, xs, length) -> carry, ys``. Unless it may be
    `cut`, every step has its entries, and those of larger windows are made after the loop.
    """

    def __init__(self, run: Callable, probes: list[Probe], reverse: bool, cut: bool):
        self.run_steps, self.probes, self.reverse = run, probes, reverse
        windows = [probe.recorder.window for probe in probes]
        self.chain = _chain([w for w in windows if w is not None] if cut else [])
        # At which stride each has its entries; 0: none, but one sum for the whole loop.
        self.places = [max(d for d in self.chain if w % d == 0) if w else 0 for w in windows]
        self.sums = [
            i for i, p in enumerate(probes) if p.recorder.folds and self.places[i] != 1
        ]  # combined in the carry

    def run(self, step: Callable, carry: Any, xs: Any, length: int) -> tuple[Any, Any, list]:
        """Returns the carry, the outputs of the steps, and what was recorded."""
        self.step = step
        state = carry, {i: self.probes[i].start() for i in self.sums}
        (carry, sums), (ys, entries) = self._run(self.chain, state, xs, length)
        recorded = []
        for i, (probe, place) in enumerate(zip(self.probes, self.places, strict=True)):
            window = probe.recorder.window
            if window is None:
                recorded.append(probe.finish(sums[i], length))
            else:
                found = thin(probe.recorder, entries[i], window // place, self.reverse)
                recorded.append(probe.recorder.wrap(found, probe.source_kind))
        return carry, ys, recorded

    def _run(self, chain: list[int], state: tuple, xs: Any, length: int) -> tuple[Any, Any]:
        """A loop that takes entries at the strides in `chain`, from small to large."""
        *finer, stride = chain
        if not finer:
            return self.run_steps(self._step, state, xs, length)

        def block(state: tuple, xs: Any) -> tuple[Any, Any]:
            state, ys = self._run(finer, state, xs, stride)
            state, entries = self._take(stride, state)
            return state, (ys, entries)

        def rest(state: tuple, xs: Any, left: int) -> tuple[Any, Any]:
            return self._run(finer, state, xs, left)

        state, (ys, fine), coarse = in_blocks(
            block, rest, state, xs, length, stride, length // stride, self.reverse
        )
        return state, (ys, {**fine, **coarse})

    def _step(self, state: tuple, x: Any) -> tuple[Any, Any]:
        carry, sums = state
        carry, y = self.step(carry, x)
        for i in self.sums:
            probe = self.probes[i]
            sums = {**sums, i: probe.recorder.fold(sums[i], probe.look(carry))}
        state, entries = self._take(1, (carry, sums))
        return state, (y, entries)

    def _take(self, stride: int, state: tuple) -> tuple[Any, dict]:
        """The entries that belong to this stride; sums start anew."""
        (carry, sums), entries = state, {}
        for i, probe in enumerate(self.probes):
            if self.places[i] != stride:
                continue
            kept = sums[i] if i in sums else probe.recorder.fold(probe.start(), probe.look(carry))
            entries[i] = probe.finish(kept, stride)
            if i in sums:
                sums = {**sums, i: probe.start()}
        return (carry, sums), entries


def _struct(value: Any) -> Any:
    avals = jax.tree.map(lambda x: x if hasattr(x, "dtype") else jax.typeof(x), value)
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), avals)


def thin(recorder: Recorder, entries: Any, ratio: int, reverse: bool) -> Any:
    """Entries for windows that are `ratio` times as large."""

    def one(leaf: Any) -> Any:
        count = len(leaf) // ratio
        cut = slice(len(leaf) - count * ratio, None) if reverse else slice(count * ratio)
        windows = leaf[cut].reshape(count, ratio, *leaf.shape[1:])
        return recorder.thin(jnp.flip(windows, 1) if reverse else windows)

    return entries if ratio == 1 else jax.tree.map(one, entries)


def _chain(windows: list[int]) -> list[int]:
    """1, and those windows of which each is a multiple of the one before."""
    chain = [1]
    for window in sorted(set(windows)):
        if window % chain[-1] == 0 and window > 1:
            chain.append(window)
    return chain


class PythonRecording:
    """The same for a loop that runs in Python: every step has its entries at first."""

    def __init__(self, recorders: Named, sources: Sequence):
        self.recorders, self.sources = recorders, sources
        self.entries: list[list] = [[] for _ in sources]
        with jax.disable_jit(False):
            probes = attach(recorders, sources, [], {})
        self.kinds = [probe.source_kind for probe in probes]

    def watch(self, body: Callable) -> Callable:
        """The body of a scan that records."""

        def watched(carry: Any, x: Any) -> Any:
            out = body(carry, x)
            for (_, recorder), source, entries in zip(
                self.recorders, self.sources, self.entries, strict=True
            ):
                value = recorder.select(look_at(source)())
                kind = _struct(value)
                kept = recorder.fold(recorder.start(kind), value)
                entries.append(recorder.finish(kept, 1, kind))
            return out

        return watched

    def results(self, reverse: bool) -> list:
        recorded = []
        for (_, recorder), kind, entries in zip(
            self.recorders, self.kinds, self.entries, strict=True
        ):
            entries = entries[::-1] if reverse else entries
            stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *entries)
            window = len(entries) if recorder.window is None else recorder.window
            found = thin(recorder, stacked, window, reverse)
            if recorder.window is None:
                found = jax.tree.map(lambda x: x[0], stacked if window == 1 else found)
            recorded.append(recorder.wrap(found, kind))
        return recorded
