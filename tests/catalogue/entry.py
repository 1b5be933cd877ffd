"""`Entry`: one layer, neuron, synapse or readout, as the common contract of modules sees it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any


def _nothing() -> Mapping[str, Any]:
    return {}


@dataclasses.dataclass(frozen=True)
class Entry:
    """How to build a module and call it for one sample, without batch axes.

    To hold a new module to every promise, add a line to the list `ENTRIES` of a file in this
    folder; `test_catalogue.py` finds it. Each promise that a module cannot keep by its nature is
    switched off by a field, with the reason beside it.
    """

    name: str
    make: Callable[[], Any]  # a new module; parameters may be random
    inputs: Callable[[], tuple]  # the arguments of one call
    settings: Callable[[], Mapping[str, Any]] = _nothing  # of environ: dt, t, fit
    wrong: tuple[Callable[[], tuple], type[Exception], str] | None = None  # inputs, error, text
    batched: bool = True  # takes inputs with a leading batch axis, after init_all_states(model, n)
    differentiable: bool = True  # its float outputs depend smoothly on parameters or inputs
    random: bool = False  # draws numbers: runs can be compared in shape and type only
    follows_precision: bool = True  # floats are 64 bits wide where environ says so

    def __repr__(self) -> str:
        return self.name
