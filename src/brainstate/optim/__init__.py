"""Optimizers that read gradients and write weights, and schedules of their learning rates."""

from .adam import Adam
from .base import Optimizer, SGDOptimizer, to_same_dict_tree
from .optim_state import OptimState
from .schedulers import ConstantLR, LearningRateScheduler
from .sgd import SGD
from .with_optax import OptaxOptimizer

__all__ = [
    # optimizers
    "Adam",
    "OptaxOptimizer",
    "SGD",
    # learning rates
    "ConstantLR",
    "LearningRateScheduler",
    # for optimizers of one's own
    "OptimState",
    "Optimizer",
    "SGDOptimizer",
    "to_same_dict_tree",
]
