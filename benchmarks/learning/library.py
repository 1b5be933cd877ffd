"""The network in this library: everything in the loop, or whole sequences through the layers."""

from __future__ import annotations

import sys
from collections.abc import Callable

import brainunit as u
import jax
import jax.numpy as jnp
import optax
from task import BATCH, CLASSES, DT, INPUTS, NEURONS, RATE, TAU, Task, serve

import brainstate as bst


def parts(weights: dict) -> tuple[bst.nn.Linear, bst.nn.LIF, bst.nn.Linear]:
    layer = bst.nn.Linear(INPUTS, NEURONS, weights["input"] * u.mA, weights["bias"] * u.mA)
    recurrent = bst.nn.Linear(NEURONS, NEURONS, weights["recurrent"] * u.mA, b_init=None)
    return layer, bst.nn.LIF(NEURONS, tau=TAU * u.ms), recurrent


class StepByStep(bst.nn.Module):
    """Written for one step; the loop is around it."""

    def __init__(self, weights: dict):
        super().__init__()
        self.input, self.neurons, self.recurrent = parts(weights)
        self.readout = bst.nn.LeakyRateReadout(
            NEURONS, CLASSES, tau=TAU * u.ms, w_init=weights["output"]
        )

    def update(self, x: jax.Array) -> jax.Array:
        current = self.input(x) + self.recurrent(self.neurons.get_spike())
        return self.readout(self.neurons(current))

    def scores(self, xs: jax.Array, memory: str | None) -> jax.Array:
        return bst.transform.for_loop(self, xs, memory=memory)


class Sequences(bst.nn.Module):
    """Written for all steps: only what depends on the step before is in a loop."""

    def __init__(self, weights: dict):
        super().__init__()
        self.input, neurons, recurrent = parts(weights)
        self.hidden = bst.nn.Recurrent(neurons, recurrent)
        self.output = bst.nn.Linear(NEURONS, CLASSES, weights["output"], b_init=None)
        self.readout = bst.nn.Expon(CLASSES, tau=TAU * u.ms, g_initializer=0.0)

    def scores(self, xs: jax.Array, memory: str | None) -> jax.Array:
        spikes = self.hidden.sequence(self.input(xs), memory=memory)
        return bst.transform.for_loop(self.readout, self.output(spikes))


def make_step(kind: type, memory: str | None, task: Task) -> Callable[[], float]:
    bst.environ.set(dt=DT * u.ms)
    x, y = jnp.asarray(task.spikes), jnp.asarray(task.classes)
    network = bst.nn.init_all_states(kind(task.weights), batch_size=BATCH)
    weights, adam = network.states(bst.ParamState), bst.optim.Adam(RATE)
    adam.register_trainable_weights(weights)

    def loss(x: jax.Array, y: jax.Array) -> jax.Array:
        scores = network.scores(x, memory).mean(0)
        return optax.softmax_cross_entropy_with_integer_labels(scores, y).mean()

    @bst.transform.jit
    def step(x: jax.Array, y: jax.Array) -> jax.Array:
        bst.nn.reset_all_states(network, batch_size=BATCH)
        gradient, value = bst.transform.grad(loss, weights, return_value=True)(x, y)
        adam.update(gradient)
        return value

    def take() -> float:
        return float(step(x, y))

    take.lower = lambda: step.lower(x, y)
    return take


def temporary_bytes(take: Callable) -> int:
    return take.lower().compile().memory_analysis().temp_size_in_bytes


if __name__ == "__main__":
    kind = {"loop": StepByStep, "sequences": Sequences}[sys.argv[1]]
    memory = sys.argv[2] if len(sys.argv) > 2 else None
    serve(lambda task: make_step(kind, memory, task), temporary_bytes)
