"""Windows that move over the spatial axes of an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ... import environ
from ..._engine.names import describe
from ...typing import Size
from .dimensions import for_each_axis, from_end
from .pad_widths import Pairs, named_or_pairs
from .shaping import Reshaping

Padding: TypeAlias = str | int | Sequence[int] | Sequence[tuple[int, int]]


class SpatialLayer(Reshaping):
    """Base of layers that work along their last axes, each channel by itself.

    These are the last `num_spatial_dims` axes beside `channel_axis`, which may be None.
    """

    num_spatial_dims: int
    channel_axis: int | None

    def _spatial_axes(self, x: Any) -> tuple[int, ...]:
        axes = list(range(-self._rank(x), 0))
        if self.channel_axis is not None and axes:
            axes.remove(from_end(self.channel_axis, len(axes), "channel_axis"))
        if len(axes) < self.num_spatial_dims:
            channels = "" if self.channel_axis is None else " and one of channels"
            raise ValueError(
                f"{describe(self)} takes arrays with {self.num_spatial_dims} spatial axes"
                f"{channels}; found the shape {x.shape}. [BST-A04]"
            )
        return tuple(axes[-self.num_spatial_dims :])


class WindowLayer(SpatialLayer):
    """Base of layers with a window of `kernel_size` that moves by `stride`, by default its size.

    `padding` is "VALID" (none), "SAME", an integer, one for each spatial axis, or pairs (before,
    after): one, or one for each.
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Padding = "VALID",
        channel_axis: int | None = -1,
        name: str | None = None,
        in_size: Size | None = None,
    ):
        super().__init__(name=name)
        count = self.num_spatial_dims
        self.kernel_size = for_each_axis(kernel_size, count, "kernel_size")
        given = self.kernel_size if stride is None else stride
        self.stride = for_each_axis(given, count, "stride")
        self.padding = _paddings(padding, self.kernel_size)
        self.channel_axis = channel_axis
        self._set_in_size(in_size)

    def _windows(self, x: Any) -> dict[str, Any]:
        """The windows over `x`, as `lax.reduce_window` takes them."""
        kernel, stride, pairs = [1] * x.ndim, [1] * x.ndim, [(0, 0)] * x.ndim
        for i, axis in enumerate(self._spatial_axes(x)):
            kernel[axis], stride[axis] = self.kernel_size[i], self.stride[i]
            if not isinstance(self.padding, str):
                pairs[axis] = self.padding[i]
            if self.padding != "SAME" and x.shape[axis] + sum(pairs[axis]) < kernel[axis]:
                raise ValueError(
                    f"{describe(self)} has a kernel_size of {self.kernel_size}, for which an array "
                    f"of shape {x.shape} is too small along axis {axis}. [BST-A04]"
                )
        return {
            "window_dimensions": kernel,
            "window_strides": stride,
            "padding": "SAME" if self.padding == "SAME" else pairs,
        }


def largest(x: jax.Array, windows: dict[str, Any]) -> jax.Array:
    """The largest number in each window."""
    return lax.reduce_window(x, _lowest(x.dtype), lax.max, **windows)


def total(x: jax.Array, windows: dict[str, Any]) -> jax.Array:
    """The sum of each window."""
    return lax.reduce_window(x, np.zeros((), x.dtype), lax.add, **windows)


def index_of_largest(x: jax.Array, positions: jax.Array, windows: dict[str, Any]) -> jax.Array:
    """The position of the largest number in each window; of equal ones, the first."""

    def larger(a: tuple, b: tuple) -> tuple:
        (x, i), (y, j) = a, b
        first = (x > y) | ((x == y) & (i < j))
        return jnp.where(first, x, y), jnp.where(first, i, j)

    nowhere = np.array(np.iinfo(positions.dtype).max, positions.dtype)
    operands = lax.stop_gradient(x), positions
    return lax.reduce_window(operands, (_lowest(x.dtype), nowhere), larger, **windows)[1]


def floating(x: jax.Array) -> jax.Array:
    """`x` with numbers that can be divided."""
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(environ.dftype())


def _lowest(dtype: Any) -> np.ndarray:
    # A NumPy value: only that lets JAX see, inside a trace, which reduction is meant.
    if jnp.issubdtype(dtype, jnp.bool_):
        return np.array(False)
    integer = jnp.issubdtype(dtype, jnp.integer)
    return np.array(jnp.iinfo(dtype).min if integer else -np.inf, dtype)


def _paddings(padding: Padding, kernel_size: tuple[int, ...]) -> str | Pairs:
    """As `named_or_pairs`; but one number for each axis is added on both sides of it."""
    count = len(kernel_size)
    if not isinstance(padding, (str, int)) and all(isinstance(p, int) for p in padding):
        numbers: list[Any] = list(padding)
        padding = [(p, p) for p in numbers] if len(numbers) == count else padding
    found = named_or_pairs(padding, count)
    if not isinstance(found, str):
        for pair, width in zip(found, kernel_size, strict=True):
            if min(pair) < 0 or max(pair) >= width:
                raise ValueError(
                    f"`padding` must be smaller than kernel_size={kernel_size}, and not negative; "
                    f"found {padding!r}. [BST-A02]"
                )
    return found
