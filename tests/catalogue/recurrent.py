"""Recurrent cells."""

import jax.numpy as jnp

from brainstate import nn
from catalogue.entry import Entry


def cell(kind):
    return Entry(
        kind.__name__,
        lambda: kind(2, 3),
        lambda: (jnp.array([0.5, -1.0]),),
        wrong=(lambda: (jnp.ones(4),), ValueError, r"`part`.*\(\.\.\., 2\); found \(4,\)"),
    )


ENTRIES = [
    cell(kind) for kind in (nn.ValinaRNNCell, nn.GRUCell, nn.MGUCell, nn.LSTMCell, nn.URLSTMCell)
]
