"""Pooling to a given number of blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp

from ..._engine.names import describe
from ...typing import Size
from .dimensions import for_dimensions, for_each_axis
from .windows import SpatialLayer, floating


class AdaptivePool(SpatialLayer):
    """Base of pooling to `target_size` blocks along each spatial axis; one number stands for all.

    Of L numbers, the first ``L % target`` blocks hold one more than the others.
    """

    reduce: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        target_size: Size,
        channel_axis: int | None = -1,
        name: str | None = None,
        in_size: Size | None = None,
    ):
        super().__init__(name=name)
        self.target_size = for_each_axis(target_size, self.num_spatial_dims, "target_size")
        self.channel_axis = channel_axis
        self._set_in_size(in_size)

    def _transform(self, x: Any) -> Any:
        # One axis after the other: all blocks of an axis meet the same blocks of the others.
        for axis, target in zip(self._spatial_axes(x), self.target_size, strict=True):
            if x.shape[axis] < target:
                raise ValueError(
                    f"{describe(self)} cannot make target_size={self.target_size} blocks of an "
                    f"array of shape {x.shape}: axis {axis} is too short. [BST-A04]"
                )
            x = self._blocks(x, x.ndim + axis, target)
        return x

    def _blocks(self, x: Any, axis: int, target: int) -> Any:
        length, longer = divmod(x.shape[axis], target)
        parts = jnp.split(x, [longer * (length + 1)], axis)
        counts = (longer, length + 1), (target - longer, length)
        cut = [
            part.reshape(*x.shape[:axis], *count, *x.shape[axis + 1 :])
            for part, count in zip(parts, counts, strict=True)
        ]
        reduce = type(self).reduce
        return jnp.concatenate([reduce(part, axis=axis + 1) for part in cut], axis)


class AdaptiveAvgPool(AdaptivePool):
    """The means of `target_size` blocks along each spatial axis; one number stands for all axes.

    Of L numbers along an axis, the first ``L % target`` blocks hold one more than the others. The
    spatial axes are the last ones beside `channel_axis`.

    >>> import brainstate
    >>> brainstate.nn.AdaptiveAvgPool1d(3, channel_axis=None)(jnp.arange(8.0))
    Array([1. , 4. , 6.5], dtype=float32)
    """

    reduce = staticmethod(jnp.mean)

    def _transform(self, x: Any) -> Any:
        return super()._transform(floating(x))


class AdaptiveMaxPool(AdaptivePool):
    """The largest numbers of `target_size` blocks, which are those of `AdaptiveAvgPool1d` etc.

    >>> import brainstate
    >>> brainstate.nn.AdaptiveMaxPool1d(3, channel_axis=None)(jnp.arange(8.0))
    Array([2., 5., 7.], dtype=float32)
    """

    reduce = staticmethod(jnp.max)


AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d = for_dimensions(AdaptiveAvgPool, 1, 2, 3)
AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d = for_dimensions(AdaptiveMaxPool, 1, 2, 3)
