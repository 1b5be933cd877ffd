"""A balanced network of 4,000 neurons with current synapses (CUBA), for one second.

Here each spike adds to a current, whatever the potential of its target; compare `coba.py`, where it
opens a conductance. The raster shows each tenth neuron, and the rate of all of them over time.
T. P. Vogels and L. F. Abbott (2005), J. Neurosci. 25, 10786; benchmark 2 of R. Brette et al.
(2007), Simulation of networks of spiking neurons, J. Comput. Neurosci. 23, 349.
"""

import brainunit as u
import jax.numpy as jnp
import matplotlib.pyplot as plt
from coba import DT, OUT, simulate

import brainstate as bst
from brainstate import nn


def main(steps=10_000):
    times, spikes, rate = simulate(
        "CUBA",
        steps,
        R=1.0 * u.ohm,
        drive=20.0 * u.mA,
        weights=(1.62 * u.mS, -9.0 * u.mS),
        outs=(nn.CUBA.desc(), nn.CUBA.desc()),
    )

    OUT.mkdir(exist_ok=True)
    figure, (upper, lower) = plt.subplots(
        2, sharex=True, height_ratios=(3, 1), figsize=(7, 5), layout="constrained", dpi=150
    )
    groups = {"excitatory": 320, "inhibitory": 80}
    title = f"CUBA, each tenth neuron: {rate:.1f} Hz"
    bst.visualize.raster(spikes[:, ::10], times, groups=groups, ax=upper, title=title)
    bins = spikes.reshape(-1, 50, spikes.shape[1]).mean(axis=(1, 2)) / DT  # of 5 ms
    lower.stairs(bins.to_decimal(u.Hz), jnp.arange(len(bins) + 1) * 5.0, color="black")
    upper.set_xlabel("")
    lower.set(xlabel="time (ms)", ylabel="rate (Hz)", ylim=(0, None))
    figure.savefig(OUT / "cuba.png")
    print(f"figure: {OUT}/cuba.png")
    return spikes, rate


if __name__ == "__main__":
    main()
