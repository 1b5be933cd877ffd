"""The product of spikes and synapses: native, in pure JAX, and over all synapses by hand.

4,000 neurons before and 4,000 behind, all joined or each to 80. "Over all synapses" is the matrix
product, or a scatter of every synapse; JAX by itself has nothing else. The pure JAX product looks
at the number of spikes and takes the cheaper way; where it chose rightly, it is nowhere much above
"over all synapses". Steps are those of one compiled loop, each with other spikes; one thread.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from _timing import interleaved, machine, median, publish, table

import brainstate as bst

N, FAN_OUT, STEPS, ROUNDS = 4000, 80, 20, 7
DENSITIES = 0.001, 0.01, 0.1, 0.5
BATCHES = 1, 16


def connections() -> dict[str, Any]:
    draws = np.random.default_rng(0)
    targets = jnp.asarray(draws.integers(0, N, (N, FAN_OUT)), jnp.int32)
    weights = functools.partial(draws.standard_normal, dtype=np.float32)
    return {
        "all to all": bst.event.Dense(jnp.asarray(weights((N, N))), (N, N)),
        "80 each, one weight": bst.event.FixedFanOut(0.5, targets, (N, N)),
        "80 each, own weights": bst.event.FixedFanOut(
            jnp.asarray(weights((N, FAN_OUT))), targets, (N, N)
        ),
    }


def over_all(connection: Any, events: jax.Array) -> jax.Array:
    """What one writes in JAX: all synapses, whether there is a spike or not."""
    if isinstance(connection, bst.event.Dense):
        return events.astype(jnp.float32) @ connection.weight
    sent = jnp.broadcast_to(events[..., None] * connection.weight, (*events.shape, FAN_OUT))
    out = jnp.zeros((events.shape[0], N), sent.dtype)
    return out.at[:, connection.indices].add(sent)


def steps(product: Callable, backend: str, events: jax.Array) -> Callable[[], jax.Array]:
    """A compiled loop over `events[steps, batch, n]`."""

    @bst.transform.jit
    def loop(events: jax.Array) -> jax.Array:  # as an argument: XLA would fold a constant
        start = jnp.zeros((events.shape[1], N), jnp.float32)
        return jax.lax.scan(lambda total, now: (total + product(now), None), start, events)[0]

    def run() -> jax.Array:
        with bst.environ.context(event_backend=backend):
            return loop(events)

    return run


def rows(name: str, connection: Any) -> list[list[str]]:
    found = []
    for batch in BATCHES:
        for density in DENSITIES:
            draws = np.random.default_rng(1).random((STEPS, batch, N))
            events = jnp.asarray(draws < density)
            samples = interleaved(
                {
                    "native": steps(lambda e: e @ connection, "native", events),
                    "pure JAX": steps(lambda e: e @ connection, "jax", events),
                    "over all": steps(functools.partial(over_all, connection), "jax", events),
                },
                rounds=ROUNDS,
                calls=1,
                clock=time.perf_counter,
            )
            times = [median(times, STEPS * 1e-6) for times in samples.values()]
            found.append([name, str(batch), f"{100 * density:g} %", *times])
    return found


if __name__ == "__main__":
    bst.environ.set_host_thread_count(1)
    print(machine())
    header = ["synapses", "batch", "spikes", "native, µs", "pure JAX, µs", "over all, µs"]
    listed = [row for name, one in connections().items() for row in rows(name, one)]
    table("Event products, 4,000 to 4,000 neurons", header, listed)
    publish()
