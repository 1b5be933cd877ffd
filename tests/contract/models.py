"""Small models that the contract is tried on."""

import jax.numpy as jnp

import brainstate


class Layer(brainstate.graph.Node):
    """A parameter, and plain attributes of every kind."""

    gain_default = 3.0

    def __init__(self, weight=2.0):
        self.weight = brainstate.ParamState(jnp.float32(weight))
        self.gain = 1.0
        self.mode = "whole"
        self.sizes = [1, 2]
        self.options = {"a": 1}

    def __call__(self, x):
        return self.weight.value * x * self.gain
