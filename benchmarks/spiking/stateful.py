"""What this library and BrainPy have in common: how the networks are set up and run."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import brainunit as u
import jax
import jax.numpy as jnp
from network import DT, Network
from serve import Simulation


def set_up(bst: ModuleType, nn: ModuleType, kind: Callable, net: Network, n: int) -> tuple:
    """(model, drive) of a network made by ``kind(net, n, weights, outs, **neuron)``."""
    bst.random.seed(0)
    bst.environ.set(dt=DT * u.ms)
    model, drive = _coba(nn, kind, net, n) if net.conductances else _cuba(nn, kind, net, n)
    bst.nn.init_all_states(model)
    return model, drive


def build(
    bst: ModuleType,
    nn: ModuleType,
    kind: Callable,
    net: Network,
    n: int,
    steps: int,
    **jit_options: object,
) -> Simulation:
    """The simulation of such a network by compiled loops of `bst`."""
    model, drive = set_up(bst, nn, kind, net, n)
    done = bst.ShortTermState(jnp.int32(0))

    def run(step: Callable) -> Callable:
        def chunk() -> object:
            indices = done.value + jnp.arange(steps)
            done.value = done.value + steps
            return bst.transform.for_loop(step, indices)

        return bst.transform.jit(chunk, **jit_options)

    def counted(i: object) -> object:
        model.update(i, drive)
        return model.neurons.get_spike().sum()

    simulate, count = run(lambda i: model.update(i, drive)), run(counted)
    V = model.neurons.V

    def chunk() -> None:
        simulate()
        jax.block_until_ready(V.value)

    return Simulation(chunk, lambda: float(count().sum()))


def _coba(nn: ModuleType, kind: Callable, net: Network, n: int) -> tuple:
    leak = 10.0 * u.nS
    outs = nn.COBA.desc(E=net.E_e * u.mV), nn.COBA.desc(E=net.E_i * u.mV)
    weights = net.w_e * leak, net.w_i * leak
    return kind(net, n, weights, outs, R=1 / leak), net.drive * u.mV * leak


def _cuba(nn: ModuleType, kind: Callable, net: Network, n: int) -> tuple:
    outs = nn.CUBA.desc(scale=u.volt), nn.CUBA.desc(scale=u.volt)
    weights = net.w_e * u.mS, net.w_i * u.mS
    return kind(net, n, weights, outs, R=1.0 * u.ohm), net.drive * u.mA
