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
from network import DT, WIDE, Network, excitatory, targets
from serve import Simulation

Product = Callable[[jax.Array, jax.Array, float, jax.Array], jax.Array]


def builder(product: Product) -> Callable[[Network, int, int], Simulation]:
    """What `serve` takes, with this product."""
    return functools.partial(_build, product)


def _build(product: Product, net: Network, n: int, steps: int) -> Simulation:
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
        V, ge, gi, rest, spikes = carry
        ge = product(spikes[:n_exc], rows[0], net.w_e, ge * decay_e)
        gi = product(spikes[n_exc:], rows[1], net.w_i, gi * decay_i)
        end, speed = end_and_rate(ge, gi)
        V = jnp.where(rest > 0, V, end + (V - end) * jnp.exp(-DT / net.tau * speed))
        spikes = net.V_th <= V
        V = jnp.where(spikes, net.V_reset, V)
        rest = jnp.where(spikes, net.steps_of_rest, rest - 1)
        return V, ge, gi, rest, spikes

    @functools.partial(jax.jit, donate_argnums=0, static_argnums=2, compiler_options=WIDE)
    def steps_on(carry: tuple, rows: tuple, counts: bool) -> tuple[tuple, jax.Array | None]:
        def body(carry: tuple, _: None) -> tuple[tuple, jax.Array | None]:
            carry = step(carry, rows)
            return carry, carry[-1].sum() if counts else None

        return jax.lax.scan(body, carry, length=steps)

    rows = jnp.asarray(targets(n)[:n_exc]), jnp.asarray(targets(n)[n_exc:])
    V = jnp.asarray(np.random.default_rng(1).uniform(net.V_reset, net.V_th, n), jnp.float32)
    zeros = (jnp.zeros(n, jnp.float32) for _ in range(2))
    state = [(V, *zeros, jnp.zeros(n, jnp.int32), jnp.zeros(n, bool))]

    def run(counts: bool) -> jax.Array | None:
        state[0], counted = steps_on(state[0], rows, counts)
        jax.block_until_ready(state)
        return counted

    return Simulation(lambda: run(False), lambda: float(run(True).sum()))
