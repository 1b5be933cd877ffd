"""Spikes that can be differentiated: a step forward, a smooth substitute for its derivative."""

from .base import Surrogate
from .bumps import InvSquareGrad, ReluGrad, inv_square_grad, relu_grad
from .sigmoids import Arctan, Sigmoid, arctan, sigmoid

__all__ = [
    "Surrogate",
    # derivatives of smooth steps
    "Arctan",
    "Sigmoid",
    "arctan",
    "sigmoid",
    # derivatives given as such
    "InvSquareGrad",
    "ReluGrad",
    "inv_square_grad",
    "relu_grad",
]
