"""Modules around other modules."""

import jax.numpy as jnp

from brainstate import nn
from catalogue.entry import Entry

WRONG = (lambda: (jnp.ones((2, 4)),), ValueError, r"`part\.module`.*found \(4,\)")

ENTRIES = [
    Entry(
        "Map",
        lambda: nn.Map(nn.Linear(2, 3), 2),
        lambda: (jnp.array([[0.5, -1.0], [2.0, 0.25]]),),
        wrong=WRONG,
        batched=False,  # its leading axis is that of its own lanes
    ),
    Entry(
        "Vmap",
        lambda: nn.Vmap(nn.Linear(2, 3)),
        lambda: (jnp.array([[0.5, -1.0], [2.0, 0.25]]),),
        wrong=WRONG,
    ),
    Entry(
        "EnvironContext",
        lambda: nn.EnvironContext(nn.Linear(2, 3), fit=True),
        lambda: (jnp.array([0.5, -1.0]),),
        wrong=(lambda: (jnp.ones(4),), ValueError, r"`part\.layer`.*found \(4,\)"),
    ),
]
