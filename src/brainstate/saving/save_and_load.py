"""Saving and loading of States: one idea for all formats of files."""

from __future__ import annotations

import functools
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from .._engine.frames import Frame, PassingFrame, commit, current_frame
from .._engine.jax_api import EAGER, current_trace
from .._errors import TraceContextError
from .._state import State
from ..nn import StateLoadResult
from ..typing import Filter
from ..util.filter import to_predicate
from .formats import format_of, header
from .names import Leaf, leaves_of
from .plan import Plan
from .values import Saved, write_leaf

_unfinished: set[Future] = set()


def save(path: str | os.PathLike, target: Any, wanted: Filter = ...) -> None:
    """Save the States of `target` that `wanted` matches, in place of what was at `path`.

    `target` is a node (a model, an optimizer), a State, or a dict, list or tuple of these; a State
    that is shared is saved once, under its path in `states`. A path that ends with `.safetensors`
    becomes one file, any other a folder of orbax. An older one stays until the new one is whole.

    >>> import brainstate, pathlib, tempfile
    >>> net = brainstate.nn.Linear(2, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "net.safetensors"
    ...     brainstate.saving.save(path, net)
    ...     list(brainstate.saving.contents(path))
    ['weight.bias', 'weight.weight']
    """
    arrays, notes = _written(target, wanted, copy=False)
    _finish()
    form, place = format_of(path)
    form.write(place, arrays, header(notes))


def save_async(path: str | os.PathLike, target: Any, wanted: Filter = ...) -> Future[None]:
    """As `save`, but the file is written while the program goes on.

    The values are those of now, whatever becomes of the States. ``.result()`` waits for the file
    and raises what went wrong. Files are written one after another; `save`, `load`, `contents` and
    the end of the program wait for them.

    >>> import brainstate, pathlib, tempfile
    >>> count = brainstate.State(1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "count.safetensors"
    ...     saved = brainstate.saving.save_async(path, {"count": count})
    ...     count.value = 2
    ...     brainstate.saving.load(path, {"count": count})
    StateLoadResult(missing_keys=[], unexpected_keys=[])
    >>> count.value
    1
    """
    arrays, notes = _written(target, wanted, copy=True)
    form, place = format_of(path)
    future = _writer().submit(form.write, place, arrays, header(notes))
    _unfinished.add(future)
    future.add_done_callback(_unfinished.discard)
    return future


def load(
    path: str | os.PathLike, target: Any, wanted: Filter = ..., *, strict: bool = True
) -> StateLoadResult:
    """Load what `save` wrote into the States of `target` that `wanted` matches, all or none.

    Values take on the unit and type of the State's own and go to its devices; structure, shape,
    kind of number and dimension must be the same (ValueError). So must the paths, unless `strict`
    is off: then States that the file lacks keep their values.

    Returns:
        The paths of States that the file lacks, and those in the file that `target` lacks.

    >>> import brainstate, pathlib, tempfile
    >>> a, b = brainstate.nn.Linear(2, 3), brainstate.nn.Linear(2, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "net.safetensors"
    ...     brainstate.saving.save(path, a)
    ...     brainstate.saving.load(path, b)
    StateLoadResult(missing_keys=[], unexpected_keys=[])
    """
    _check_outside("load")
    leaves = leaves_of(target)
    _finish()
    form, place = format_of(path)
    plan = Plan.of(leaves, _matching(leaves, wanted), form.look(place))
    problems = [*plan.misfits(), *(plan.differences() if strict else ())]
    if problems:
        lines = "\n  ".join(problems)
        raise ValueError(
            f"{os.fspath(path)!r} does not fit, and nothing was loaded (`strict=False` passes over "
            f"States that only one side has):\n  {lines} [BST-F01]"
        )
    arrays = form.read(place, plan.reading_types())
    _assign(plan.values(arrays))
    return StateLoadResult(plan.missing, plan.unexpected)


def contents(path: str | os.PathLike) -> dict[str, Saved]:
    """Shape, type and unit of all that a file holds, by name; no array is read.

    >>> import brainstate, brainunit as u, pathlib, tempfile
    >>> lif = brainstate.nn.init_all_states(brainstate.nn.LIF(3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "lif.safetensors"
    ...     brainstate.saving.save(path, lif)
    ...     brainstate.saving.contents(path)["V"]
    Saved(shape=(3,), dtype='float32', unit=Unit("mV"))
    """
    _finish()
    form, place = format_of(path)
    return {name: entry.described() for name, entry in sorted(form.look(place).items())}


def _written(
    target: Any, wanted: Filter, copy: bool
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """(arrays, notes) by name."""
    _check_outside("save")
    leaves = leaves_of(target)
    written = {
        name: write_leaf(name, leaf, copy) for name, leaf in _matching(leaves, wanted).items()
    }
    if not written:
        raise ValueError(
            f"There is nothing to save: the filter {wanted!r} matches none of the "
            f"{len(leaves)} values in the States of this {type(target).__name__}. [BST-A06]"
        )
    arrays = {name: array for name, (array, _) in written.items() if array is not None}
    return arrays, {name: note for name, (_, note) in written.items() if note}


def _matching(leaves: dict[str, Leaf], wanted: Filter) -> dict[str, Leaf]:
    matches = to_predicate(wanted)
    return {name: leaf for name, leaf in leaves.items() if matches(leaf.path, leaf.state)}


def _assign(values: dict[State, Any]) -> None:
    """Assign all values, or none where one is refused."""
    with Frame() as frame:
        for state, value in values.items():
            state.value = value
        accepted = {state: frame.values[state] for state in frame.effects()}
    commit(accepted, accepted.values())


def _check_outside(what: str) -> None:
    frame = current_frame()
    while isinstance(frame, PassingFrame):
        frame = frame.parent
    if frame is not None or current_trace() is not EAGER:
        raise TraceContextError(
            f"{what}() was called inside a transformation, where it would run once, while the "
            "function is traced, and not at each call. Call it outside, between calls. [BST-F06]"
        )


def _finish() -> None:
    """Wait for files that are being written."""
    wait(set(_unfinished))


@functools.cache
def _writer() -> ThreadPoolExecutor:
    # Orbax needs pools of threads, which Python closes before it waits for ours. Later callbacks
    # run earlier; where there are none of this kind, the file at the end of a program is lost.
    getattr(threading, "_register_atexit", lambda _: None)(_finish)
    return ThreadPoolExecutor(1, "brainstate.saving")
