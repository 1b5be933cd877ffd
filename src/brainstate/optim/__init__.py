"""Optimizers that read gradients and write weights, and schedules of their learning rates."""

from .adam import Adam, Adamax, AdamW, Adan, Lion, Nadam, RAdam
from .adaptive import Adadelta, Adagrad, RMSProp
from .averaging import ExponentialMovingAverage
from .base import Optimizer, SGDOptimizer, to_same_dict_tree
from .call_schedules import (
    CosineAnnealingWarmRestarts,
    ExponentialDecayLR,
    InverseTimeDecayLR,
    PiecewiseConstantLR,
    PolynomialDecayLR,
)
from .epoch_schedules import CosineAnnealingLR, ExponentialLR, MultiStepLR, StepLR
from .gradients import GradientPreparation
from .groups import LearningRateGroups
from .optim_state import OptimState
from .schedulers import (
    CallBasedLRScheduler,
    ConstantLR,
    FunctionLR,
    LearningRateScheduler,
    WarmupLR,
)
from .sgd import LARS, SGD, Momentum, MomentumNesterov
from .with_optax import OptaxOptimizer

__all__ = [
    # optimizers
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Adan",
    "LARS",
    "Lion",
    "Momentum",
    "MomentumNesterov",
    "Nadam",
    "OptaxOptimizer",
    "RAdam",
    "RMSProp",
    "SGD",
    # learning rates
    "CallBasedLRScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialDecayLR",
    "ExponentialLR",
    "FunctionLR",
    "InverseTimeDecayLR",
    "LearningRateGroups",
    "LearningRateScheduler",
    "MultiStepLR",
    "PiecewiseConstantLR",
    "PolynomialDecayLR",
    "StepLR",
    "WarmupLR",
    # averages of weights
    "ExponentialMovingAverage",
    # for optimizers of one's own
    "GradientPreparation",
    "OptimState",
    "Optimizer",
    "SGDOptimizer",
    "to_same_dict_tree",
]
