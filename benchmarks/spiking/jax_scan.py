"""A network by hand in JAX: one `jax.lax.scan`, which is given the product of events.

``product(spikes, targets, weight, g)`` returns `g` and what arrives from the spikes.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from network import DT, Network, excitatory, targets
from serve import Simulate

Product = Callable[[jax.Array, jax.Array, float, jax.Array], jax.Array]


def builder(product: Product) -> Callable[[Network, int, int], Simulate]:
    """What `serve` takes, with this product."""
    return functools.partial(_build, product)


def _build(product: Product, net: Network, n: int, steps: int) -> Simulate:
    n_exc = excitatory(n)
    decay_e, decay_i = math.exp(-DT / net.tau_e), math.exp(-DT / net.tau_i)

    def end_and_rate(ge: jax.Array, gi: jax.Array) -> tuple[jax.Array, jax.Array | float]:
        """Where the potential would settle, and how fast it goes there."""
        alone = net.V_rest + net.drive
        if not net.conductances:
            return alone + ge + gi, 1.0
        total = 1 + ge + gi
        return (alone + ge * net.E_e + gi * net.E_i) / total, total

    def step(carry: tuple, rows: tuple) -> tuple:
        V, ge, gi, rest, spikes, count = carry
        ge = product(spikes[:n_exc], rows[0], net.w_e, ge * decay_e)
        gi = product(spikes[n_exc:], rows[1], net.w_i, gi * decay_i)
        end, speed = end_and_rate(ge, gi)
        V = jnp.where(rest > 0, V, end + (V - end) * jnp.exp(-DT / net.tau * speed))
        spikes = net.V_th <= V
        V = jnp.where(spikes, net.V_reset, V)
        rest = jnp.where(spikes, net.steps_of_rest, rest - 1)
        return V, ge, gi, rest, spikes, count + spikes.sum(dtype=jnp.int32)

    @functools.partial(jax.jit, donate_argnums=0)
    def chunk(carry: tuple, rows: tuple) -> tuple:
        return jax.lax.scan(lambda c, _: (step(c, rows), None), carry, length=steps)[0]

    rows = jnp.asarray(targets(n)[:n_exc]), jnp.asarray(targets(n)[n_exc:])
    V = jnp.asarray(np.random.default_rng(1).uniform(net.V_reset, net.V_th, n), jnp.float32)
    zeros = (jnp.zeros(n, jnp.float32) for _ in range(2))
    state = [(V, *zeros, jnp.zeros(n, jnp.int32), jnp.zeros(n, bool), jnp.int32(0))]

    def run() -> float:
        before = int(state[0][-1])
        state[0] = chunk(state[0], rows)
        return int(state[0][-1]) - before

    return run
