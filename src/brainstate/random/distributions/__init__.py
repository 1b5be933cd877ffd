"""The laws as methods, by family; `RandomState` inherits them all.

Where a law takes nothing else, the arguments are: `size`, the shape of the sample (None: what the
parameters broadcast to); `key`, a seed or key to draw from in place of the generator, which then
stays as it is; and `dtype` (None: the default floating-point or integer type of `environ`).
"""

from .continuous import Continuous
from .discrete import Discrete
from .location_scale import LocationScale
from .populations import Populations
from .positive import Positive
from .uniform import Uniform
from .vectors import Vectors

__all__ = [
    "Continuous",
    "Discrete",
    "LocationScale",
    "Populations",
    "Positive",
    "Uniform",
    "Vectors",
]
