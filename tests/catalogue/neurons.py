"""Neurons beyond leaky integrate-and-fire."""

import brainunit as u
import jax.numpy as jnp

from brainstate import nn, surrogate
from catalogue.entry import Entry


def neuron(make, currents, unit):
    return Entry(
        make.__name__,
        lambda: make(3, spk_fun=surrogate.Sigmoid()),  # a slope at any distance from the threshold
        lambda: (jnp.array(currents) * unit,),
        lambda: {"dt": 0.05 * u.ms},
        wrong=(lambda: (jnp.ones(3) * u.mV,), u.UnitMismatchError, "R .* I|the current|w"),
    )


ENTRIES = [
    neuron(nn.AdEx, [500.0, 2000.0, 9000.0], u.pA),
    neuron(nn.Izhikevich, [5.0, 200.0, 900.0], u.mA),
    neuron(nn.GIF, [1.0, 5.0, 30.0], u.mA),
    neuron(nn.HH, [1.0, 50.0, 900.0], u.uA),
]
