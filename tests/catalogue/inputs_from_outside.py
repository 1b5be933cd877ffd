"""Spike trains and currents that come from outside the model."""

import brainunit as u
import jax.numpy as jnp

from brainstate import nn
from catalogue.entry import Entry


def source(name, make, inputs=tuple, **promises):
    # Nothing goes in that could be differentiated.
    promises = {"differentiable": False, **promises}
    return Entry(name, make, inputs, lambda: {"dt": 0.5 * u.ms, "t": 1.0 * u.ms}, **promises)


TIMES = jnp.array([0.0, 0.6, 3.0]) * u.ms
VALUES = jnp.array([1.0, 2.0, 3.0]) * u.mA

ENTRIES = [
    source("SpikeTime", lambda: nn.SpikeTime(3, [0, 2, 1], TIMES)),
    source("PoissonSpike", lambda: nn.PoissonSpike(3, 400.0 * u.Hz), random=True),
    source(
        "PoissonEncoder",
        lambda: nn.PoissonEncoder(3),
        lambda: (jnp.array([0.0, 0.5, 2.0]) / u.ms,),
        random=True,
        wrong=(lambda: (jnp.ones(4) / u.ms,), ValueError, r"`part`.*\(\.\.\., 3\); found \(4,\)"),
    ),
    source("OrnsteinUhlenbeck", lambda: nn.OrnsteinUhlenbeck(3), random=True),
    source("StepInput", lambda: nn.StepInput(3, VALUES, TIMES)),
    source("SectionInput", lambda: nn.SectionInput(3, VALUES, TIMES)),
    source("RampInput", lambda: nn.RampInput(3, VALUES, 0 * u.mA, 0.5 * u.ms, 2.5 * u.ms)),
]
