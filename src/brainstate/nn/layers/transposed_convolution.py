"""Transposed convolutions over one, two or three axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from ..._state import ParamState, State
from ...init import XavierNormal
from ...typing import ArrayLike, Size
from .kernel_layer import KernelLayer
from .pad_widths import Padding, Pairs, named_or_pairs


class _ConvTranspose(KernelLayer):
    kernel_channels = "OI"

    def __init__(
        self,
        in_size: Size,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Padding = "SAME",
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
        self._add_weight(w_init, b_init, w_mask, param_type)

    def _window(self) -> dict[str, Any]:
        return {
            "window_strides": (1,) * self.num_spatial_dims,
            "padding": self._outer_padding(),
            "lhs_dilation": self.stride,
            "rhs_dilation": self.rhs_dilation,
        }

    def _outer_padding(self) -> Pairs:
        """What stands around the spread input, from the padding of the convolution transposed."""
        pairs = []
        for axis, stride in enumerate(self.stride):
            reach = (self.kernel_size[axis] - 1) * self.rhs_dilation[axis]
            low, high = _inner_padding(self.padding, axis, overlap=reach + 1 - stride)
            pairs.append((reach - low, reach - high))
        return tuple(pairs)

    def _convolve(self, x: Any, w: Any) -> Any:
        return super()._convolve(x, jnp.flip(w, range(self.num_spatial_dims)))


def _inner_padding(padding: str | Pairs, axis: int, overlap: int) -> tuple[int, int]:
    """What the convolution pads; a negative number lengthens the output to `stride` per input."""
    if padding == "SAME":
        low = max(overlap, 0) // 2
        return low, overlap - low
    if isinstance(padding, str):
        return 0, min(overlap, 0)
    return padding[axis]


class ConvTranspose1d(_ConvTranspose):
    """The transpose of a convolution over one axis, with the channels last.

    It takes ``(length, channels)``, or one batch axis more, to an output `stride` times as long:
    it is the derivative of the `Conv1d` of the same kernel, stride, padding and dilation. The
    length is ``n · stride`` for ``padding="SAME"``, ``n · stride + max(k - stride, 0)`` for
    ``"VALID"`` and ``(n - 1) · stride + k - low - high`` for numbers, with `k` the length of the
    dilated kernel. The State `weight` holds the kernel as `weight`,
    ``(k, out_channels, in_channels / groups)``, and `bias` if `b_init` is given; units are allowed.

    >>> import brainstate, jax.numpy as jnp
    >>> kernel = jnp.array([1.0, 2.0, 3.0])[:, None, None]
    >>> layer = brainstate.nn.ConvTranspose1d((2, 1), 1, 3, stride=2, padding=0, w_init=kernel)
    >>> layer(jnp.array([[1.0], [10.0]]))[:, 0].tolist()
    [1.0, 2.0, 13.0, 20.0, 30.0]
    """

    num_spatial_dims = 1


class ConvTranspose2d(_ConvTranspose):
    """The transpose of a convolution over two axes, as `ConvTranspose1d` is over one.

    >>> import brainstate
    >>> brainstate.nn.ConvTranspose2d((4, 4, 8), 3, kernel_size=3, stride=2).out_size
    (8, 8, 3)
    """

    num_spatial_dims = 2


class ConvTranspose3d(_ConvTranspose):
    """The transpose of a convolution over three axes, as `ConvTranspose1d` is over one."""

    num_spatial_dims = 3
