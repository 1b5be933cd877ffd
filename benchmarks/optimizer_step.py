"""What a compiled Adam step on 20 layers costs beyond the formula written by hand.

Each layer has a 64 x 64 weight and a bias; the gradients are given. The hand-written contender is
one `jax.jit` function of lists of dicts; another does the same with optax. Times are wall times:
XLA works in threads of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from _timing import interleaved, machine, median, publish, ratio, table

import brainstate as bst

LAYERS, WIDTH = 20, 64
RATE, B1, B2, EPS = 1e-3, 0.9, 0.999, 1e-8

Layers = list[dict[str, jax.Array]]
Contender = tuple[Callable[[], jax.Array], Callable[[], Any]]  # one step, the weights


def layers(fill: float) -> Layers:
    return [
        {"w": jnp.full((WIDTH, WIDTH), fill), "b": jnp.full(WIDTH, fill)} for _ in range(LAYERS)
    ]


@jax.jit
def adam(weights: Layers, means: Layers, squares: Layers, count: jax.Array, grads: Layers) -> tuple:
    """The formula of Kingma and Ba."""
    count = count + 1

    def move(w: jax.Array, m: jax.Array, v: jax.Array, g: jax.Array) -> tuple:
        m = B1 * m + (1 - B1) * g
        v = B2 * v + (1 - B2) * g * g
        return w - RATE * (m / (1 - B1**count)) / (jnp.sqrt(v / (1 - B2**count)) + EPS), m, v

    moved = jax.tree.map(move, weights, means, squares, grads)
    outer, inner = jax.tree.structure(weights), jax.tree.structure((0, 0, 0))
    return *jax.tree.transpose(outer, inner, moved), count


def by_hand(grads: Layers) -> Contender:
    box = [layers(1.0), layers(0.0), layers(0.0), jnp.asarray(0)]

    def step() -> jax.Array:
        box[:] = adam(*box, grads)
        return box[3]

    return step, lambda: box[0]


def with_optax(grads: Layers) -> Contender:
    tx = optax.adam(RATE, B1, B2, EPS)

    @jax.jit
    def update(weights: Layers, memory: Any, grads: Layers) -> tuple:
        moves, memory = tx.update(grads, memory, weights)
        return optax.apply_updates(weights, moves), memory

    box = [layers(1.0), tx.init(layers(1.0))]

    def step() -> jax.Array:
        box[:] = update(*box, grads)
        return box[1][0].count

    return step, lambda: box[0]


def with_library(grads: Layers, per_array: bool) -> Contender:
    """One State for each layer, or for each array."""
    if per_array:
        parts = [(i, name) for i in range(LAYERS) for name in grads[i]]
        weights = {key: bst.ParamState(layers(1.0)[key[0]][key[1]]) for key in parts}
        given = {(i, name): grads[i][name] for i, name in parts}
    else:
        weights = {i: bst.ParamState(layer) for i, layer in enumerate(layers(1.0))}
        given = dict(enumerate(grads))
    optimizer = bst.optim.Adam(RATE, beta1=B1, beta2=B2, eps=EPS)
    optimizer.register_trainable_weights(weights)
    update = bst.compile.jit(optimizer.update)

    def step() -> jax.Array:
        update(given)
        return optimizer.step_count.value  # ready when all is

    return step, lambda: {key: state.value for key, state in weights.items()}


def expect_equal(contenders: dict[str, Contender]) -> None:
    """Fail where the contenders do not compute the same."""
    found = []
    for step, weights in contenders.values():
        for _ in range(3):
            step()
        found.append({leaf.ndim: leaf.ravel()[0] for leaf in jax.tree.leaves(weights())})
    for other in found[1:]:
        assert all(jnp.allclose(found[0][ndim], other[ndim], rtol=1e-5) for ndim in (1, 2)), found


def main() -> None:
    print(machine())
    grads = layers(0.1)
    contenders = {
        "hand-written": by_hand(grads),
        "optax by hand": with_optax(grads),
        "optim.Adam, a State a layer": with_library(grads, per_array=False),
        "optim.Adam, a State an array": with_library(grads, per_array=True),
    }
    expect_equal(contenders)
    steps = {name: step for name, (step, _) in contenders.items()}
    times = interleaved(steps, clock=time.perf_counter)
    hand = times["hand-written"]
    rows = [[name, median(own, 1e-6), ratio(own, hand)] for name, own in times.items()]
    table(f"Adam on {LAYERS} layers", ["contender", "step, µs", "ratio"], rows)
    publish()


if __name__ == "__main__":
    main()
