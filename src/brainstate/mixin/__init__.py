"""Small behaviours that classes of several rooms share."""

from .describing import ParamDesc, ParamDescriber
from .markers import AlignPost, BindCondData, Mixin, UpdateReturn

__all__ = [
    "AlignPost",
    "BindCondData",
    "Mixin",
    "ParamDesc",
    "ParamDescriber",
    "UpdateReturn",
]
