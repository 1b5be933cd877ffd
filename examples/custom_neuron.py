"""A neuron of one's own in twenty lines, with units, its phase plane and its trace.

`MorrisLecar` says what its variables are, what a spike is, and one step; all else (batches, lanes,
delays, pictures) comes with the base class. With these values the cell can fire at any low rate.
C. Morris and H. Lecar (1981), Voltage oscillations in the barnacle giant muscle fiber, Biophys. J.
35, 193; values of J. Rinzel and G. B. Ermentrout (1989), Analysis of neural excitability.
"""

from pathlib import Path

import brainunit as u
import jax.numpy as jnp
import matplotlib.pyplot as plt

import brainstate as bst

OUT = Path("out")
DT = 0.1 * u.ms


class MorrisLecar(bst.nn.Neuron):
    """Calcium, potassium and leak currents; ``x`` is a current density."""

    def variables(self):
        V = bst.nn.Variable(-60.0 * u.mV, self.in_size)
        return {"V": V, "w": bst.nn.Variable(0.0, self.in_size), "V_before": V}

    def get_spike(self):
        return ((self.V_before.value < 0 * u.mV) & (self.V.value >= 0 * u.mV)).astype(float)

    def update(self, x):
        V, w = self.V.value, self.w.value
        mV, mS, density = u.mV, u.msiemens / u.cm**2, u.uF / u.cm**2

        def dV(V):
            m = 0.5 * (1 + jnp.tanh((V + 1.2 * mV) / (18 * mV)))
            calcium, potassium = 4.0 * mS * m * (V - 120 * mV), 8.0 * mS * w * (V + 84 * mV)
            return (x - calcium - potassium - 2.0 * mS * (V + 60 * mV)) / (20.0 * density)

        def dw(w):
            above = (V - 12 * mV) / (17.4 * mV)
            return (0.5 * (1 + jnp.tanh(above)) - w) * jnp.cosh(above / 2) / (15.0 * u.ms)

        self.V_before.value = V
        self.V.value = bst.nn.exp_euler_step(dV, V)
        self.w.value = bst.nn.exp_euler_step(dw, w)
        return self.get_spike()


def main(duration=500.0 * u.ms, current=45.0 * u.uA / u.cm**2):
    """Draws the phase plane and the trace; returns the potential over time."""
    OUT.mkdir(exist_ok=True)
    figure, (plane, trace) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained", dpi=150)
    neuron = bst.nn.init_all_states(MorrisLecar(1))
    with bst.environ.context(dt=DT):
        bst.visualize.phase_plane(
            neuron, current, y="w", duration=duration, ax=plane, title="Morris-Lecar neuron"
        )
        times = jnp.arange(round(duration / DT)) * DT
        spikes, V = bst.compile.for_loop(lambda t: (neuron(current), neuron.V.value), times)
    bst.visualize.traces(V, times, name="V", ax=trace, title="Potential")
    figure.savefig(OUT / "custom_neuron.png")
    print(f"{spikes.sum():.0f} spikes in {duration}\nfigure: {OUT}/custom_neuron.png")
    return V


if __name__ == "__main__":
    main()
