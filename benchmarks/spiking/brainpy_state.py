"""Contender: BrainPy's neurons and synapses on BrainState 0.6, with the products of brainevent."""

from __future__ import annotations

from collections.abc import Callable

import brainevent
import braintools
import brainunit as u
import jax
import jax.numpy as jnp
from brainpy import state as bp
from network import DT, Network, excitatory, targets
from serve import Simulation, serve

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


def coba(net: Network, n: int) -> tuple[EINet, object]:
    leak = 10.0 * u.nS
    outs = bp.COBA.desc(E=net.E_e * u.mV), bp.COBA.desc(E=net.E_i * u.mV)
    weights = net.w_e * leak, net.w_i * leak
    return EINet(net, n, weights, outs, R=1 / leak), net.drive * u.mV * leak


def cuba(net: Network, n: int) -> tuple[EINet, object]:
    outs = bp.CUBA.desc(scale=u.volt), bp.CUBA.desc(scale=u.volt)
    weights = net.w_e * u.mS, net.w_i * u.mS
    return EINet(net, n, weights, outs, R=1.0 * u.ohm), net.drive * u.mA


def build(net: Network, n: int, steps: int) -> Simulation:
    brainstate.random.seed(0)
    brainstate.environ.set(dt=DT * u.ms)
    model, drive = {"coba": coba, "cuba": cuba}[net.name](net, n)
    brainstate.nn.init_all_states(model)
    done = brainstate.ShortTermState(jnp.int32(0))

    def run(step: Callable) -> Callable:
        @brainstate.transform.jit
        def chunk() -> object:
            indices = done.value + jnp.arange(steps)
            done.value = done.value + steps
            return brainstate.transform.for_loop(step, indices)

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
    serve(build)
