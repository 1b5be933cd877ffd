"""Maps from free numbers to constrained values, and back."""

from .base import Transform
from .combined import ChainT, MaskedT
from .elementwise import AffineT, ClipT, IdentityT, LogT, PowerT
from .half_bounded import ExpT, NegativeT, NegSoftplusT, PositiveT, ReluT, SoftplusT
from .two_sided import ScaledSigmoidT, SigmoidT, SoftsignT, TanhT
from .vectors import OrderedT, SimplexT, UnitVectorT

__all__ = [
    "Transform",
    # any number, or those that a function of numbers takes
    "AffineT",
    "IdentityT",
    "LogT",
    "PowerT",
    # between two bounds
    "ClipT",
    "ScaledSigmoidT",
    "SigmoidT",
    "SoftsignT",
    "TanhT",
    # on one side of a bound
    "ExpT",
    "NegSoftplusT",
    "NegativeT",
    "PositiveT",
    "ReluT",
    "SoftplusT",
    # vectors
    "OrderedT",
    "SimplexT",
    "UnitVectorT",
    # made of others
    "ChainT",
    "MaskedT",
]
