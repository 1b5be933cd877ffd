"""Attention, of whole sequences and piece by piece."""

import jax.numpy as jnp

from brainstate import nn
from catalogue.entry import Entry


class Decoder(nn.Module):
    """Takes a sequence of any length two positions at a time."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiHeadAttention(
            4, 3, num_heads=2, causal=True, rotary=True, cache_size=3
        )

    def update(self, x):
        return self.attention.decode(x)


def sequence(length):
    return (jnp.cos(jnp.arange(length * 4.0).reshape(length, 4)),)


ENTRIES = [
    Entry(
        "MultiHeadAttention",
        lambda: nn.MultiHeadAttention(4, 3, num_heads=2, num_kv_heads=1, key_size=4),
        lambda: sequence(3),
        wrong=(lambda: (jnp.ones((3, 5)),), ValueError, r"`part`.*a query.*4\); found \(3, 5\)"),
    ),
    Entry(
        "MultiHeadAttention.decode",
        Decoder,
        lambda: sequence(2),
        wrong=(lambda: (jnp.ones(4),), ValueError, r"`part.attention`.*length, 4\).*x\[None\]"),
    ),
]
