"""Functions without States: activations, and what else models are written with."""

from .activations import log_softmax, relu, sigmoid, softmax, softplus, tanh
from .clipping import clip_grad_norm

__all__ = [
    # activations
    "log_softmax",
    "relu",
    "sigmoid",
    "softmax",
    "softplus",
    "tanh",
    # gradients
    "clip_grad_norm",
]
