"""The neuron of Hodgkin and Huxley: an action potential, its gates, and the f-I curve.

Below a current the neuron is silent; above it, it starts at once at some 50 Hz, as neurons of
Hodgkin's class 2 do. All currents of the curve are simulated at the same time, by `vmap`.
A. L. Hodgkin and A. F. Huxley (1952), A quantitative description of membrane current and its
application to conduction and excitation in nerve, J. Physiol. 117, 500.
"""

from pathlib import Path

import brainunit as u
import jax.numpy as jnp
import matplotlib.pyplot as plt

import brainstate as bst

OUT = Path("out")
DT = 0.01 * u.ms
GATES = "m", "h", "n"


def trace(current, duration):
    """The potential and the gates of one neuron over time."""
    neuron = bst.nn.init_all_states(bst.nn.HH(1))

    def step(_):
        neuron(current)
        return neuron.V.value[0], {gate: getattr(neuron, gate).value[0] for gate in GATES}

    return bst.compile.for_loop(step, jnp.arange(round(duration / DT)))


def rate(current, duration):
    """Spikes per second in the second half of the run, when the onset is over."""
    neuron = bst.nn.init_all_states(bst.nn.HH(1))
    steps = jnp.arange(round(duration / DT))

    def count(total, i):
        return total + neuron(current)[0] * (i >= len(steps) // 2), None

    spikes = bst.compile.scan(count, 0.0, steps)[0]
    return (spikes / (duration / 2)).to(u.Hz)


def main(duration=2000.0 * u.ms, currents=41):
    """Draws the action potentials at 10 uA and the f-I curve; returns currents and rates."""
    with bst.environ.context(dt=DT):
        V, gates = bst.compile.jit(lambda: trace(10.0 * u.uA, 50.0 * u.ms))()
        strengths = jnp.linspace(0.0, 20.0, currents) * u.uA
        rates = bst.compile.jit(bst.augment.vmap(lambda i: rate(i, duration)))(strengths)
    silent = int((rates.to_decimal(u.Hz) == 0).sum())
    print(f"repetitive firing from {strengths[silent]:.1f}, at {rates[silent]:.0f}")

    OUT.mkdir(exist_ok=True)
    times = jnp.arange(len(V)) * DT
    figure, axes = plt.subplot_mosaic(
        [["V", "curve"], ["gates", "curve"]], figsize=(9, 4), layout="constrained", dpi=150
    )
    bst.visualize.traces(V, times, name="V", ax=axes["V"], title="Hodgkin-Huxley at 10 µA")
    bst.visualize.traces(gates, times, name="open", ax=axes["gates"], title="Gates")
    axes["gates"].set_ylabel("open")
    names = "current", "rate"
    bst.visualize.tuning(strengths, rates, names=names, ax=axes["curve"], title="f-I curve")
    figure.savefig(OUT / "hodgkin_huxley.png")
    print(f"figure: {OUT}/hodgkin_huxley.png")
    return strengths, rates


if __name__ == "__main__":
    main()
