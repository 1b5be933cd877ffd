"""Small behaviours that classes of several rooms share."""

from .conductance import BindCondData
from .describing import ParamDesc, ParamDescriber
from .markers import AlignPost, Mixin, UpdateReturn
from .modes import Batching, JointMode, Mode, Training
from .type_tests import JointTypes, OneOfTypes

__all__ = [
    # descriptions
    "ParamDesc",
    "ParamDescriber",
    # what a class takes part in
    "AlignPost",
    "BindCondData",
    "Mixin",
    "UpdateReturn",
    # what a model is run for
    "Batching",
    "JointMode",
    "Mode",
    "Training",
    # tests of types
    "JointTypes",
    "OneOfTypes",
]
