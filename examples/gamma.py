"""A gamma rhythm made by inhibition alone: 100 interneurons that fall into step at some 40 Hz.

Each neuron would fire at a rate of its own; GABA_A synapses hold it back until the inhibition by
all others fades. That brings them together only if each hears enough of the others: the coherence
grows from some 60 synapses on a neuron. All networks of this sweep run at the same time, by `vmap`.
X.-J. Wang and G. Buzsaki (1996), Gamma oscillation by synaptic inhibition in a hippocampal
interneuronal network model, J. Neurosci. 16, 6402.
"""

from pathlib import Path

import brainunit as u
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from brainunit.math import exprel
from jax.nn import sigmoid

import brainstate as bst
from brainstate import nn

OUT = Path("out")
N, DT = 100, 0.05 * u.ms
ONSET = 300.0 * u.ms  # not looked at
SIEMENS, AMPERE = u.msiemens / u.cm**2, u.uA / u.cm**2


class FastSpiking(nn.Neuron):
    """Sodium, which opens at once, potassium and leak; ``x`` is a current density."""

    def variables(self):
        V = nn.Variable(bst.init.Uniform(-70.0, -50.0, unit=u.mV), self.in_size)
        return {"V": V, "h": nn.Variable(0.8, self.in_size), "n": nn.Variable(0.1, self.in_size)}

    def update(self, x):
        V = self.V.value
        current = self.sum_current_inputs(x, V)

        def drift(y):
            v, V, h, n = y["V"] / u.mV, y["V"], y["h"], y["n"]
            opening = 1 / exprel(-(v + 35) / 10)
            m = opening / (opening + 4 * jnp.exp(-(v + 60) / 18))
            sodium = 35.0 * SIEMENS * m**3 * h * (55 * u.mV - V)
            potassium = 9.0 * SIEMENS * n**4 * (-90 * u.mV - V)
            leak = 0.1 * SIEMENS * (-65 * u.mV - V)
            dV = (sodium + potassium + leak + current) / (1.0 * u.uF / u.cm**2)
            h_opening, h_closing = 0.07 * jnp.exp(-(v + 58) / 20), sigmoid((v + 28) / 10)
            n_opening, n_closing = 0.1 / exprel(-(v + 34) / 10), 0.125 * jnp.exp(-(v + 44) / 80)
            dh = 5 / u.ms * (h_opening * (1 - h) - h_closing * h)
            dn = 5 / u.ms * (n_opening * (1 - n) - n_closing * n)
            return {"V": dV, "h": dh, "n": dn}

        y = nn.rk4_step(drift, {"V": V, "h": self.h.value, "n": self.n.value})
        self.V.value, self.h.value, self.n.value = y["V"], y["h"], y["n"]
        was_above, above = (potential > 0 * u.mV for potential in (V, self.V.value))
        return above & ~was_above


class GABA(nn.Synapse):
    """The share of open channels, which the potential of the neuron before opens."""

    def variables(self):
        return {"s": nn.Variable(0.0, self.in_size)}

    def update(self, V):
        opening, closing = 12.0 / u.ms * sigmoid(V / (2 * u.mV)), 0.1 / u.ms
        self.s.value = nn.exp_euler_step(lambda s: opening * (1 - s) - closing * s, self.s.value)


class Interneurons(nn.Module):
    """Each pair has a synapse with probability `inputs` / N; drives differ by 3 %."""

    def __init__(self, inputs):
        super().__init__()
        self.neurons, self.synapses = FastSpiking(N), GABA(N)
        self.drive = 1.0 * AMPERE * (1 + 0.03 * jnp.sort(bst.random.normal(size=N)))
        present = bst.random.uniform(size=(N, N)) < inputs / N
        self.inhibition = nn.CurrentProj(
            self.synapses.prefetch("s"),
            comm=nn.Linear(N, N, w_init=present * (0.1 * SIEMENS / inputs), b_init=None),
            out=nn.COBA(E=-75.0 * u.mV),
            post=self.neurons,
        )

    def update(self, _):
        self.synapses(self.neurons.V.value)
        self.inhibition()
        return self.neurons(self.drive)


def simulate(inputs, duration):
    """The spikes after the onset, (steps, neurons)."""
    net = nn.init_all_states(Interneurons(inputs))
    spikes = bst.compile.for_loop(net, jnp.arange(round((ONSET + duration) / DT)))
    return spikes[round(ONSET / DT) :]


def counts(spikes, width):
    """Spikes in bins of this width, (bins, neurons)."""
    steps = round(width / DT)
    return np.reshape(spikes[: len(spikes) // steps * steps], (-1, steps, N)).sum(axis=1)


def coherence(spikes):
    """The paper's measure: mean correlation of pairs, in bins of a tenth of the mean interval."""
    fired = np.minimum(counts(spikes, 0.1 * len(spikes) * DT * N / spikes.sum()), 1)
    each = fired.sum(axis=0)
    alike = fired.T @ fired / np.sqrt(np.outer(each, each)).clip(1)  # 0 for silent neurons
    return alike[~np.eye(N, dtype=bool)].mean()


def main(duration=1000.0 * u.ms, inputs=range(10, 101, 10), networks=4):
    """Draws a network of 80 synapses a neuron, and the sweep; returns peak, coherence and sweep."""
    bst.random.seed(0)
    with bst.environ.context(dt=DT):
        run = bst.compile.jit(bst.augment.vmap(lambda count: simulate(count, duration)))
        lanes = np.asarray(run(jnp.array([80.0, *np.repeat([*inputs], networks)])))
    spikes, sweep = lanes[0], np.reshape([coherence(x) for x in lanes[1:]], (-1, networks))
    rate = counts(spikes, 1.0 * u.ms).mean(axis=1) * 1000  # in Hz
    frequencies = np.fft.rfftfreq(len(rate), 1e-3)
    power = np.abs(np.fft.rfft(rate - rate.mean())) ** 2
    peak, together = frequencies[power.argmax()], coherence(spikes)
    print(f"the rate swings at {peak:.0f} Hz, with coherence {together:.2f} (by chance 0.10)")

    OUT.mkdir(exist_ok=True)
    figure, axes = plt.subplots(2, 2, figsize=(10, 6), layout="constrained", dpi=150)
    (raster, spectrum), (course, sizes) = axes
    shown, times = round(300.0 * u.ms / DT), np.arange(len(spikes)) * DT
    bst.visualize.raster(spikes[:shown], times[:shown], ax=raster, title="Spikes, by drive")
    course.plot(rate[:300], color="black", linewidth=1.2)
    course.set(xlabel="time (ms)", ylabel="rate (Hz)", xlim=(0, 300), title="Population")
    spectrum.plot(frequencies, power / power.max(), color="black")
    spectrum.axvspan(20, 80, color="tab:blue", alpha=0.15, linewidth=0, label="gamma band")
    spectrum.set(xlabel="frequency (Hz)", ylabel="power (of the peak)", xlim=(0, 200))
    spectrum.set_title(f"Spectrum: a peak at {peak:.0f} Hz")
    spectrum.legend(frameon=False)
    names = "synapses on a neuron", "coherence"
    bst.visualize.tuning([*inputs], sweep, names=names, ax=sizes, title="It takes many synapses")
    sizes.axhline(0.1, color="black", linestyle=":", label="chance")
    sizes.legend(frameon=False)
    figure.savefig(OUT / "gamma.png")
    print(f"figure: {OUT}/gamma.png")
    return peak, together, sweep


if __name__ == "__main__":
    main()
