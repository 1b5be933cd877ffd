"""Spikes at the present States: computed once in a body, for as long as these States stay."""

from __future__ import annotations

import functools
from collections.abc import Callable
from operator import is_
from typing import TYPE_CHECKING, Any

import jax

from ..._engine.frames import Frame, current_frame
from ..._engine.guards import attribute_clock
from ..._engine.jax_api import current_trace, is_tracer
from ...surrogate import Surrogate

if TYPE_CHECKING:
    from .neuron import Neuron

_PRESENT = "the present spikes"


def once_in_a_body(*states: str) -> Callable:
    """A decorator for a `get_spike` that depends, without arguments, on these States alone.

    A spike is told at the end of one step and looked at in the next, by the neuron and by what it
    feeds; each evaluation would store its slope for the backward pass.
    """

    def decorate(get_spike: Callable) -> Callable:
        @functools.wraps(get_spike)
        def wrapper(self: Neuron, *args: Any, **kwargs: Any) -> jax.Array:
            frame = None if args or kwargs else _body_of(self)
            if frame is None:
                return get_spike(self, *args, **kwargs)
            seen, known = _seen(self, states), frame.kept.get((id(self), _PRESENT))
            if known is None or not _are_same(known[1], seen):
                known = frame.kept[id(self), _PRESENT] = self, seen, get_spike(self)
            return known[2]

        wrapper.states = states  # type: ignore[attr-defined]
        return wrapper

    return decorate


def remember(neuron: Neuron, spikes: jax.Array) -> None:
    """Have `get_spike` give these, which are the spikes at the present States."""
    frame, states = _body_of(neuron), getattr(type(neuron).get_spike, "states", None)
    if frame is not None and states is not None:
        frame.kept[id(neuron), _PRESENT] = neuron, _seen(neuron, states), spikes


def _body_of(neuron: Neuron) -> Frame | None:
    """The body under way, if what is computed now may be kept for it."""
    frame = current_frame()
    if frame is None or current_trace() is not frame.trace:
        return None
    spike = neuron.spk_fun
    fixed = isinstance(spike, Surrogate) and type(spike).__call__ is Surrogate.__call__
    return frame if fixed else None  # other functions may give other spikes at each call


def _seen(neuron: Neuron, states: tuple[str, ...]) -> list:
    return [attribute_clock.now, *jax.tree.leaves([getattr(neuron, s).value for s in states])]


def _are_same(old: list, new: list) -> bool:
    """Only tracers are compared by identity: an array of NumPy may have been edited."""
    return old[0] == new[0] and all(
        is_(a, b) and is_tracer(a) for a, b in zip(old[1:], new[1:], strict=True)
    )
