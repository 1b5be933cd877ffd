"""What convolutions and transposed convolutions share, for any number of axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..._engine.names import describe
from ..._state import State
from ...init import param
from ...init.sizes import needed_size
from ...typing import ArrayLike, Size
from ..checks import check_trailing
from ..module import Module
from .dimensions import for_each_axis
from .linear import affine, masked
from .weights import weights


class KernelLayer(Module):
    """A layer that moves a kernel over the `num_spatial_dims` axes before the last one.

    A subclass says how in `_window`, sets what that reads, and then calls `_add_weight`.
    """

    num_spatial_dims: int
    kernel_channels = "IO"  # the order of the channels of input and output in the kernel
    weight: State

    def __init__(
        self,
        in_size: Size,
        out_channels: int,
        kernel_size: Size,
        stride: Size,
        rhs_dilation: Size,
        groups: int,
        name: str | None,
    ):
        super().__init__(name=name)
        count = self.num_spatial_dims
        size = needed_size(in_size, "in_size")
        if len(size) != count + 1:
            raise ValueError(
                f"`in_size` of {type(self).__name__} must have {count + 1} elements, the channels "
                f"last; found {size}. [BST-A04]"
            )
        self.in_size, self.in_channels, self.out_channels = size, size[-1], out_channels
        self.kernel_size = for_each_axis(kernel_size, count, "kernel_size")
        self.stride = for_each_axis(stride, count, "stride")
        self.rhs_dilation = for_each_axis(rhs_dilation, count, "rhs_dilation")
        self.groups = groups
        if groups < 1 or self.in_channels % groups or out_channels % groups:
            raise ValueError(
                f"`groups` must divide the channels of input and output, {self.in_channels} and "
                f"{out_channels}; found {groups}. [BST-A02]"
            )

    def _window(self) -> dict[str, Any]:
        """The arguments of `jax.lax.conv_general_dilated` that place the window."""
        raise NotImplementedError(f"{type(self).__name__} must define _window(). [BST-A14]")

    def _kernel(self, value: dict[str, Any]) -> Any:
        """The kernel, from the value of `weight`."""
        return value["weight"]

    def _add_weight(
        self,
        w_init: Callable | ArrayLike,
        b_init: Callable | ArrayLike | None,
        w_mask: Callable | ArrayLike | None,
        param_type: type[State],
        gain: Callable | None = None,
    ) -> None:
        ones = (1,) * self.num_spatial_dims
        channels = {"I": self.in_channels // self.groups, "O": self.out_channels}
        self.kernel_shape = (*self.kernel_size, *(channels[c] for c in self.kernel_channels))
        self.w_mask = param(w_mask, self.kernel_shape)
        bias_shape = (*ones, self.out_channels)
        value = weights(
            (w_init, self.kernel_shape), bias=(b_init, bias_shape), gain=(gain, (1, *bias_shape))
        )
        self.weight = param_type(value)
        x, w = (jax.ShapeDtypeStruct(s, jnp.float32) for s in (self.in_size, self.kernel_shape))
        self.out_size = jax.eval_shape(self._convolve, x, w).shape

    def update(self, x: ArrayLike) -> Any:
        size: tuple[int, ...] = self.in_size  # type: ignore[assignment]
        check_trailing(self, x, size)
        if jnp.ndim(x) > len(size) + 1:
            raise ValueError(
                f"{describe(self)} takes at most one batch axis before {size}; found inputs of "
                f"shape {jnp.shape(x)}. Use vmap, or reshape. [BST-A04]"
            )
        value = self.weight.value
        w = masked(self._kernel(value), self.w_mask)
        return affine(x, w, value.get("bias"), self._convolve)

    def _convolve(self, x: Any, w: Any) -> Any:
        axes = "DHW"[3 - self.num_spatial_dims :]
        batched = jnp.ndim(x) == self.num_spatial_dims + 2
        dtype = jnp.result_type(x, w)
        x, w = jnp.asarray(x, dtype), jnp.asarray(w, dtype)
        y = jax.lax.conv_general_dilated(
            x if batched else x[None],
            w,
            dimension_numbers=(f"N{axes}C", f"{axes}{self.kernel_channels}", f"N{axes}C"),
            feature_group_count=self.groups,
            **self._window(),
        )
        return y if batched else y[0]
