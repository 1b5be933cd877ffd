"""The network in JAX and optax, written by hand: everything in the loop, or products outside it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from task import BATCH, CLASSES, DT, NEURONS, RATE, TAU, Task, serve

DECAY = math.exp(-DT / TAU)


@jax.custom_jvp
def spike(x: jax.Array) -> jax.Array:
    return (x >= 0).astype(x.dtype)


@spike.defjvp
def spike_jvp(primals: tuple, tangents: tuple) -> tuple:
    (x,), (dx,) = primals, tangents
    return spike(x), jnp.maximum(0.3 - 0.3 * jnp.abs(x), 0) * dx


def neurons(v: jax.Array, s: jax.Array, current: jax.Array) -> tuple:
    v = DECAY * (v - s) + (1 - DECAY) * current
    return v, spike(v - 1)


def in_the_loop(w: dict, spikes: jax.Array) -> jax.Array:
    def step(carry: tuple, x: jax.Array) -> tuple:
        v, s, r = carry
        v, s = neurons(v, s, x @ w["input"] + w["bias"] + s @ w["recurrent"])
        r = DECAY * r + s @ w["output"]
        return (v, s, r), r

    start = jnp.zeros((BATCH, NEURONS)), jnp.zeros((BATCH, NEURONS)), jnp.zeros((BATCH, CLASSES))
    return jax.lax.scan(step, start, spikes)[1]


def outside(w: dict, spikes: jax.Array) -> jax.Array:
    def hidden(carry: tuple, x: jax.Array) -> tuple:
        v, s = neurons(*carry, x + carry[1] @ w["recurrent"])
        return (v, s), s

    def readout(r: jax.Array, x: jax.Array) -> tuple:
        r = DECAY * r + x
        return r, r

    start = jnp.zeros((BATCH, NEURONS)), jnp.zeros((BATCH, NEURONS))
    s = jax.lax.scan(hidden, start, spikes @ w["input"] + w["bias"])[1]
    return jax.lax.scan(readout, jnp.zeros((BATCH, CLASSES)), s @ w["output"])[1]


def make_step(network: Callable, task: Task) -> Callable[[], float]:
    x, y = jnp.asarray(task.spikes), jnp.asarray(task.classes)
    w, adam = jax.tree.map(jnp.asarray, task.weights), optax.adam(RATE)
    state = [w, adam.init(w)]

    def loss(w: dict, x: jax.Array, y: jax.Array) -> jax.Array:
        scores = network(w, x).mean(0)
        return optax.softmax_cross_entropy_with_integer_labels(scores, y).mean()

    @jax.jit
    def step(w: dict, memory: tuple, x: jax.Array, y: jax.Array) -> tuple:
        value, gradient = jax.value_and_grad(loss)(w, x, y)
        change, memory = adam.update(gradient, memory, w)
        return optax.apply_updates(w, change), memory, value

    def take() -> float:
        *state[:], value = step(*state, x, y)
        return float(value)

    take.lower = lambda: step.lower(*state, x, y)
    return take


def temporary_bytes(take: Callable) -> int:
    return take.lower().compile().memory_analysis().temp_size_in_bytes


if __name__ == "__main__":
    network = {"loop": in_the_loop, "outside": outside}[sys.argv[1]]
    serve(lambda task: make_step(network, task), temporary_bytes)
