"""Convolutions over one, two or three axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._state import ParamState, State
from ...functional.weight_standardization import weight_standardization
from ...init import Constant, XavierNormal
from ...typing import ArrayLike, Size
from .dimensions import for_each_axis
from .kernel_layer import KernelLayer
from .pad_widths import Padding, named_or_pairs


class _Conv(KernelLayer):
    _gain: Callable | None = None

    def __init__(
        self,
        in_size: Size,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Padding = "SAME",
        lhs_dilation: Size = 1,
        rhs_dilation: Size = 1,
        groups: int = 1,
        w_init: Callable | ArrayLike = XavierNormal(),  # noqa: B008  immutable
        b_init: Callable | ArrayLike | None = None,
        w_mask: Callable | ArrayLike | None = None,
        name: str | None = None,
        param_type: type[State] = ParamState,
    ):
        super().__init__(in_size, out_channels, kernel_size, stride, rhs_dilation, groups, name)
        self.padding = named_or_pairs(padding, self.num_spatial_dims)
        self.lhs_dilation = for_each_axis(lhs_dilation, self.num_spatial_dims, "lhs_dilation")
        if isinstance(self.padding, str) and max(self.lhs_dilation) > 1:
            raise ValueError(
                f"`lhs_dilation`={lhs_dilation} needs `padding` in numbers; found {padding!r}. "
                f"{type(self).__name__.replace('Conv', 'ConvTranspose')} may be what you want. "
                "[BST-A07]"
            )
        self._add_weight(w_init, b_init, w_mask, param_type, self._gain)

    def _window(self) -> dict[str, Any]:
        return {
            "window_strides": self.stride,
            "padding": self.padding,
            "lhs_dilation": self.lhs_dilation,
            "rhs_dilation": self.rhs_dilation,
        }


class _ScaledWSConv(_Conv):
    def __init__(
        self,
        in_size: Size,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Padding = "SAME",
        lhs_dilation: Size = 1,
        rhs_dilation: Size = 1,
        groups: int = 1,
        ws_gain: bool = True,
        eps: float = 1e-4,
        w_init: Callable | ArrayLike = XavierNormal(),  # noqa: B008  immutable
        b_init: Callable | ArrayLike | None = None,
        w_mask: Callable | ArrayLike | None = None,
        name: str | None = None,
        param_type: type[State] = ParamState,
    ):
        self.eps, self._gain = eps, Constant(1.0) if ws_gain else None
        super().__init__(
            in_size, out_channels, kernel_size, stride, padding, lhs_dilation, rhs_dilation,
            groups, w_init, b_init, w_mask, name, param_type,
        )  # fmt: skip

    def _kernel(self, value: dict[str, Any]) -> Any:
        return weight_standardization(value["weight"], self.eps, value.get("gain"))


class Conv1d(_Conv):
    """Convolution (cross-correlation) over one axis, with the channels last.

    The input has the shape `in_size`, ``(length, channels)``, or one batch axis more. The State
    `weight` holds the kernel as `weight`, ``(k, in_channels / groups, out_channels)``, and `bias`
    if `b_init` is given; units are allowed, and `w_mask` multiplies the kernel. `padding` is
    ``"SAME"``, ``"VALID"``, a number, a pair for every axis, or a pair for each axis;
    `lhs_dilation` spreads the input and `rhs_dilation` the kernel. See
    `jax.lax.conv_general_dilated`.

    >>> import brainstate, jax.numpy as jnp
    >>> layer = brainstate.nn.Conv1d((5, 1), 2, kernel_size=3, padding="VALID", w_init=1.0)
    >>> layer(jnp.arange(5.0)[:, None]).tolist()
    [[3.0, 3.0], [6.0, 6.0], [9.0, 9.0]]
    """

    num_spatial_dims = 1


class Conv2d(_Conv):
    """Convolution over two axes, of inputs ``(height, width, channels)``; see `Conv1d`.

    >>> import brainstate
    >>> brainstate.nn.Conv2d((8, 8, 3), 4, kernel_size=3, stride=2, padding="VALID").out_size
    (3, 3, 4)
    """

    num_spatial_dims = 2


class Conv3d(_Conv):
    """Convolution over three axes, of inputs ``(depth, height, width, channels)``; see `Conv1d`."""

    num_spatial_dims = 3


class ScaledWSConv1d(_ScaledWSConv):
    """`Conv1d` with a kernel standardized for each output channel; see `weight_standardization`.

    With `ws_gain`, `weight` also holds a trainable factor `gain` for each output channel.

    >>> import brainstate
    >>> sorted(brainstate.nn.ScaledWSConv1d((5, 1), 2, kernel_size=3).weight.value)
    ['gain', 'weight']
    """

    num_spatial_dims = 1


class ScaledWSConv2d(_ScaledWSConv):
    """`Conv2d` with a kernel standardized for each output channel; see `ScaledWSConv1d`."""

    num_spatial_dims = 2


class ScaledWSConv3d(_ScaledWSConv):
    """`Conv3d` with a kernel standardized for each output channel; see `ScaledWSConv1d`."""

    num_spatial_dims = 3
