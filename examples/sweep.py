"""A sweep over two parameters of a neuron by `vmap`: 1,600 adaptive neurons at the same time.

Each lane builds a neuron of its own with other values: subthreshold adaptation `a` and adaptation
by spikes `b`. The map shows how much the interval between spikes grows under a constant current.
R. Brette and W. Gerstner (2005), Adaptive exponential integrate-and-fire model as an effective
description of neuronal activity, J. Neurophysiol. 94, 3637.
"""

from pathlib import Path

import brainunit as u
import jax.numpy as jnp
import matplotlib.pyplot as plt

import brainstate as bst
from brainstate import nn

OUT = Path("out")
DT = 0.1 * u.ms
CURRENT = 1.0 * u.nA


def spike_train(a, b, duration):
    """The spikes of one neuron, (steps,)."""
    neuron = nn.init_all_states(nn.AdEx(1, a=a, b=b))
    steps = jnp.arange(round(duration / DT))
    return bst.compile.for_loop(lambda _: neuron(CURRENT)[0] != 0, steps)


def adaptation(a, b, duration):
    """The last interval between spikes divided by the first; NaN with less than four spikes."""
    spikes = spike_train(a, b, duration)
    last = len(spikes) - 1 - jnp.nonzero(spikes[::-1], size=2, fill_value=0)[0]
    first = jnp.nonzero(spikes, size=2, fill_value=0)[0]
    ratio = (last[0] - last[1]) / (first[1] - first[0])
    return jnp.where(spikes.sum() < 4, jnp.nan, ratio)


def main(lanes=40, duration=500.0 * u.ms):
    """Draws the map and three trains of it; returns the map, (a, b)."""
    a, b = jnp.linspace(0.0, 20.0, lanes) * u.nS, jnp.linspace(0.0, 200.0, lanes) * u.pA
    with bst.environ.context(dt=DT):
        inner = bst.augment.vmap(adaptation, in_axes=(None, 0, None))
        outer = bst.augment.vmap(inner, in_axes=(0, None, None))
        ratios = bst.compile.jit(lambda: outer(a, b, duration))()
        some = jnp.array([0.0, 80.0, 200.0]) * u.pA
        trains = bst.augment.vmap(spike_train, in_axes=(None, 0, None))(4.0 * u.nS, some, duration)
    print(f"{ratios.size} neurons; the interval grows up to {jnp.nanmax(ratios):.1f} times")

    OUT.mkdir(exist_ok=True)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained", dpi=150)
    names = "a", "b", "last interval / first"
    bst.visualize.tuning(
        a,
        ratios,
        b,
        names=names,
        ax=left,
        title=f"{ratios.size} neurons at {CURRENT.to_decimal(u.nA):g} nA",
    )
    moments = [(jnp.nonzero(train)[0] * DT).to_decimal(u.ms) for train in trains]
    right.eventplot(moments, colors="black", linelengths=0.6)
    labels = [f"{value:.0f}" for value in some]
    right.set(
        yticks=range(3),
        yticklabels=labels,
        xlabel="time (ms)",
        ylabel="b",
        title="Spikes at a = 4 nS",
    )
    figure.savefig(OUT / "sweep.png")
    print(f"figure: {OUT}/sweep.png")
    return ratios


if __name__ == "__main__":
    main()
