"""Integrate-and-fire neurons."""

import brainunit as u
import jax.numpy as jnp

from brainstate import nn
from catalogue.entry import Entry


def neuron(kind):
    return Entry(
        kind.__name__,
        lambda: kind(3),
        lambda: (jnp.array([5.0, 30.0, 80.0]) * u.mA,),
        lambda: {"dt": 0.1 * u.ms, "t": 1.0 * u.ms},
        wrong=(lambda: (jnp.ones(3) * u.mV,), u.UnitMismatchError, r"R \* I"),
    )


ENTRIES = [neuron(kind) for kind in (nn.IF, nn.LIF, nn.LIFRef, nn.ALIF)]
