"""What the modules of a model do in one abstract call: shapes, operations, synapses."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..._engine.frames import outside
from ..._engine.program import Program
from ..._engine.wording import ValueType, types_of
from ..module import Module, call_observer


class Call:
    """All calls of one module within the call of the model."""

    def __init__(self) -> None:
        self.count = 0
        self.outputs: list[ValueType] = []  # of the last one
        self.flops: float | None = 0.0  # of all; None if it cannot be told
        self.synaptic_operations: float | None = None

    def add(self, out: Any, flops: float | None, synaptic: float | None) -> None:
        self.count += 1
        self.outputs = [x for x in types_of(out).values() if isinstance(x, ValueType)]
        self.flops = None if flops is None or self.flops is None else self.flops + flops
        if synaptic is not None:
            self.synaptic_operations = (self.synaptic_operations or 0.0) + synaptic


class Recorder:
    """Looks on while a model is called; `activity` is the share of neurons that spike."""

    def __init__(self, trace: Callable[..., Program], model: Any, activity: float):
        self.trace, self.model, self.activity = trace, model, activity
        self.calls: dict[int, Call] = {}

    def __call__(self, module: Module, args: tuple, kwargs: dict) -> Any:
        flops = None if module is self.model else self._flops_alone(module, args, kwargs)
        out = module.update(*args, **kwargs)
        call = self.calls.setdefault(id(module), Call())
        call.add(out, flops, self._synaptic_operations(module, args))
        return out

    def _flops_alone(self, module: Module, args: tuple, kwargs: dict) -> float | None:
        """The operations of this call, which is traced once more for itself."""
        token = call_observer.set(None)
        try:
            with outside():
                return flops_of(self.trace(module.update, args, kwargs))
        except Exception:  # it depends on what the caller has made, and what runs now tells that
            return None
        finally:
            call_observer.reset(token)

    def _synaptic_operations(self, module: Module, args: tuple) -> float | None:
        connection: Any = getattr(module, "connection", None)
        if not (args and hasattr(connection, "spread")):
            return None
        pre, post = connection.spread(*map(jnp.arange, connection.shape))
        synapses = math.prod(jnp.broadcast_shapes(pre.shape, post.shape))
        fan_out = synapses / max(connection.shape[0], 1)
        return self.activity * jnp.size(args[0]) * fan_out


def flops_of(program: Program) -> float | None:
    """What XLA estimates for the lowered program; None where the backend tells nothing."""
    avals = jax.tree.leaves((program.read_types(), program.in_avals))
    structs = [jax.ShapeDtypeStruct(aval.shape, aval.dtype) for aval in avals]
    counts = jax.jit(lambda *leaves: program.run(*leaves)).lower(*structs).cost_analysis()
    counts = counts[0] if isinstance(counts, list) and counts else counts
    return float(counts.get("flops", 0.0)) if counts else None
