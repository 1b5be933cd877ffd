"""Contenders: this library, as a user writes the networks; the last argument is the backend."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

import brainunit as u
import jax
import jax.numpy as jnp
from network import DT, WIDE, Network, excitatory, targets
from serve import Simulation, serve

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


def coba(net: Network, n: int) -> tuple[EINet, object]:
    leak = 10.0 * u.nS
    outs = nn.COBA.desc(E=net.E_e * u.mV), nn.COBA.desc(E=net.E_i * u.mV)
    weights = net.w_e * leak, net.w_i * leak
    return EINet(net, n, weights, outs, R=1 / leak), net.drive * u.mV * leak


def cuba(net: Network, n: int) -> tuple[EINet, object]:
    outs = nn.CUBA.desc(), nn.CUBA.desc()
    weights = net.w_e * u.mS, net.w_i * u.mS
    return EINet(net, n, weights, outs, R=1.0 * u.ohm), net.drive * u.mA


def build(net: Network, n: int, steps: int) -> Simulation:
    bst.random.seed(0)
    bst.environ.set(dt=DT * u.ms)
    model, drive = {"coba": coba, "cuba": cuba}[net.name](net, n)
    nn.init_all_states(model)
    done = bst.State(jnp.int32(0))

    def run(step: Callable) -> Callable:
        @functools.partial(bst.compile.jit, compiler_options=WIDE)
        def chunk() -> object:
            indices = done.value + jnp.arange(steps)
            done.value = done.value + steps
            return bst.compile.for_loop(step, indices)

        return chunk

    def counted(i: object) -> object:
        model.update(i, drive)
        return model.neurons.get_spike().sum()

    simulate, count = run(lambda i: model.update(i, drive)), run(counted)
    V = model.neurons.V

    def chunk() -> None:
        simulate()
        jax.block_until_ready(V.value)

    return Simulation(chunk, lambda: float(count().sum()))


if __name__ == "__main__":
    bst.environ.set_host_thread_count(1)
    if len(sys.argv) > 4:
        bst.environ.set(event_backend=sys.argv[4])
    serve(build)
