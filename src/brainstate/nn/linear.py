"""Linear layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from .._state import ParamState
from .._units import attach, number_in, split
from ..init import KaimingNormal, ZeroInit, param
from ..init.parameters import full_param
from ..init.sizes import needed_size
from ..typing import ArrayLike, Size
from .checks import check_trailing
from .module import Module


class Linear(Module):
    """``x · (W ∘ mask) + b`` over the last axis.

    Initial values are initializers, arrays or numbers, with units if wanted; ``b_init=None``
    leaves the bias out. The parameters stand together in the State `weight`.

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
    ):
        super().__init__(name=name)
        self.in_size = needed_size(in_size, "in_size")
        self.out_size = needed_size(out_size, "out_size")
        shape = self.in_size[-1], self.out_size[-1]
        self.w_mask = param(w_mask, shape)
        value = {"weight": full_param(w_init, shape)}
        if b_init is not None:
            value["bias"] = full_param(b_init, shape[1:])
        self.weight = ParamState(value)

    def update(self, x: ArrayLike) -> Any:
        check_trailing(self, x, self.in_size[-1:])  # type: ignore[index]
        value = self.weight.value
        w = value["weight"]
        return affine(x, w if self.w_mask is None else w * self.w_mask, value.get("bias"))


def affine(x: Any, w: Any, b: Any = None) -> Any:
    """``x · w + b`` over the last axis of `x`, with or without units.

    >>> import brainunit as u
    >>> affine(jnp.ones(2), jnp.ones((2, 1)) * u.mS, 1.0 * u.mS)
    Quantity([3.], "mS")
    """
    (x, x_unit), (w, w_unit) = split(x), split(w)
    unit = w_unit if x_unit is None else x_unit if w_unit is None else x_unit * w_unit
    y = jnp.matmul(x, w)
    return attach(y if b is None else y + number_in(b, unit, "bias"), unit)
