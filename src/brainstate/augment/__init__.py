"""Differentiation, batching and parallel execution of functions that read and write States."""

from .abstract import eval_shape
from .differentiation import (
    GradientTransform,
    grad,
    hessian,
    jacfwd,
    jacobian,
    jacrev,
    vector_grad,
)
from .pmap import pmap
from .products import jvp, vjp
from .randomness import restore_rngs
from .state_axes import StateAxes
from .vmap import map, vmap, vmap_new_states

__all__ = [
    "GradientTransform",
    "StateAxes",
    "eval_shape",
    "grad",
    "hessian",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "map",
    "pmap",
    "restore_rngs",
    "vector_grad",
    "vjp",
    "vmap",
    "vmap_new_states",
]
