"""Linear layers whose weights are standardized, of given sign, or one for each unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from ..._state import ParamState, State
from ...functional.weight_standardization import weight_standardization
from ...init import Constant, KaimingNormal, Normal, ZeroInit, param
from ...init.parameters import full_param
from ...init.sizes import needed_size
from ...typing import ArrayLike, Size
from ..checks import check_trailing
from ..module import Module
from .linear import affine, masked
from .weights import weights


class _Dense(Module):
    """A layer with a weight from each element of the input to each of the output."""

    def __init__(self, in_size: Size, out_size: Size, name: str | None):
        super().__init__(name=name)
        self.in_size = needed_size(in_size, "in_size")
        self.out_size = needed_size(out_size, "out_size")
        self._shape = self.in_size + self.out_size

    def _product(self, x: Any, w: Any) -> Any:
        return jnp.tensordot(x, w, axes=len(self.in_size))  # type: ignore[arg-type]


class ScaledWSLinear(_Dense):
    """``x · (W̃ ∘ mask) + b`` with standardized weights ``W̃``; see `weight_standardization`.

    `W` has the shape ``in_size + out_size``; its unit plays no part. With `ws_gain`, each unit
    along the last axis has a trainable factor `gain`. The parameters stand in the State `weight`.

    >>> import brainstate, jax.numpy as jnp
    >>> layer = brainstate.nn.ScaledWSLinear(2, 3)
    >>> layer(jnp.ones((5, 2))).shape, sorted(layer.weight.value)
    ((5, 3), ['bias', 'gain', 'weight'])
    """

    def __init__(
        self,
        in_size: Size,
        out_size: Size,
        w_init: Callable | ArrayLike = KaimingNormal(),  # noqa: B008  immutable
        b_init: Callable | ArrayLike | None = ZeroInit(),  # noqa: B008
        w_mask: Callable | ArrayLike | None = None,
        ws_gain: bool = True,
        eps: float = 1e-4,
        name: str | None = None,
        param_type: type[State] = ParamState,
    ):
        super().__init__(in_size, out_size, name)
        shape = self._shape
        self.w_mask, self.eps = param(w_mask, shape), eps
        gain = Constant(1.0) if ws_gain else None
        self.weight = param_type(
            weights(
                (w_init, shape),
                bias=(b_init, shape[len(self.in_size) :]),  # type: ignore[arg-type]
                gain=(gain, (1,) * (len(shape) - 1) + shape[-1:]),
            )
        )

    def update(self, x: ArrayLike) -> Any:
        check_trailing(self, x, self.in_size)  # type: ignore[arg-type]
        value = self.weight.value
        w = weight_standardization(value["weight"], self.eps, value.get("gain"))
        return affine(x, masked(w, self.w_mask), value.get("bias"), self._product)


class SignedWLinear(_Dense):
    """``x · (|W| ∘ w_sign)``: weights that keep their sign, as those of one kind of neuron do.

    `W` is the State `weight`, of shape ``in_size + out_size``, with or without a unit; `w_sign`
    is 1 if left out.

    >>> import brainstate, jax.numpy as jnp
    >>> inhibitory = brainstate.nn.SignedWLinear(2, 3, w_init=0.5, w_sign=-1.0)
    >>> inhibitory(jnp.ones(2)).tolist()
    [-1.0, -1.0, -1.0]
    """

    def __init__(
        self,
        in_size: Size,
        out_size: Size,
        w_init: Callable | ArrayLike = KaimingNormal(),  # noqa: B008  immutable
        w_sign: ArrayLike | None = None,
        name: str | None = None,
        param_type: type[State] = ParamState,
    ):
        super().__init__(in_size, out_size, name)
        self.w_sign = param(w_sign, self._shape)
        self.weight = param_type(full_param(w_init, self._shape))

    def update(self, x: ArrayLike) -> Any:
        check_trailing(self, x, self.in_size)  # type: ignore[arg-type]
        return affine(x, masked(abs(self.weight.value), self.w_sign), product=self._product)


class OneToOne(Module):
    """``x ∘ w + b``: each element has a weight of its own, and a bias unless ``b_init=None``.

    >>> import brainstate, jax.numpy as jnp
    >>> brainstate.nn.OneToOne(3, w_init=2.0)(jnp.arange(3.0)).tolist()
    [0.0, 2.0, 4.0]
    """

    def __init__(
        self,
        in_size: Size,
        w_init: Callable | ArrayLike = Normal(),  # noqa: B008  immutable
        b_init: Callable | ArrayLike | None = None,
        name: str | None = None,
        param_type: type[State] = ParamState,
    ):
        super().__init__(name=name)
        shape = needed_size(in_size, "in_size")
        self.in_size = self.out_size = shape
        self.weight = param_type(weights((w_init, shape), bias=(b_init, shape)))

    def update(self, x: ArrayLike) -> Any:
        check_trailing(self, x, self.in_size)  # type: ignore[arg-type]
        value = self.weight.value
        return affine(x, value["weight"], value.get("bias"), jnp.multiply)
