"""Contender: BrainPy's neurons and synapses on BrainState 0.6, with the products of brainevent."""

from __future__ import annotations

import functools

import brainevent
import braintools
import brainunit as u
import jax.numpy as jnp
from brainpy import state as bp
from network import Network, excitatory, targets
from serve import serve
from stateful import build

import brainstate


class Synapses(brainstate.nn.Module):
    """Events times a matrix that has a row of targets for each neuron."""

    def __init__(self, weight: object, rows: object, n: int):
        super().__init__()
        matrix = brainevent.FixedNumPerPre
        self.matrix = matrix((weight, jnp.asarray(rows)), shape=(len(rows), n))

    def update(self, spikes: object) -> object:
        return brainevent.BinaryArray(spikes) @ self.matrix


class EINet(brainstate.nn.Module):
    def __init__(self, net: Network, n: int, weights: tuple, outs: tuple, **neuron):
        super().__init__()
        self.n_exc, rows = excitatory(n), targets(n)
        self.neurons = bp.LIFRef(
            n,
            tau=net.tau * u.ms,
            tau_ref=net.tau_ref * u.ms,
            V_rest=net.V_rest * u.mV,
            V_th=net.V_th * u.mV,
            V_reset=net.V_reset * u.mV,
            V_initializer=braintools.init.Uniform(net.V_reset * u.mV, net.V_th * u.mV),
            spk_reset="hard",
            **neuron,
        )
        taus = net.tau_e * u.ms, net.tau_i * u.ms
        self.E, self.I = (
            bp.AlignPostProj(
                comm=Synapses(weight, own, n),
                syn=bp.Expon.desc(n, tau=tau, g_initializer=braintools.init.Constant(0 * weight)),
                out=out,
                post=self.neurons,
            )
            for weight, own, tau, out in zip(
                weights, (rows[: self.n_exc], rows[self.n_exc :]), taus, outs, strict=True
            )
        )

    def update(self, i: object, drive: object) -> None:
        with brainstate.environ.context(t=i * brainstate.environ.get_dt(), i=i):
            spikes = self.neurons.get_spike() != 0.0
            self.E(spikes[: self.n_exc])
            self.I(spikes[self.n_exc :])
            self.neurons(drive)


if __name__ == "__main__":
    serve(functools.partial(build, brainstate, bp, EINet))
