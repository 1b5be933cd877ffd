"""First values of parameters and states."""

from .base import Initializer
from .constants import Constant, Identity, ZeroInit
from .distributions import Exponential, Gamma, Normal, TruncatedNormal, Uniform
from .noises import noise
from .orthogonal import DeltaOrthogonal, Orthogonal
from .parameters import param, state
from .sizes import to_size
from .variance_scaling import (
    KaimingNormal,
    KaimingUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    XavierNormal,
    XavierUniform,
    calculate_gain,
)

__all__ = [
    "Initializer",
    # the same every time
    "Constant",
    "Identity",
    "ZeroInit",
    # independent random numbers
    "Exponential",
    "Gamma",
    "Normal",
    "TruncatedNormal",
    "Uniform",
    # random numbers fitted to the shape
    "DeltaOrthogonal",
    "KaimingNormal",
    "KaimingUniform",
    "LecunNormal",
    "LecunUniform",
    "Orthogonal",
    "VarianceScaling",
    "XavierNormal",
    "XavierUniform",
    "calculate_gain",
    # from what users give to values
    "noise",
    "param",
    "state",
    "to_size",
]
