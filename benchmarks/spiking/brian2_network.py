"""The networks for Brian2, in equations with units, as in its own examples."""

from __future__ import annotations

import numpy as np
from brian2 import Network as Simulation
from brian2 import NeuronGroup, Synapses, defaultclock, ms, mV
from network import DT, FAN_OUT, Network, excitatory, targets

CONDUCTANCES = """
dv/dt = (ge * (E_e - v) + gi * (E_i - v) + V_rest - v + drive) / tau : volt (unless refractory)
dge/dt = -ge / tau_e : 1
dgi/dt = -gi / tau_i : 1
fired : integer  # how often
"""
CURRENTS = """
dv/dt = (ge + gi + V_rest - v + drive) / tau : volt (unless refractory)
dge/dt = -ge / tau_e : volt
dgi/dt = -gi / tau_i : volt
fired : integer  # how often
"""
TIMES, POTENTIALS = ("tau", "tau_e", "tau_i"), ("V_rest", "V_th", "V_reset", "drive")


def simulation(net: Network, n: int, method: str) -> tuple[Simulation, NeuronGroup]:
    """The network, and its neurons, which count their spikes."""
    defaultclock.dt = DT * ms
    unit = 1 if net.conductances else mV
    potentials = (*POTENTIALS, "E_e", "E_i") if net.conductances else POTENTIALS
    space = {
        **{name: getattr(net, name) * ms for name in TIMES},
        **{name: getattr(net, name) * mV for name in potentials},
        "w_e": net.w_e * unit,
        "w_i": net.w_i * unit,
    }
    group = NeuronGroup(
        n,
        CONDUCTANCES if net.conductances else CURRENTS,
        threshold="v > V_th",
        reset="v = V_reset; fired += 1",
        refractory=net.tau_ref * ms,
        method=method if net.conductances else "exact",
        namespace=space,
    )
    group.v = "V_reset + rand() * (V_th - V_reset)"
    n_exc, rows = excitatory(n), targets(n)
    synapses = []
    for source, own, on_pre in (
        (group[:n_exc], rows[:n_exc], "ge += w_e"),
        (group[n_exc:], rows[n_exc:], "gi += w_i"),
    ):
        synapses.append(Synapses(source, group, on_pre=on_pre, namespace=space))
        synapses[-1].connect(i=np.repeat(np.arange(len(own)), FAN_OUT), j=own.ravel())
    return Simulation(group, *synapses), group
