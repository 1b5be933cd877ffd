"""Neurons that see their own spikes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ... import environ
from ..._units import attach, number_in, split
from ...compile.feedback import loop_with_feedback
from ...typing import ArrayLike
from ..dynamics.unit_arithmetic import add
from ..layers.linear import Linear
from ..module import Module
from .neuron import Neuron
from .present_spikes import remember


class Recurrent(Module):
    """Neurons that see their spikes of the step before through a layer: ``s = neuron(x + W(s))``.

    A call takes one step, and `sequence` all steps of an input that has time as its first axis.
    Spikes and gradients of both are the same; but `sequence` takes the derivative by the weights of
    the layer in one large product, for all steps at once, which is faster.

    >>> import brainstate, jax.numpy as jnp
    >>> neurons = brainstate.nn.LIF(3, R=1.0, tau=5.0, V_th=1.0, V_reset=0.0, V_rest=0.0)
    >>> layer = brainstate.nn.Recurrent(neurons, brainstate.nn.Linear(3, 3, b_init=None))
    >>> layer = brainstate.nn.init_all_states(layer, batch_size=2)
    >>> with brainstate.environ.context(dt=1.0):
    ...     layer(jnp.ones((2, 3))).shape, layer.sequence(jnp.ones((10, 2, 3))).shape
    ((2, 3), (10, 2, 3))
    """

    def __init__(self, neuron: Neuron, feedback: Callable, name: str | None = None):
        super().__init__(name=name)
        if not isinstance(neuron, Neuron):
            raise TypeError(
                f"Recurrent takes neurons, which have get_spike(); found {neuron!r}. [BST-A01]"
            )
        if not callable(feedback):
            raise TypeError(
                f"Recurrent needs a layer that takes spikes; found {feedback!r}. [BST-A01]"
            )
        self.neuron, self.feedback = neuron, feedback
        self.in_size = self.out_size = neuron.out_size

    def update(self, x: ArrayLike) -> jax.Array:
        self.neuron(add(x, self.feedback(self.neuron.get_spike()), "the feedback"))
        return self.neuron.get_spike()

    def sequence(
        self, xs: ArrayLike, t: ArrayLike | None = None, memory: int | str | None = None
    ) -> jax.Array:
        """The spikes of all steps, for inputs with time as their first axis.

        `t` gives the time of each step, for neurons that look it up in `environ`. `memory` limits
        what is stored for the backward pass, as in `for_loop`.
        """
        drives, unit = split(xs)

        def step(spikes: jax.Array, drive: jax.Array, *t: Any) -> jax.Array:
            remember(self.neuron, spikes)
            with environ.context(t=t[0]) if t else contextlib.nullcontext():
                self.neuron(attach(drive, unit))
            return self.neuron.get_spike()

        def feedback(spikes: jax.Array) -> Any:
            return number_in(self.feedback(spikes), unit, "the feedback")

        times = () if t is None else (t,)
        spikes, drives = self.neuron.get_spike(), jnp.asarray(drives)
        linear = isinstance(self.feedback, Linear) and type(self.feedback).update is Linear.update
        return loop_with_feedback(
            step, feedback, spikes, drives, *times, memory=memory, over_last_axis=linear
        )
