"""A balanced network of 4,000 neurons with current synapses (CUBA), for one second.

Here each spike adds to a current, whatever the potential of its target; compare `coba.py`, where it
opens a conductance. The raster shows each tenth neuron, and the rate of all of them over time.
T. P. Vogels and L. F. Abbott (2005), J. Neurosci. 25, 10786; benchmark 2 of R. Brette et al.
(2007), Simulation of networks of spiking neurons, J. Comput. Neurosci. 23, 349.
"""

from pathlib import Path

import brainunit as u
import jax.numpy as jnp
import matplotlib.pyplot as plt

import brainstate as bst
from brainstate import event, nn

OUT = Path("out")
DT = 0.1 * u.ms


class EINet(nn.Module):
    """Excitatory neurons, then inhibitory ones; each reaches 2 % of all neurons."""

    def __init__(self, n_exc=3200, n_inh=800, fan_out=80):
        super().__init__()
        self.n_exc, n = n_exc, n_exc + n_inh
        self.neurons = nn.LIFRef(
            n,
            R=1.0 * u.ohm,
            tau=20.0 * u.ms,
            tau_ref=5.0 * u.ms,
            V_rest=-60.0 * u.mV,
            V_th=-50.0 * u.mV,
            V_reset=-60.0 * u.mV,
            V_initializer=bst.init.Uniform(-60.0, -50.0, unit=u.mV),
            spk_reset="hard",
        )
        self.excitation = nn.AlignPostProj(
            comm=event.FixedNumConn(n_exc, n, fan_out, 1.62 * u.mS),
            syn=nn.Expon.desc(n, tau=5.0 * u.ms),
            out=nn.CUBA.desc(),
            post=self.neurons,
        )
        self.inhibition = nn.AlignPostProj(
            comm=event.FixedNumConn(n_inh, n, fan_out, -9.0 * u.mS),
            syn=nn.Expon.desc(n, tau=10.0 * u.ms),
            out=nn.CUBA.desc(),
            post=self.neurons,
        )

    def update(self, t):
        with bst.environ.context(t=t):
            spikes = self.neurons.get_spike() != 0
            self.excitation(spikes[: self.n_exc])
            self.inhibition(spikes[self.n_exc :])
            return self.neurons(20.0 * u.mA) != 0


def main(steps=10_000):
    """Simulates the network; returns the spikes, (steps, neurons), and the mean rate in Hz."""
    bst.random.seed(0)
    with bst.environ.context(dt=DT):
        net = nn.init_all_states(EINet())
        times = jnp.arange(steps) * DT
        spikes = bst.compile.jit(lambda: bst.compile.for_loop(net, times))()
    rate = (spikes.mean() / DT).to_decimal(u.Hz)
    print(f"CUBA: {spikes.shape[1]} neurons, {steps * DT}, {rate:.1f} Hz on average")

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
