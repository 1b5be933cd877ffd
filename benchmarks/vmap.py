"""What a compiled call of many models at once costs beyond hand-written `jax.vmap`.

64 models of two layers are made by `vmap` of a constructor and called on one input each. The
hand-written contender maps a function of the stacked parameters, kept as a list of dicts. Times are
wall times: XLA works in threads of its own.
"""

from __future__ import annotations

import time

import jax
import jax.numpy as jnp
from _timing import interleaved, machine, median, publish, ratio, table

import brainstate as bst

MODELS, BATCH, IN, HIDDEN, OUT = 64, 16, 32, 64, 10


class MLP(bst.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = bst.nn.Linear(IN, HIDDEN), bst.nn.Linear(HIDDEN, OUT)

    def update(self, x: jax.Array) -> jax.Array:
        return self.second(jnp.tanh(self.first(x)))


@bst.augment.vmap
def construct(key: jax.Array) -> MLP:
    bst.random.set_key(key)
    return MLP()


def forward(params: list[dict], x: jax.Array) -> jax.Array:
    first, second = params
    hidden = jnp.tanh(x @ first["weight"] + first["bias"])
    return hidden @ second["weight"] + second["bias"]


def contenders() -> tuple[dict, dict]:
    """Forward passes, and gradients of the mean of the squared outputs."""
    models = construct(bst.random.split_keys(MODELS))
    weights = models.states(bst.ParamState)
    params = [state.value for state in weights.values()]
    x = bst.random.normal(size=(MODELS, BATCH, IN))
    apply = bst.augment.vmap(lambda model, x: model(x))
    map_by_hand = jax.vmap(forward)

    hand = jax.jit(map_by_hand)
    closure = bst.compile.jit(lambda x: apply(models, x))
    argument = bst.compile.jit(apply)
    forwards = {
        "hand-written": lambda: hand(params, x),
        "closure": lambda: closure(x),
        "node argument": lambda: argument(models, x),
    }
    hand_grad = jax.jit(jax.grad(lambda params, x: jnp.mean(map_by_hand(params, x) ** 2)))
    grad = bst.augment.grad(lambda x: jnp.mean(apply(models, x) ** 2), weights)
    grad_of_closure = bst.compile.jit(grad)
    grad_of_argument = bst.compile.jit(lambda models, x: grad(x))
    gradients = {
        "hand-written": lambda: hand_grad(params, x),
        "closure": lambda: grad_of_closure(x),
        "node argument": lambda: grad_of_argument(models, x),
    }
    return forwards, gradients


def main() -> None:
    print(machine())
    rows = []
    for name, group in zip(("forward", "gradient"), contenders(), strict=True):
        first, *others = [jax.tree.leaves(run()) for run in group.values()]
        for other in others:
            assert all(jnp.allclose(a, b, atol=1e-5) for a, b in zip(first, other, strict=True))
        times = interleaved(group, clock=time.perf_counter)
        hand = times.pop("hand-written")
        ratios = [ratio(samples, hand) for samples in times.values()]
        rows.append([name, median(hand, 1e-6), *ratios])
    header = ["call", "hand-written, µs", *(f"{name}, ratio" for name in times)]
    table(f"{MODELS} models of two layers in one compiled call", header, rows)
    publish()


if __name__ == "__main__":
    main()
