"""Inputs that were given to a model and wait for its next update.

Functions stay in a table of the model. Arrays wait for one sum: those given outside every
transformation in a tuple of the model; those given in a body with the body, so that they are gone
when it ends or fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..._engine.frames import Frame, current_frame
from ..._engine.guards import tick
from ..._engine.names import describe

if TYPE_CHECKING:
    from .base import Dynamics

WAITING = "inputs that wait"  # a kind of fact that compiled functions rely on


class Waiting:
    """An array under a key of a table."""

    def __init__(self, model: Dynamics, table: str, key: str, value: Any):
        self.model, self.table, self.key, self.value = model, table, key, value


def put(model: Dynamics, table: str, key: str, inp: Any) -> None:
    """Store an array or function, unless something else waits under its key: ValueError."""
    known = listing(model, table).get(key, inp)
    if known is not inp:
        raise ValueError(
            f"{describe(model)} has an input waiting under the key {key!r}. Update it before "
            "giving the next one, or choose another key. [BST-P01]"
        )
    if callable(inp):
        setattr(model, table, {**getattr(model, table), key: inp})
        return
    frame, new = current_frame(), Waiting(model, table, key, inp)
    if frame is None:
        kept = (old for old in model._given_outside if (old.table, old.key) != (table, key))
        model._given_outside = (*kept, new)
    else:
        given = _given_in(frame)
        given[:] = [old for old in given if not _is_for(old, model, table, key)] + [new]
        tick()  # kept programs of inner functions look at their facts again


def take(model: Dynamics, table: str, label: str | None, args: tuple, kwargs: dict) -> list:
    """What the inputs give: functions are called and stay, arrays are taken out."""
    prefix = "" if label is None else f"{label} // "
    functions = [f for key, f in getattr(model, table).items() if key.startswith(prefix)]
    arrays = [w for w in _waiting(model, table) if w.key.startswith(prefix)]
    _take_out(model, arrays)
    return [*(f(*args, **kwargs) for f in functions), *(w.value for w in arrays)]


def listing(model: Dynamics, table: str) -> dict[str, Any]:
    """The functions and arrays in a table, by key."""
    return {**getattr(model, table), **{w.key: w.value for w in _waiting(model, table)}}


def _waiting(model: Dynamics, table: str) -> list[Waiting]:
    frame = current_frame()
    if frame is not None and frame.guarded:
        frame.note(model, WAITING, _given_in_bodies)
    waiting = (*model._given_outside, *_given_in_bodies(model))
    return [w for w in waiting if w.table == table]


def _given_in_bodies(model: Dynamics) -> tuple[Waiting, ...]:
    return tuple(w for frame in _bodies() for w in _given_in(frame) if w.model is model)


def _given_in(frame: Frame) -> list[Waiting]:
    return frame.kept.setdefault(WAITING, [])


def _bodies() -> Iterator[Frame]:
    frame = current_frame()
    while frame is not None:
        yield frame
        frame = frame.parent


def _take_out(model: Dynamics, arrays: list[Waiting]) -> None:
    if not arrays:
        return
    tick()
    repeats = False
    for frame in _bodies():
        given = _given_in(frame)
        _refuse_repeats(repeats, [w for w in given if w in arrays])
        given[:] = [w for w in given if w not in arrays]
        repeats = repeats or frame.repeats
    outside = [w for w in model._given_outside if w in arrays]
    _refuse_repeats(repeats, outside)
    if outside:
        model._given_outside = tuple(w for w in model._given_outside if w not in outside)


def _refuse_repeats(repeats: bool, arrays: list[Waiting]) -> None:
    if repeats and arrays:
        raise ValueError(
            f"The input {arrays[0].key!r} of {describe(arrays[0].model)} was given before a loop "
            "or branch whose body takes it, and every run of the body would add it again. Give it "
            "inside the body. [BST-P02]"
        )


def _is_for(waiting: Waiting, model: Dynamics, table: str, key: str) -> bool:
    return waiting.model is model and (waiting.table, waiting.key) == (table, key)
