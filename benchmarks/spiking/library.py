"""Contenders: this library, as a user writes the networks; the last argument is the backend."""

from __future__ import annotations

import functools
import sys

import brainunit as u
import jax.numpy as jnp
from network import WIDE, Network, excitatory, targets
from serve import serve
from stateful import build

import brainstate as bst

nn = bst.nn


class EINet(nn.DynamicsGroup):
    """Excitatory and inhibitory neurons, each with a row of targets among all."""

    def __init__(self, net: Network, n: int, weights: tuple, outs: tuple, **neuron):
        super().__init__()
        self.n_exc = excitatory(n)
        self.neurons = nn.LIFRef(
            n,
            tau=net.tau * u.ms,
            tau_ref=net.tau_ref * u.ms,
            V_rest=net.V_rest * u.mV,
            V_th=net.V_th * u.mV,
            V_reset=net.V_reset * u.mV,
            V_initializer=bst.init.Uniform(net.V_reset, net.V_th, unit=u.mV),
            spk_reset="hard",
            **neuron,
        )
        rows = targets(n)
        self.E = self.projection(rows[: self.n_exc], weights[0], net.tau_e, outs[0])
        self.I = self.projection(rows[self.n_exc :], weights[1], net.tau_i, outs[1])

    def projection(self, rows: object, weight: object, tau: float, out: object) -> nn.Projection:
        (n,) = self.neurons.in_size
        synapses = bst.event.FixedFanOut(weight, jnp.asarray(rows), (len(rows), n))
        return nn.AlignPostProj(
            comm=bst.event.Connected(synapses),
            syn=nn.Expon.desc(n, tau=tau * u.ms),
            out=out,
            post=self.neurons,
        )

    def update(self, i: object, drive: object) -> None:
        with bst.environ.context(t=i * bst.environ.get_dt(), i=i):
            spikes = self.neurons.get_spike()
            self.E(spikes[: self.n_exc])
            self.I(spikes[self.n_exc :])
            self.neurons(drive)


if __name__ == "__main__":
    bst.environ.set_host_thread_count(1)
    if len(sys.argv) > 4:
        bst.environ.set(event_backend=sys.argv[4])
    serve(functools.partial(build, bst, nn, EINet, compiler_options=WIDE))
