"""A balanced network of 4,000 neurons with conductance synapses (COBA), for one second.

Excitation and inhibition cancel on average, and neurons fire irregularly, at about 20 Hz each.
T. P. Vogels and L. F. Abbott (2005), Signal propagation and logic gating in networks of
integrate-and-fire neurons, J. Neurosci. 25, 10786; benchmark 1 of R. Brette et al. (2007),
Simulation of networks of spiking neurons, J. Comput. Neurosci. 23, 349, with a constant drive.
"""

from pathlib import Path

import brainunit as u
import jax.numpy as jnp
import matplotlib.pyplot as plt

import brainstate as bst
from brainstate import event, nn

OUT = Path("out")
DT = 0.1 * u.ms
LEAK = 10.0 * u.nS


class EINet(nn.Module):
    """Excitatory neurons, then inhibitory ones; each reaches 2 % of all neurons.

    `weights` and `outs` are those of the excitatory and of the inhibitory synapses.
    """

    def __init__(self, R, drive, weights, outs, n_exc=3200, n_inh=800, fan_out=80):
        super().__init__()
        self.n_exc, self.drive, n = n_exc, drive, n_exc + n_inh
        self.neurons = nn.LIFRef(
            n,
            R=R,
            tau=20.0 * u.ms,
            tau_ref=5.0 * u.ms,
            V_rest=-60.0 * u.mV,
            V_th=-50.0 * u.mV,
            V_reset=-60.0 * u.mV,
            V_initializer=bst.init.Uniform(-60.0, -50.0, unit=u.mV),
            spk_reset="hard",
        )
        self.excitation = nn.AlignPostProj(
            comm=event.FixedNumConn(n_exc, n, fan_out, weights[0]),
            syn=nn.Expon.desc(n, tau=5.0 * u.ms),
            out=outs[0],
            post=self.neurons,
        )
        self.inhibition = nn.AlignPostProj(
            comm=event.FixedNumConn(n_inh, n, fan_out, weights[1]),
            syn=nn.Expon.desc(n, tau=10.0 * u.ms),
            out=outs[1],
            post=self.neurons,
        )

    def update(self, t):
        with bst.environ.context(t=t):
            spikes = self.neurons.get_spike() != 0
            self.excitation(spikes[: self.n_exc])
            self.inhibition(spikes[self.n_exc :])
            return self.neurons(self.drive) != 0


def simulate(name, steps, **network):
    """The times, the spikes, (steps, neurons), and their mean rate in Hz."""
    bst.random.seed(0)
    with bst.environ.context(dt=DT):
        net = nn.init_all_states(EINet(**network))
        times = jnp.arange(steps) * DT
        spikes = bst.compile.jit(lambda: bst.compile.for_loop(net, times))()
    rate = (spikes.mean() / DT).to_decimal(u.Hz)
    print(f"{name}: {spikes.shape[1]} neurons, {steps * DT}, {rate:.1f} Hz on average")
    return times, spikes, rate


def main(steps=10_000):
    times, spikes, rate = simulate(
        "COBA",
        steps,
        R=1 / LEAK,
        drive=20.0 * u.mV * LEAK,
        weights=(6.0 * u.nS, 67.0 * u.nS),
        outs=(nn.COBA.desc(E=0.0 * u.mV), nn.COBA.desc(E=-80.0 * u.mV)),
    )

    OUT.mkdir(exist_ok=True)
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained", dpi=150)
    groups = {"excitatory": 320, "inhibitory": 80}
    bst.visualize.raster(
        spikes[:, ::10],
        times,
        groups=groups,
        ax=axes,
        title=f"COBA, each tenth neuron: {rate:.1f} Hz",
    )
    figure.savefig(OUT / "coba.png")
    print(f"figure: {OUT}/coba.png")
    return spikes, rate


if __name__ == "__main__":
    main()
