"""What the first call of a stateful function costs in Python, beside hand-written JAX.

Two figures, each the median of rounds in which the contenders take turns. *First call*: wall time
less the time that XLA says it spent in compiling. *Trace and lower*: processor time of this thread
in `.trace(...)` and `.lower()`, which other programs on the machine hardly disturb. Functions,
models and weights are made anew for every sample, outside the clock.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import optax
from _timing import Samples, machine, median, ratio, table

import brainstate as bst

ROUNDS = 15
LAYERS, WIDTH, BATCH = 20, 64, 32
STEPS, INPUTS, NEURONS = 100, 20, 50

Call = tuple[Callable, tuple]  # a function and its arguments

_compiling: list[float] = []


def _listen(event: str, seconds: float, **_: Any) -> None:
    if event == "/jax/core/compile/backend_compile_duration":
        _compiling.append(seconds)


jax.monitoring.register_event_duration_secs_listener(_listen)


def first_call(make: Callable[[], Call]) -> float:
    """Wall seconds of a first call, without those of XLA."""
    fun, args = make()
    _compiling.clear()
    with no_collection():
        start = time.perf_counter()
        jax.block_until_ready(fun(*args))
        return time.perf_counter() - start - sum(_compiling)


def trace_and_lower(make: Callable[[], Call]) -> float:
    """Seconds of processor time; a function that is not compiled as a whole is put into a jit."""
    fun, args = make()
    if not hasattr(fun, "lower"):
        fun = (jax.jit if make is loop_by_hand else bst.compile.jit)(fun)
    with no_collection():
        start = time.thread_time()
        fun.trace(*args).lower()
        return time.thread_time() - start


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """Where Python collects garbage is chance, and costs as much as a tenth of what is measured."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def in_turn(measure: Callable, makers: dict[str, Callable[[], Call]]) -> Samples:
    """Samples of each contender; the first round, which fills JAX's own caches, is left out."""
    rounds = [{name: measure(make) for name, make in makers.items()} for _ in range(ROUNDS + 1)][1:]
    return {name: [times[name] for times in rounds] for name in makers}


# ---------------------------------------------------------------- gradient and Adam, 20 layers


def layers() -> list[dict]:
    return [
        {"weight": jnp.full((WIDTH, WIDTH), 0.01), "bias": jnp.zeros(WIDTH)} for _ in range(LAYERS)
    ]


def train_by_hand() -> Call:
    x, tx, params = jnp.ones((BATCH, WIDTH)), optax.adam(1e-3), layers()
    opt_state = tx.init(params)

    def loss(params: list[dict], x: jax.Array) -> jax.Array:
        y = x
        for p in params:
            y = jnp.tanh(y @ p["weight"] + p["bias"])
        return jnp.mean((y - x) ** 2)

    @jax.jit
    def step(params: list[dict], opt_state: Any, x: jax.Array) -> tuple:
        value, grads = jax.value_and_grad(loss)(params, x)
        updates, opt_state = tx.update(grads, opt_state, params)
        return optax.apply_updates(params, updates), opt_state, value

    return step, (params, opt_state, x)


class Layer(bst.graph.Node):
    def __init__(self, value: dict):
        self.weight = bst.ParamState(value)

    def __call__(self, x: jax.Array) -> jax.Array:
        value = self.weight.value
        return jnp.tanh(x @ value["weight"] + value["bias"])


class Network(bst.graph.Node):
    def __init__(self):
        self.layers = [Layer(value) for value in layers()]

    def __call__(self, x: jax.Array) -> jax.Array:
        for layer in self.layers:
            x = layer(x)
        return x


def train_with_optax() -> Call:
    x, tx, model = jnp.ones((BATCH, WIDTH)), optax.adam(1e-3), Network()
    weights = list(bst.graph.states(model, bst.ParamState).values())
    opt_state = bst.State(tx.init([w.value for w in weights]))

    def loss(x: jax.Array) -> jax.Array:
        return jnp.mean((model(x) - x) ** 2)

    @bst.compile.jit
    def step(x: jax.Array) -> jax.Array:
        grads, value = bst.augment.grad(loss, weights, return_value=True)(x)
        params = [w.value for w in weights]
        updates, opt_state.value = tx.update(grads, opt_state.value, params)
        for w, new in zip(weights, optax.apply_updates(params, updates), strict=True):
            w.value = new
        return value

    return step, (x,)


def train_with_library() -> Call:
    x = jnp.ones((BATCH, WIDTH))
    model = bst.nn.Sequential(
        *[
            m
            for value in layers()
            for m in (bst.nn.Linear(WIDTH, WIDTH, value["weight"], value["bias"]), jnp.tanh)
        ]
    )
    opt = bst.optim.Adam(1e-3)
    weights = model.states(bst.ParamState)
    opt.register_trainable_weights(weights)

    def loss(x: jax.Array) -> jax.Array:
        return jnp.mean((model(x) - x) ** 2)

    @bst.compile.jit
    def step(x: jax.Array) -> jax.Array:
        grads, value = bst.augment.grad(loss, weights, return_value=True)(x)
        opt.update(grads)
        return value

    return step, (x,)


# ---------------------------------------------------------------- gradient of a compiled loop


def membrane(v: jax.Array, x: jax.Array, w: jax.Array) -> tuple[jax.Array, jax.Array]:
    v = v + 0.1 * (x @ w - v)
    spike = jax.nn.sigmoid(10.0 * (v - 1.0))
    return v * (1.0 - spike), spike


def loop_by_hand() -> Call:
    w, xs = jnp.ones((INPUTS, NEURONS)), jnp.ones((STEPS, INPUTS))

    @jax.jit
    def run(w: jax.Array, xs: jax.Array) -> jax.Array:
        return jax.lax.scan(lambda v, x: membrane(v, x, w), jnp.zeros(NEURONS), xs)[1]

    return jax.grad(lambda w: jnp.mean(run(w, xs))), (w,)


def loop_with_states() -> Call:
    w, v = bst.ParamState(jnp.ones((INPUTS, NEURONS))), bst.HiddenState(jnp.zeros(NEURONS))
    xs = jnp.ones((STEPS, INPUTS))

    def step(x: jax.Array) -> jax.Array:
        v.value, spike = membrane(v.value, x, w.value)
        return spike

    @bst.compile.jit
    def run(xs: jax.Array) -> jax.Array:
        return bst.compile.for_loop(step, xs)

    return bst.augment.grad(lambda: jnp.mean(run(xs)), w), ()


# ---------------------------------------------------------------- loops in loops in loops


def nested_by_hand() -> Call:
    xs = jnp.ones((3, 4, 5))

    def level(depth: int) -> Callable:
        def body(count: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
            if depth:
                return jax.lax.scan(level(depth - 1), count, x)
            return count + x, jnp.sin(count)

        return body

    run = jax.jit(lambda count, xs: jax.lax.scan(level(2), count, xs))
    return run, (jnp.zeros(()), xs)


def nested_with_states() -> Call:
    xs, count = jnp.ones((3, 4, 5)), bst.State(jnp.zeros(()))

    def level(depth: int) -> Callable:
        def body(x: jax.Array) -> jax.Array:
            if depth:
                return bst.compile.for_loop(level(depth - 1), x)
            before = count.value
            count.value = before + x
            return jnp.sin(before)

        return body

    run = bst.compile.jit(lambda xs: bst.compile.for_loop(level(2), xs))
    return run, (xs,)


CASES = {
    f"train step: gradient and Adam, {LAYERS} layers": {
        "hand-written": train_by_hand,
        "States, optax by hand": train_with_optax,
        "nn.Linear, optim.Adam": train_with_library,
    },
    "grad(jit(for_loop)) of a spiking layer": {
        "hand-written": loop_by_hand,
        "States": loop_with_states,
    },
    "jit of three nested loops": {
        "hand-written": nested_by_hand,
        "States": nested_with_states,
    },
}


def main() -> None:
    print(machine())
    rows = []
    for case, makers in CASES.items():
        calls = in_turn(first_call, makers)
        stages = in_turn(trace_and_lower, makers)
        rows += [[case, name, *_figures(calls, name), *_figures(stages, name)] for name in makers]
    header = ["case", "contender", "first call, ms", "ratio", "trace and lower, ms", "ratio"]
    table("First call, without XLA's part", header, rows)


def _figures(times: Samples, name: str) -> list[str]:
    against = "1" if name == "hand-written" else ratio(times[name], times["hand-written"])
    return [median(times[name], 1e-3), against]


if __name__ == "__main__":
    main()
