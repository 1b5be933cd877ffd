"""Readouts."""

import brainunit as u
import jax.numpy as jnp

from brainstate import init, nn
from catalogue.entry import Entry

ENTRIES = [
    Entry(
        "LeakyRateReadout",
        lambda: nn.LeakyRateReadout(3, 2, w_init=init.KaimingNormal(unit=u.mV)),
        lambda: (jnp.array([1.0, 0.0, 2.0]),),
        lambda: {"dt": 0.1 * u.ms},
        wrong=(lambda: (jnp.ones(2),), ValueError, r"`part`.*\(\.\.\., 3\); found \(2,\)"),
    ),
    Entry(
        "LeakySpikeReadout",
        lambda: nn.LeakySpikeReadout(3, w_init=init.Normal(20.0, 30.0, unit=u.mV)),
        lambda: (jnp.array([1.0, 0.0, 1.0]),),
        lambda: {"dt": 0.1 * u.ms},
        wrong=(lambda: (jnp.ones(2),), ValueError, r"`part`.*\(\.\.\., 3\); found \(2,\)"),
    ),
]
