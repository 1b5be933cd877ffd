"""Integrate-and-fire neurons."""

import brainunit as u
import jax.numpy as jnp

from brainstate import init, nn
from catalogue.entry import Entry


def neuron(name, make, culprit=r"R \* I"):
    return Entry(
        name,
        make,
        lambda: (jnp.array([5.0, 30.0, 80.0]) * u.mA,),
        lambda: {"dt": 0.1 * u.ms, "t": 1.0 * u.ms},
        wrong=(lambda: (jnp.ones(3) * u.mV,), u.UnitMismatchError, culprit),
    )


def recurrent():
    weights = init.Normal(5.0, unit=u.mA)
    return nn.Recurrent(nn.LIF(3), nn.Linear(3, 3, weights, b_init=None))


ENTRIES = [
    *(
        neuron(kind.__name__, lambda kind=kind: kind(3))
        for kind in (nn.IF, nn.LIF, nn.LIFRef, nn.ALIF)
    ),
    neuron("Recurrent", recurrent, "the feedback"),
]
