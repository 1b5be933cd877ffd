"""Normalization by the statistics of batches."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import lax

from ... import environ
from ..._state import LongTermState
from ...init import Constant
from ...typing import Axes, DTypeLike, Size
from .dimensions import for_dimensions
from .fitting import fitting
from .normalization import AxisName, Init, Normalization


class BatchNorm(Normalization):
    """Normalization by mean and variance over the batch and all but the feature axes.

    ``y = (x - mean) / sqrt(var + epsilon) * scale + bias``. Where `fit` of environ is true, these
    are the statistics of the input, and the running ones become ``momentum * running + (1 -
    momentum) * found``; else the running ones are used. Without `track_running_stats`, those of
    the input always are. In `vmap` or `pmap` with an `axis_name`, give that here: then the lanes
    are one batch. `in_size` is spatial axes and channels; any batch axes stand in front.

    S. Ioffe and C. Szegedy (2015), ICML, Batch normalization.

    >>> import brainstate
    >>> layer = brainstate.nn.BatchNorm0d(1, epsilon=0.0)
    >>> with brainstate.environ.context(fit=True):
    ...     layer(jnp.array([[1.0], [3.0]])).tolist()
    [[-1.0], [1.0]]
    >>> layer.running_mean.value
    Array([0.02], dtype=float32)
    """

    num_spatial_dims: int

    def __init__(
        self,
        in_size: Size,
        feature_axis: Axes = -1,
        track_running_stats: bool = True,
        epsilon: float = 1e-5,
        momentum: float = 0.99,
        affine: bool = True,
        bias_initializer: Init = Constant(0.0),  # noqa: B008  immutable
        scale_initializer: Init = Constant(1.0),  # noqa: B008
        axis_name: AxisName | None = None,
        axis_index_groups: Sequence[Sequence[int]] | None = None,
        name: str | None = None,
        dtype: DTypeLike | None = None,
    ):
        bias, scale = (bias_initializer, scale_initializer) if affine else (None, None)
        super().__init__(
            in_size, feature_axis, epsilon, bias, scale, axis_name, axis_index_groups, name, dtype
        )
        if len(self.in_size or ()) != self.num_spatial_dims + 1:
            raise ValueError(
                f"`in_size` of {type(self).__name__} must have {self.num_spatial_dims + 1} "
                f"elements, without those of the batch; found {self.in_size}. [BST-A04]"
            )
        self.momentum, self.affine = momentum, affine
        self.track_running_stats = track_running_stats
        if track_running_stats:
            dtype = jnp.promote_types(environ.dftype(), jnp.float32)
            self.running_mean = LongTermState(jnp.zeros(self._feature_shape, dtype))
            self.running_var = LongTermState(jnp.ones(self._feature_shape, dtype))

    def _normalized(self, x: jax.Array) -> jax.Array:
        if self.track_running_stats and not fitting():
            mean, var = self.running_mean.value, self.running_var.value
        else:
            axes = tuple(axis for axis in range(-x.ndim, 0) if axis not in self.feature_axes)
            mean = self._mean(x, axes)
            var = self._variance(x, mean, axes)
            if self.track_running_stats:
                self._track(self.running_mean, mean)
                self._track(self.running_var, var)
        return (x - mean) * lax.rsqrt(var + self.epsilon)

    def _track(self, running: LongTermState, found: jax.Array) -> None:
        old = running.value
        new = self.momentum * old + (1 - self.momentum) * found.reshape(self._feature_shape)
        running.value = new.astype(old.dtype)


BatchNorm0d, BatchNorm1d, BatchNorm2d, BatchNorm3d = for_dimensions(BatchNorm, 0, 1, 2, 3)
