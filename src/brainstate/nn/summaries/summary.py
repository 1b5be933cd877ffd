"""`summary`: a model at a glance."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from typing import Any

import jax

from ..._engine.hidden import is_graph
from ..._engine.names import describe
from ..._engine.wording import ValueType, types_of
from ..._state import ParamState, State
from ...explanation.explain import trace_call
from ...explanation.result import with_prefix
from ...explanation.tables import Section, as_html, as_text
from ...graph import Node, states
from ...graph.walk import Event, walk
from ..module import call_observer
from .calls import Call, Recorder, flops_of


@dataclasses.dataclass(frozen=True)
class ModuleRow:
    """One node of a model; all figures hold for it and everything below."""

    path: tuple  # as in `nodes()`
    level: int  # nodes above it
    kind: str
    calls: int  # in one call of the model
    outputs: tuple[ValueType, ...]  # of its last call: shape, dtype and unit of each array
    parameters: int  # numbers in its `ParamState`s
    bytes: int  # of all its States
    flops: float | None  # of all its calls, a loop's body counted once; None if unknown
    synaptic_operations: float | None  # None where there are no event-driven layers

    def cells(self) -> list[str]:
        """What stands in its row of the table."""
        name = ".".join(map(str, self.path)) or "(model)"
        times = f" ×{self.calls}" if self.calls > 1 else ""
        return [
            "  " * self.level + name,
            self.kind + times,
            ", ".join(f"{x.shape} {x.dtype}" for x in self.outputs),
            ", ".join(dict.fromkeys(x.unit for x in self.outputs if x.unit)),
            f"{self.parameters:,}",
            with_prefix(self.bytes, "B"),
            "" if self.flops is None or not self.calls else with_prefix(self.flops),
            "" if self.synaptic_operations is None else with_prefix(self.synaptic_operations),
        ]


_COLUMNS = ["path", "module", "output", "unit", "parameters", "bytes", "FLOPs",
            "synaptic operations"]  # fmt: skip


class Summary:
    """What a model is made of, and what one call of it costs.

    `modules` has a `ModuleRow` for each node, the model first; `states` maps the paths of
    ``model.states()`` to States.
    """

    def __init__(self, modules: list[ModuleRow], states: dict[tuple, State]):
        self.modules, self.states = modules, states

    @property
    def total(self) -> ModuleRow:
        """The row of the model itself."""
        return self.modules[0]

    def __repr__(self) -> str:
        return as_text(self._title(), self._sections())

    def _repr_html_(self) -> str:
        return as_html(self._title(), self._sections())

    def _title(self) -> str:
        total = self.total
        parts = [
            f"{total.parameters:,} parameters",
            f"{with_prefix(total.bytes, 'B')} in all States",
        ]
        if total.calls and total.flops is not None:
            parts.append(f"{with_prefix(total.flops)} FLOPs a call")
        if total.synaptic_operations is not None:
            parts.append(f"{with_prefix(total.synaptic_operations)} synaptic operations a call")
        return f"{total.kind}: {', '.join(parts)}"

    def _sections(self) -> Iterator[Section]:
        rows = [row.cells() for row in self.modules]
        used = [i for i in range(len(_COLUMNS)) if any(row[i] for row in rows)]
        columns = [_COLUMNS[i] for i in used]
        yield Section("modules", columns, [[row[i] for i in used] for row in rows])
        rows = [cells for path, state in self.states.items() for cells in _state_cells(path, state)]
        yield Section("States", ["path", "kind", "shape", "dtype", "unit"], rows)


def summary(model: Any, *inputs: Any, activity: float = 1.0, **named: Any) -> Summary:
    """What `model` is made of, and what the call ``model(*inputs, **named)`` costs.

    The call is abstract: nothing is computed and no State changes. Arrays among the inputs may be
    `jax.ShapeDtypeStruct`s; without inputs, a model that needs some is not called, and only
    parameters and bytes are told. States of a run must have been created (`init_all_states`).

    FLOPs are what XLA estimates for the lowered program of each module, a loop's body counted once.
    Layers of `brainstate.event` do a synaptic operation for each spike and synapse behind it; how
    many neurons spike is not known beforehand: `activity` is their share, at most all of them.

    >>> import brainstate, jax, jax.numpy as jnp
    >>> model = brainstate.nn.Sequential(brainstate.nn.Linear(3, 4), jax.nn.relu)
    >>> brainstate.nn.summary(model, jnp.ones((2, 3)))
    Sequential: 16 parameters, 64 B in all States, 64 FLOPs a call
    <BLANKLINE>
    modules
      path        module      output          parameters  bytes  FLOPs
      (model)     Sequential  (2, 4) float32  16          64 B   64
        layers.0  Linear      (2, 4) float32  16          64 B   56
    <BLANKLINE>
    States
      path                       kind        shape   dtype    unit
      layers.0.weight['bias']    ParamState  (4,)    float32
      layers.0.weight['weight']  ParamState  (3, 4)  float32
    """
    if not isinstance(model, Node):
        raise TypeError(f"summary() takes a module or another node; found {model!r}. [BST-A01]")
    if not 0 <= activity <= 1:
        raise ValueError(
            f"activity is a share of neurons, from 0 to 1; found {activity!r}. [BST-A02]"
        )
    recorder = Recorder(trace_call, model, activity)
    if inputs or named or _takes_nothing(model):
        _call(model, inputs, named, recorder)
    rows = [_row(path, node, level, recorder) for path, node, level in _nodes_of(model)]
    return Summary(_with_synapses(rows), dict(states(model)))


def _call(model: Any, inputs: tuple, named: dict, recorder: Recorder) -> None:
    if not callable(model):
        raise TypeError(f"{describe(model)} cannot be called; leave the inputs out. [BST-A01]")
    outputs: list = []

    def call(*args: Any, **kwargs: Any) -> Any:
        outputs.append(model(*args, **kwargs))
        return outputs[0]

    token = call_observer.set(recorder)
    try:
        program = trace_call(call, inputs, named)
    finally:
        call_observer.reset(token)
    total = recorder.calls.setdefault(id(model), Call())
    if not total.count:
        total.add(outputs[0], None, None)
    total.flops = flops_of(program)


def _takes_nothing(model: Any) -> bool:
    """Whether a call needs no inputs."""
    function = getattr(model, "update", model)
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return all(p.default is not p.empty for p in parameters if p.kind not in kinds) and not any(
        p.kind in kinds for p in parameters
    )


def _nodes_of(model: Any) -> Iterator[tuple[tuple, Node, int]]:
    """Each node once, parents before children."""
    for event, path, value, level, _ in walk(model):
        if event is Event.ENTER and isinstance(value, Node):
            yield path, value, level


def _row(path: tuple, node: Node, level: int, recorder: Recorder) -> ModuleRow:
    call = recorder.calls.get(id(node), Call())
    below = states(node)
    return ModuleRow(
        path=path,
        level=level,
        kind=type(node).__name__,
        calls=call.count,
        outputs=tuple(call.outputs),
        parameters=sum(_size(s) for s in below.values() if isinstance(s, ParamState)),
        bytes=sum(map(_bytes, below.values())),
        flops=call.flops,
        synaptic_operations=call.synaptic_operations,
    )


def _with_synapses(rows: list[ModuleRow]) -> list[ModuleRow]:
    """Synaptic operations of each module and of those below."""
    out = []
    for row in rows:
        below = [r for r in rows if r.path[: len(row.path)] == row.path]
        counts = [r.synaptic_operations for r in below if r.synaptic_operations is not None]
        out.append(dataclasses.replace(row, synaptic_operations=sum(counts) if counts else None))
    return out


def _size(state: State) -> int:
    return sum(x.size for x in _arrays(state))


def _bytes(state: State) -> int:
    return sum(x.size * x.dtype.itemsize for x in _arrays(state))


def _arrays(state: State) -> list[Any]:
    """The abstract arrays of a State's value."""
    found = []
    for leaf in jax.tree.leaves(state.value):
        if not is_graph(leaf):
            try:
                found.append(jax.typeof(leaf))
            except TypeError:  # no JAX value
                continue
    return found


def _state_cells(path: tuple, state: State) -> Iterator[list[str]]:
    for inner, x in types_of(state.value).items():
        if isinstance(x, ValueType):
            name, kind = ".".join(map(str, path)) + inner, type(state).__name__
            yield [name, kind, str(x.shape), x.dtype, x.unit or ""]
