"""Synapses that spikes pass: sparse connections, and layers of them.

>>> import brainstate, jax.numpy as jnp
>>> layer = brainstate.event.FixedProb(100, 50, prob=0.1, weight=0.6, seed=0)
>>> layer(jnp.ones(100, bool)).shape, layer.indices.shape
((50,), (100, 5))
"""

from .backends import Backend, backend
from .connections import CSR, Connection, Dense, FixedFanOut, Regenerated
from .layers import Connected, CSRLinear, FixedNumConn, FixedProb, Linear, OneToOne

EventLinear, EventFixedProb, EventFixedNumConn = Linear, FixedProb, FixedNumConn

__all__ = [
    # layers
    "CSRLinear",
    "Connected",
    "EventFixedNumConn",
    "EventFixedProb",
    "EventLinear",
    "FixedNumConn",
    "FixedProb",
    "Linear",
    "OneToOne",
    # what a layer holds
    "CSR",
    "Connection",
    "Dense",
    "FixedFanOut",
    "Regenerated",
    # what computes the products
    "Backend",
    "backend",
]
