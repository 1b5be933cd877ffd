"""`AllToAll`: connections between all pairs of two groups of neurons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from ..._state import ParamState, State
from ..._units import split
from ...init import KaimingNormal, param
from ...init.parameters import full_param
from ...init.sizes import needed_size
from ...typing import ArrayLike, Size
from ..checks import check_trailing
from ..module import Module
from .linear import affine


class AllToAll(Module):
    """``x · W`` over the last axis, without the diagonal of `W` unless `include_self`.

    The State `weight` is the matrix, or one number `w` that all connections share: then the output
    is ``w Σᵢ xᵢ`` for every unit ``j``, or ``w Σᵢ≠ⱼ xᵢ``, at the cost of a sum.

    >>> import brainstate, jax.numpy as jnp
    >>> x = jnp.array([1.0, 2.0, 3.0])
    >>> brainstate.nn.AllToAll(3, 4, w_init=0.5, include_self=False)(x).tolist()
    [2.5, 2.0, 1.5, 3.0]
    """

    def __init__(
        self,
        in_size: Size,
        out_size: Size,
        w_init: Callable | ArrayLike = KaimingNormal(),  # noqa: B008  immutable
        include_self: bool = True,
        name: str | None = None,
        param_type: type[State] = ParamState,
    ):
        super().__init__(name=name)
        self.in_size = needed_size(in_size, "in_size")
        self.out_size = needed_size(out_size, "out_size")
        if self.in_size[:-1] != self.out_size[:-1]:
            raise ValueError(
                "All axes but the last of `in_size` and `out_size` must be equal; found "
                f"{self.in_size} and {self.out_size}. [BST-A04]"
            )
        self.include_self = include_self
        shape = self.in_size[-1], self.out_size[-1]
        value = param(w_init, shape, allow_none=False)
        scalar = jnp.ndim(split(value)[0]) == 0
        self.weight = param_type(full_param(value, () if scalar else shape))

    def update(self, pre_val: ArrayLike) -> Any:
        check_trailing(self, pre_val, self.in_size[-1:])  # type: ignore[index]
        return affine(pre_val, self.weight.value, product=self._product)

    def _product(self, x: Any, w: Any) -> Any:
        count, out_count = self.in_size[-1], self.out_size[-1]  # type: ignore[index]
        if jnp.ndim(w):
            own = jnp.eye(count, out_count, dtype=bool)
            return jnp.matmul(x, w if self.include_self else jnp.where(own, 0, w))
        total = jnp.sum(x, -1, keepdims=True)
        if self.include_self:
            return jnp.broadcast_to(w * total, (*jnp.shape(x)[:-1], out_count))
        no_pad = [(0, 0)] * (jnp.ndim(x) - 1)
        own = jnp.pad(jnp.asarray(x), [*no_pad, (0, max(0, out_count - count))])
        return w * (total - own[..., :out_count])
