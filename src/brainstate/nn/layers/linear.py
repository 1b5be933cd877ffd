"""Linear layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..._state import ParamState, State
from ..._units import attach, number_in, split
from ...init import KaimingNormal, ZeroInit, param
from ...init.sizes import needed_size
from ...typing import ArrayLike, Size
from ..checks import check_trailing
from ..module import Module
from .weights import weights


class Linear(Module):
    """``x · (W ∘ mask) + b`` over the last axis.

    Initial values are initializers, arrays or numbers, with units if wanted; ``b_init=None``
    leaves the bias out. The parameters stand together in the State `weight`, of class `param_type`.

    >>> import brainstate, jax.numpy as jnp
    >>> layer = brainstate.nn.Linear(2, 3)
    >>> layer(jnp.ones((5, 2))).shape
    (5, 3)
    >>> layer.weight.value["weight"].shape, layer.weight.value["bias"].shape
    ((2, 3), (3,))
    """

    def __init__(
        self,
        in_size: Size,
        out_size: Size,
        w_init: Callable | ArrayLike = KaimingNormal(),  # noqa: B008  immutable
        b_init: Callable | ArrayLike | None = ZeroInit(),  # noqa: B008
        w_mask: Callable | ArrayLike | None = None,
        name: str | None = None,
        param_type: type[State] = ParamState,
    ):
        super().__init__(name=name)
        self.in_size = needed_size(in_size, "in_size")
        self.out_size = needed_size(out_size, "out_size")
        shape = self.in_size[-1], self.out_size[-1]
        self.w_mask = param(w_mask, shape)
        self.weight = param_type(weights((w_init, shape), bias=(b_init, shape[1:])))

    def update(self, x: ArrayLike) -> Any:
        check_trailing(self, x, self.in_size[-1:])  # type: ignore[index]
        value = self.weight.value
        return affine(x, masked(value["weight"], self.w_mask), value.get("bias"))


def masked(w: Any, mask: Any | None) -> Any:
    """``w ∘ mask``, in the precision of `w`; no mask lets everything through."""
    return w if mask is None else w * jnp.asarray(mask, w.dtype)


def matrix_product(x: Any, w: Any) -> jax.Array:
    """``x · w``, where `x` may have any leading axes.

    They are merged, so that the derivative by `w` is a product of two matrices as they stand in
    memory; not where arrays may be spread over devices, which would have to be gathered for it.
    """
    shape = jnp.shape(x)
    if len(shape) < 3 or jnp.ndim(w) != 2 or jax.device_count() > 1:
        return jnp.matmul(x, w)
    rows = jnp.reshape(x, (math.prod(shape[:-1]), shape[-1]))
    return jnp.matmul(rows, w).reshape(*shape[:-1], w.shape[-1])


def affine(x: Any, w: Any, b: Any = None, product: Callable = matrix_product) -> Any:
    """``x · w + b`` with or without units; `product` is linear in both its arguments.

    >>> import brainunit as u
    >>> affine(jnp.ones(2), jnp.ones((2, 1)) * u.mS, 1.0 * u.mS)
    Quantity([3.], "mS")
    """
    (x, x_unit), (w, w_unit) = split(x), split(w)
    unit = w_unit if x_unit is None else x_unit if w_unit is None else x_unit * w_unit
    y = product(x, w)
    return attach(y if b is None else y + number_in(b, unit, "bias"), unit)
