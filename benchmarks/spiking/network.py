"""The two networks, in numbers that every contender reads: times in ms, potentials in mV.

T. P. Vogels and L. F. Abbott (2005), Signal propagation and logic gating in networks of
integrate-and-fire neurons, J. Neurosci. 25, 10786; benchmarks 1 and 2 of R. Brette et al. (2007),
Simulation of networks of spiking neurons, J. Comput. Neurosci. 23, 349. Here a constant drive takes
the place of the stimulus that starts COBA there.

This file needs nothing but NumPy, so that it runs in a peer's environment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DT = 0.1
# For all contenders in JAX: XLA uses half the width of AVX-512 unless it is told.
WIDE = {"xla_cpu_prefer_vector_width": 512}
FAN_OUT = 80  # 2 % of 4000


@dataclass(frozen=True)
class Network:
    """Leaky integrate-and-fire neurons, four fifths of them excitatory.

    Synapses are conductances relative to the leak, ``g (E - V)``, if there are reversal potentials
    `E_e` and `E_i`; else they are what the current adds to the potential, in mV.
    """

    name: str
    w_e: float
    w_i: float
    V_rest: float
    drive: float = 0.0
    E_e: float | None = None
    E_i: float | None = None
    tau: float = 20.0
    tau_e: float = 5.0
    tau_i: float = 10.0
    tau_ref: float = 5.0
    V_th: float = -50.0
    V_reset: float = -60.0

    @property
    def conductances(self) -> bool:
        return self.E_e is not None

    @property
    def steps_of_rest(self) -> int:
        return round(self.tau_ref / DT)


LEAK = 10.0  # nS
COBA = Network("coba", 6.0 / LEAK, 67.0 / LEAK, V_rest=-60.0, drive=20.0, E_e=0.0, E_i=-80.0)
CUBA = Network("cuba", 1.62, -9.0, V_rest=-60.0, drive=20.0)
NETWORKS = {network.name: network for network in (COBA, CUBA)}


def excitatory(n: int) -> int:
    """How many of `n` neurons are excitatory; they come first."""
    return n * 4 // 5


def targets(n: int) -> np.ndarray:
    """The targets of each neuron's synapses, for all contenders the same: (n, FAN_OUT).

    Networks drawn anew differ in their rates by several per cent.
    """
    return np.random.default_rng(0).integers(0, n, (n, FAN_OUT), np.int32)


def rate(spikes: float, n: int, steps: int) -> float:
    """Spikes of a neuron per second."""
    return spikes / n / (steps * DT * 1e-3)
