"""What an eager draw costs beyond one hand-written `jax.jit` that splits the key and draws.

The hand-written contender keeps its key in a variable and has shape and type built in; where the
law takes numbers, it takes them as arguments too. Bulk draws are timed by the processor time of all
threads together, those of XLA among them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
from _timing import interleaved, machine, median, publish, ratio, table

import brainstate as bst

random = bst.random
SMALL, LARGE = 4, 10_000_000


def by_hand(law: Callable, *numbers: Any) -> Callable[[], jax.Array]:
    """One compiled call for each draw, ``law(key, *numbers)``."""

    @jax.jit
    def draw(key: jax.Array, *numbers: Any) -> tuple[jax.Array, jax.Array]:
        key, own = jax.random.split(key)
        return key, law(own, *numbers)

    box = [jax.random.PRNGKey(0)]

    def run() -> jax.Array:
        box[0], sample = draw(box[0], *numbers)
        return sample

    return run


def pairs(n: int) -> dict[str, tuple[Callable, Callable]]:
    """By name: (hand-written, of the library)."""
    uniform = by_hand(lambda key: jax.random.uniform(key, (n,)))
    normal = by_hand(lambda key: jax.random.normal(key, (n,)))
    affine = by_hand(lambda key, loc, s: loc + s * jax.random.normal(key, (n,)), 1.0, 2.0)
    whole = by_hand(lambda key, high: jax.random.randint(key, (n,), 0, high), 10)
    between = by_hand(lambda key, low, high: jax.random.randint(key, (n,), low, high), 1, 10)
    coin = by_hand(lambda key, p: jax.random.bernoulli(key, p, (n,)), 0.3)
    return {
        f"rand({n})": (uniform, lambda: random.rand(n)),
        f"normal(size={n})": (normal, lambda: random.normal(size=n)),
        f"normal(1.0, 2.0, {n})": (affine, lambda: random.normal(1.0, 2.0, n)),
        f"randint(10, size={n})": (whole, lambda: random.randint(10, size=n)),
        f"randint(1, 10, {n})": (between, lambda: random.randint(1, 10, n)),
        f"bernoulli(0.3, {n})": (coin, lambda: random.bernoulli(0.3, n)),
    }


def rows(n: int, unit: float, **options: Any) -> list[list[str]]:
    found = []
    for name, (hand, ours) in pairs(n).items():
        times = interleaved({"hand": hand, "ours": ours}, **options)
        middles = (median(samples, unit) for samples in times.values())
        found.append([f"`{name}`", *middles, ratio(times["ours"], times["hand"])])
    return found


def main() -> None:
    print(machine())
    split = by_hand(lambda own: own)
    times = interleaved({"hand": split, "ours": random.split_key})
    middles = (median(samples, 1e-6) for samples in times.values())
    keys = ["`split_key()`", *middles, ratio(times["ours"], times["hand"])]
    header = ["draw", "hand-written, µs", "library, µs", "ratio"]
    table("Eager draws", header, [*rows(SMALL, 1e-6), keys])
    header = ["draw", "hand-written, ms", "library, ms", "ratio"]
    large = rows(LARGE, 1e-3, rounds=15, calls=1, clock=time.process_time)
    table("Eager draws of ten million", header, large)
    publish()


if __name__ == "__main__":
    main()
