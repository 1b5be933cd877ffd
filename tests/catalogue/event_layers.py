"""Layers that spikes pass."""

import jax.numpy as jnp
import numpy as np

from brainstate import event
from catalogue.entry import Entry


def layer(name, make):
    return Entry(
        name,
        make,
        lambda: (jnp.array([1.0, 0.0, 0.5]),),
        wrong=(lambda: (jnp.ones(4),), ValueError, r"`part`.*\(\.\.\., 3\); found \(4,\)"),
    )


def weights(*shape):
    return np.linspace(-1.0, 1.0, np.prod(shape)).reshape(shape)


ENTRIES = [
    layer("event.Linear", lambda: event.Linear(3, 2, weights(3, 2))),
    layer("event.FixedProb", lambda: event.FixedProb(3, 4, 0.5, weights(3, 2))),
    layer("event.FixedNumConn", lambda: event.FixedNumConn(3, 4, 2, 0.5, allow_multi_conn=False)),
    layer("regenerate", lambda: event.FixedNumConn(3, 4, 2, 0.5, seed=0, regenerate=True)),
    layer("event.OneToOne", lambda: event.OneToOne(3, weights(3))),
    layer(
        "event.CSRLinear",
        lambda: event.CSRLinear(3, 4, np.array([0, 2, 2, 3]), np.array([0, 3, 1]), weights(3)),
    ),
]
