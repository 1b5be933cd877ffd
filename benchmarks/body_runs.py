"""How often a transformation runs the body that it is given: alone, eight deep, and inside jit.

A count needs no clock. Nesting must not multiply runs; a compiled function must not run its body
again; and an eager derivative or map runs it once at each call, as in JAX.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import jax.numpy as jnp
from _timing import machine, table

import brainstate as bst

DEPTH = 8
Thunk = Callable[[], object]

weight = bst.ParamState(jnp.ones(()))
count = bst.ShortTermState(jnp.zeros(()))


def batched(transform: Callable) -> Callable[[Thunk], Thunk]:
    def wrap(f: Thunk) -> Thunk:
        mapped = transform(lambda x: f() * x)
        return lambda: mapped(jnp.ones(2)).sum()

    return wrap


def derived(transform: Callable) -> Callable[[Thunk], Thunk]:
    return lambda f: transform(f, weight)


def looped(loop: Callable) -> Callable[[Thunk], Thunk]:
    return lambda f: lambda: loop(lambda i: f() * i, jnp.ones(2)).sum()


def scanned(scan: Callable) -> Callable[[Thunk], Thunk]:
    return lambda f: lambda: scan(lambda c, x: (c + f(), x), jnp.zeros(()), jnp.ones(2))[0]


def repeated(loop: Callable, **options) -> Callable[[Thunk], Thunk]:
    def wrap(f: Thunk) -> Thunk:
        start = (jnp.zeros(()), jnp.asarray(0))
        return lambda: loop(lambda v: v[1] < 2, lambda v: (v[0] + f(), v[1] + 1), start, **options)[
            0
        ]

    return wrap


def pulled_back(f: Thunk) -> Thunk:
    def run() -> object:
        out, pull = bst.augment.vjp(lambda x: f() * x, jnp.ones(()))
        return out + pull(jnp.ones(()))[0]

    return run


COMPILE, AUGMENT = bst.compile, bst.augment

TRANSFORMATIONS: dict[str, Callable[[Thunk], Thunk]] = {
    "jit": COMPILE.jit,
    "checkpoint": COMPILE.checkpoint,
    "scan": scanned(COMPILE.scan),
    "for_loop": looped(COMPILE.for_loop),
    "checkpointed_scan": scanned(COMPILE.checkpointed_scan),
    "checkpointed_for_loop": looped(COMPILE.checkpointed_for_loop),
    "while_loop": repeated(COMPILE.while_loop),
    "bounded_while_loop": repeated(COMPILE.bounded_while_loop, max_steps=2),
    "cond": lambda f: lambda: COMPILE.cond(weight.value > 0, f, lambda: weight.value),
    "switch": lambda f: lambda: COMPILE.switch(1, [lambda: weight.value, f]),
    "ifelse": lambda f: (
        lambda: COMPILE.ifelse([weight.value > 0, weight.value <= 0], [f, lambda: weight.value])
    ),
    "make_jaxpr": lambda f: lambda: (COMPILE.make_jaxpr(f)(), weight.value)[1],
    "grad": derived(AUGMENT.grad),
    "vector_grad": derived(AUGMENT.vector_grad),
    "jacrev": derived(AUGMENT.jacrev),
    "jacfwd": derived(AUGMENT.jacfwd),
    "hessian": derived(AUGMENT.hessian),
    "jvp": lambda f: lambda: AUGMENT.jvp(lambda x: f() * x, (jnp.ones(()),), (jnp.ones(()),))[1],
    "vjp": pulled_back,
    "vmap": batched(AUGMENT.vmap),
    "vmap_new_states": batched(AUGMENT.vmap_new_states),
    "pmap": batched(AUGMENT.pmap),
    "map": lambda f: lambda: AUGMENT.map(lambda x: f() * x, jnp.ones(2)).sum(),
    "restore_rngs": AUGMENT.restore_rngs,
    "eval_shape": lambda f: lambda: (AUGMENT.eval_shape(f), weight.value)[1],
}

MIXED = ("jit", "while_loop", "scan", "vmap", "cond", "grad", "checkpoint", "for_loop")


class Tally:
    runs = 0


def runs(wrappers: list[Callable[[Thunk], Thunk]]) -> tuple[int, int]:
    """Runs of the body in the first and in the second call; the first wrapper is the outermost."""
    tally = Tally()

    def body() -> object:
        tally.runs += 1
        count.value = count.value + 1
        return weight.value * weight.value

    run = reduce(lambda f, wrap: wrap(f), reversed(wrappers), body)
    run()
    first = tally.runs
    run()
    return first, tally.runs - first


def row(name: str, wrap: list[Callable[[Thunk], Thunk]], times: int) -> list[str]:
    cases = [wrap, wrap * times, [COMPILE.jit, *wrap * times]]
    return [name, *(f"{first}, then {second}" for first, second in map(runs, cases))]


def main() -> None:
    print(machine())
    rows = [row(f"`{name}`", [wrap], DEPTH) for name, wrap in TRANSFORMATIONS.items()]
    mixed = [TRANSFORMATIONS[name] for name in MIXED]
    rows.append(row(f"{', '.join(MIXED)}, in turn", mixed, 1))
    header = ["transformation", "alone", f"{DEPTH} deep", f"{DEPTH} deep inside jit"]
    table("Runs of the body: first call, then second", header, rows)


if __name__ == "__main__":
    main()
