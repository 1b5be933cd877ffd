"""Pooling over windows, and back."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from ..._engine.names import describe
from ..._units import attach, split
from ...typing import Size
from ..checks import check_trailing
from .dimensions import for_dimensions, for_each_axis
from .windows import Padding, WindowLayer, floating, index_of_largest, largest, total


class MaxPool(WindowLayer):
    """The largest number in each window; padding never is.

    `stride` is `kernel_size` by default. `padding` is "VALID", "SAME", an integer, one for each
    spatial axis, or pairs (before, after). The spatial axes are the last ones beside
    `channel_axis`. With ``return_indices=True``, a call also gives where the numbers stand: their
    indices in their channel, counted over the spatial axes together, for `MaxUnpool1d` and so on.

    >>> import brainstate
    >>> brainstate.nn.MaxPool1d(2, channel_axis=None)(jnp.array([1.0, 5.0, 2.0, 0.0]))
    Array([5., 2.], dtype=float32)
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Padding = "VALID",
        channel_axis: int | None = -1,
        name: str | None = None,
        in_size: Size | None = None,
        *,
        return_indices: bool = False,
    ):
        super().__init__(kernel_size, stride, padding, channel_axis, name, in_size)
        self.return_indices = return_indices

    def update(self, x: Any) -> Any:
        y = super().update(x)
        return (y, self._indices(jnp.asarray(split(x)[0]))) if self.return_indices else y

    def _transform(self, x: Any) -> Any:
        return largest(x, self._windows(x))

    def _indices(self, x: Any) -> jax.Array:
        spatial = self._spatial_axes(x)
        shape = tuple(n if axis - x.ndim in spatial else 1 for axis, n in enumerate(x.shape))
        positions = jnp.arange(math.prod(shape)).reshape(shape)
        return index_of_largest(x, jnp.broadcast_to(positions, x.shape), self._windows(x))


class AvgPool(WindowLayer):
    """The mean of each window, without its padding; **`stride` is 1 by default**.

    The other arguments are those of `MaxPool1d`.

    >>> import brainstate
    >>> pool = brainstate.nn.AvgPool1d(3, padding="SAME", channel_axis=None)
    >>> pool(jnp.arange(4.0))
    Array([0.5, 1. , 2. , 2.5], dtype=float32)
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = 1,
        padding: Padding = "VALID",
        channel_axis: int | None = -1,
        name: str | None = None,
        in_size: Size | None = None,
    ):
        super().__init__(kernel_size, stride, padding, channel_axis, name, in_size)

    def _transform(self, x: Any) -> Any:
        x, windows = floating(x), self._windows(x)
        return total(x, windows) / total(jnp.ones_like(x), windows)


class LPPool(WindowLayer):
    """The norm of each window, of order `norm_type`: ``sum(abs(x) ** p) ** (1 / p)``.

    The other arguments are those of `MaxPool1d`.

    >>> import brainstate
    >>> brainstate.nn.LPPool1d(2, 2, channel_axis=None)(jnp.array([3.0, -4.0, 1.0, 0.0]))
    Array([5., 1.], dtype=float32)
    """

    def __init__(
        self,
        norm_type: float,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Padding = "VALID",
        channel_axis: int | None = -1,
        name: str | None = None,
        in_size: Size | None = None,
    ):
        if not norm_type > 0:
            raise ValueError(f"`norm_type` must be positive; found {norm_type!r}. [BST-A02]")
        self.norm_type = norm_type
        super().__init__(kernel_size, stride, padding, channel_axis, name, in_size)

    def _transform(self, x: Any) -> Any:
        x, windows, p = jnp.abs(floating(x)), self._windows(x), self.norm_type
        if math.isinf(p):
            return largest(x, windows)
        power = total(x**p, windows)
        empty = power == 0  # where the root has an infinite slope
        return jnp.where(empty, 0, jnp.where(empty, 1, power) ** (1 / p))


class MaxUnpool(WindowLayer):
    """Put the numbers that `MaxPool1d` etc. found back where they stood, among zeros.

    Call it with these and their indices. The spatial axes of the result are `output_size`, by
    default the smallest for which the pooling gives as many numbers. The other arguments are those
    of the pooling.

    >>> import brainstate
    >>> pool = brainstate.nn.MaxPool1d(2, channel_axis=None, return_indices=True)
    >>> unpool = brainstate.nn.MaxUnpool1d(2, channel_axis=None)
    >>> unpool(*pool(jnp.array([1.0, 5.0, 2.0, 0.0])))
    Array([0., 5., 2., 0.], dtype=float32)
    """

    def update(self, x: Any, indices: Any = None, output_size: Size | None = None) -> Any:
        if self.in_size is not None:
            check_trailing(self, x, self.in_size)
        number, unit = split(x)
        number, indices = jnp.asarray(number), jnp.asarray(indices)
        if indices.shape != number.shape or not jnp.issubdtype(indices.dtype, jnp.integer):
            raise ValueError(
                f"{describe(self)} takes an integer index for each number of shape {number.shape}; "
                f"found {indices.dtype} of shape {indices.shape}. [BST-A04]"
            )
        return attach(self._transform(number, indices, output_size), unit)

    def _transform(self, x: Any, indices: Any = 0, output_size: Size | None = None) -> Any:
        spatial = self._spatial_axes(x)
        sizes = self._sizes([x.shape[axis] for axis in spatial])
        if output_size is not None:
            sizes = for_each_axis(output_size, len(spatial), "output_size")
        last = range(-len(spatial), 0)

        def planes(a: Any) -> Any:
            a = jnp.moveaxis(jnp.broadcast_to(a, x.shape), spatial, last)
            return a.reshape(*a.shape[: -len(spatial)], math.prod(a.shape[-len(spatial) :]))

        numbers = planes(x)
        zeros = jnp.zeros((*numbers.shape[:-1], math.prod(sizes)), x.dtype)
        found = jnp.put_along_axis(zeros, planes(indices), numbers, axis=-1, inplace=False)
        return jnp.moveaxis(found.reshape(*zeros.shape[:-1], *sizes), last, spatial)

    def _sizes(self, lengths: list[int]) -> tuple[int, ...]:
        if self.padding == "SAME":
            return tuple((n - 1) * step + 1 for n, step in zip(lengths, self.stride, strict=True))
        pairs = [(0, 0)] * len(lengths) if isinstance(self.padding, str) else self.padding
        axes = zip(lengths, self.kernel_size, self.stride, pairs, strict=True)
        return tuple((n - 1) * step + width - sum(pair) for n, width, step, pair in axes)


MaxPool1d, MaxPool2d, MaxPool3d = for_dimensions(MaxPool, 1, 2, 3)
AvgPool1d, AvgPool2d, AvgPool3d = for_dimensions(AvgPool, 1, 2, 3)
LPPool1d, LPPool2d, LPPool3d = for_dimensions(LPPool, 1, 2, 3)
MaxUnpool1d, MaxUnpool2d, MaxUnpool3d = for_dimensions(MaxUnpool, 1, 2, 3)
