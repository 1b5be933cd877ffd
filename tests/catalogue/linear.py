"""Linear layers."""

import jax.numpy as jnp

from brainstate import nn
from catalogue.entry import Entry

ENTRIES = [
    Entry(
        "Linear",
        lambda: nn.Linear(2, 3),
        lambda: (jnp.array([0.5, -1.0]),),
        wrong=(lambda: (jnp.ones(4),), ValueError, r"`part`.*\(\.\.\., 2\); found \(4,\)"),
    ),
]
