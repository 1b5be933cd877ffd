"""Whether two descriptions say the same."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from ..._engine.jax_api import is_tracer
from ..._units import split
from ...init import Initializer
from ...init.parameters import is_array
from ...mixin import ParamDescriber


def alike(a: Any, b: Any) -> bool:
    """Whether these are equal by content: descriptions, containers, arrays and initializers.

    >>> import brainstate
    >>> alike(brainstate.nn.LIF.desc(3, R=1.0), brainstate.nn.LIF.desc(3, R=1.0))
    True
    """
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, ParamDescriber):
        return a.cls is b.cls and alike(a.args, b.args) and alike(a.kwargs, b.kwargs)
    if isinstance(a, Initializer):
        return alike(vars(a), vars(b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(alike, a, b))
    if is_array(a):
        return _same_number(a, b)
    return bool(a == b)


def _same_number(a: Any, b: Any) -> bool:
    (a, unit), (b, other) = split(a), split(b)
    if unit != other or any(map(is_tracer, jax.tree.leaves((a, b)))):
        return False
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and np.array_equal(a, b)
