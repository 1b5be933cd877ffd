"""The COBA network of 4000 neurons: loops that record beside the loop that does not.

All in one process, one thread, taking turns; wall times. "all spikes" keeps every spike of every
neuron over the whole run.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import brainstate as bst

sys.path.insert(0, str(Path(__file__).parent / "spiking"))

import jax
import jax.numpy as jnp
from _timing import interleaved, machine, median, publish, ratio, table
from library import EINet
from network import COBA, WIDE
from stateful import set_up

N, STEPS, ROUNDS = 4000, 5000, 15


def contenders() -> dict:
    model, drive = set_up(bst, bst.nn, EINet, COBA, N)
    neurons = model.neurons
    records = {
        "nothing": None,
        "all spikes": bst.transform.SpikeTimes(neurons.get_spike),
        "potential of two neurons, every 10th step": bst.transform.Trace(
            neurons.V, stride=10, index=[0, 1]
        ),
        "mean potential of each neuron": bst.transform.Mean(neurons.V),
    }
    return {name: run(model, drive, record) for name, record in records.items()}


def run(model: object, drive: object, record: object) -> object:
    @bst.transform.jit(compiler_options=WIDE)
    def chunk() -> object:
        return bst.transform.for_loop(
            lambda i: model.update(i, drive), jnp.arange(STEPS), record=record
        )

    def wait() -> None:
        jax.block_until_ready((chunk(), model.neurons.V.value))

    return wait


if __name__ == "__main__":
    bst.environ.set_host_thread_count(1)
    print(machine())
    samples = interleaved(contenders(), rounds=ROUNDS, calls=1, clock=time.perf_counter)
    reference = samples["nothing"]
    rows = [
        [name, median(times, STEPS * 1e-6, 2), ratio(times, reference)]
        for name, times in samples.items()
    ]
    table("COBA, 4000 neurons, recorded", ["recorded", "µs per step", "ratio"], rows)
    publish()
