"""What a call of a jitted stateful function costs beyond hand-written `jax.jit`.

A model has L blocks of three small weights and one counter that each call increments. The
hand-written contender is a `jax.jit` function of the same leaves that returns the counter; a second
one takes the weights as a flat list, which costs JAX less than a list of dicts.

Units: 20 States hold a Quantity each. Their hand-written contender passes plain numbers in a list.
"""

from __future__ import annotations

from collections.abc import Callable

import brainunit as u
import jax
import jax.numpy as jnp
from _timing import interleaved, machine, median, publish, ratio, table

import brainstate as bst


class Model(bst.graph.Node):
    def __init__(self, blocks: int):
        self.blocks = [
            bst.ParamState({"w": jnp.ones((2, 2)), "b": jnp.ones(2), "g": jnp.ones(2)})
            for _ in range(blocks)
        ]
        self.count = bst.ShortTermState(jnp.zeros(()))

    def __call__(self, x: jax.Array) -> jax.Array:
        self.count.value = self.count.value + 1
        return _forward([block.value for block in self.blocks], x)


def _forward(weights: list[dict], x: jax.Array) -> jax.Array:
    for p in weights:
        x = (x @ p["w"] + p["b"]) * p["g"]
    return x


def contenders(blocks: int) -> dict:
    model, x = Model(blocks), jnp.ones(2)

    @jax.jit
    def hand(weights: list[dict], count: jax.Array, x: jax.Array) -> tuple:
        return _forward(weights, x), count + 1

    weights, box = [block.value for block in model.blocks], [model.count.value]

    def by_hand() -> jax.Array:
        out, box[0] = hand(weights, box[0], x)
        return out

    flat, tree = jax.tree.flatten(weights)

    @jax.jit
    def hand_flat(leaves: list, count: jax.Array, x: jax.Array) -> tuple:
        return _forward(tree.unflatten(leaves), x), count + 1

    def by_hand_flat() -> jax.Array:
        out, box[0] = hand_flat(flat, box[0], x)
        return out

    closure = bst.compile.jit(lambda x: model(x))
    argument = bst.compile.jit(lambda model, x: model(x))
    return {
        "hand-written": by_hand,
        "hand-written, flat": by_hand_flat,
        "closure": lambda: closure(x),
        "node argument": lambda: argument(model, x),
    }


# ---------------------------------------------------------------- units

STATES = 20


class Leaky(bst.graph.Node):
    """Each State is read, and written too if it `decays`."""

    def __init__(self, unit: u.Unit | None, decays: bool):
        self.decays, self.unit = decays, 1.0 if unit is None else unit
        self.parts = [bst.ShortTermState(jnp.ones(2) * self.unit) for _ in range(STATES)]

    def __call__(self, x: jax.Array) -> jax.Array:
        current = x * self.unit
        for part in self.parts:
            if self.decays:
                part.value = part.value * 0.9 + current
            else:
                current = current * 0.9 + part.value
        return (self.parts[0].value if self.decays else current) / self.unit


def decay(values: list, x: jax.Array) -> tuple:
    values = [value * 0.9 + x for value in values]
    return values[0], values


def add_up(values: list, x: jax.Array) -> tuple:
    for value in values:
        x = x * 0.9 + value
    return x, []


def by_hand_without_units(decays: bool) -> Callable[[], jax.Array]:
    run, x = jax.jit(decay if decays else add_up), jnp.ones(2)
    box = [[jnp.ones(2)] * STATES]

    def call() -> jax.Array:
        out, written = run(box[0], x)
        if written:
            box[0] = written
        return out

    return call


def with_states(unit: u.Unit | None, decays: bool) -> Callable[[], jax.Array]:
    model, x = Leaky(unit, decays), jnp.ones(2)
    run = bst.compile.jit(lambda x: model(x))
    return lambda: run(x)


def units_row(decays: bool) -> list[str]:
    times = interleaved(
        {
            "hand": by_hand_without_units(decays),
            "plain": with_states(None, decays),
            "units": with_states(u.mV, decays),
        }
    )
    hand = times.pop("hand")
    name = "read and written" if decays else "read"
    return [name, median(hand, 1e-6), *(ratio(samples, hand) for samples in times.values())]


def main() -> None:
    print(machine())
    rows = []
    for blocks in (1, 10, 100):
        times = interleaved(contenders(blocks))
        hand = times.pop("hand-written")
        ratios = [ratio(samples, hand) for samples in times.values()]
        rows.append([str(blocks), str(3 * blocks + 1), median(hand, 1e-6), *ratios])
    header = ["blocks", "leaves", "hand-written, µs", *(f"{name}, ratio" for name in times)]
    table("jit dispatch", header, rows)
    header = ["States", "hand-written without units, µs", "plain States, ratio", "units, ratio"]
    table(f"jit dispatch, {STATES} States with units", header, [units_row(True), units_row(False)])
    publish()


if __name__ == "__main__":
    main()
