"""Normalization of each item by its own statistics, and the base of all normalization."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from ... import environ
from ..._engine.names import describe
from ..._state import ParamState
from ..._units import plain_number
from ...init import Constant, ZeroInit
from ...init.parameters import full_param
from ...init.sizes import needed_size, to_size
from ...typing import ArrayLike, Axes, DTypeLike, Size
from ..checks import check_trailing
from ..module import Module
from .dimensions import from_end

Init = Callable | ArrayLike
AxisName = str | Sequence[str]


class Normalization(Module):
    """Base of layers that compute ``(x - mean) / sqrt(var + epsilon) * scale + bias``.

    `bias` and `scale`, those that are not None, stand together in the State `weight`; they have
    the shape of `in_size`, with 1 for all but the feature axes. Means are taken over the lanes
    with the name `axis_name`, too. Statistics are computed in 32 bits or more; the result has at
    least the default floating-point type, or is of type `dtype`.
    """

    def __init__(
        self,
        in_size: Size,
        feature_axes: Axes,
        epsilon: float,
        bias: Init | None,
        scale: Init | None,
        axis_name: AxisName | None,
        axis_index_groups: Sequence[Sequence[int]] | None,
        name: str | None,
        dtype: DTypeLike | None,
    ):
        super().__init__(name=name)
        size = needed_size(in_size, "in_size")
        self.in_size = self.out_size = size
        self.epsilon, self.dtype = epsilon, dtype
        self.axis_name, self.axis_index_groups = axis_name, axis_index_groups
        self.feature_axes = self._from_end(feature_axes, "feature_axes")
        self._feature_shape = tuple(
            n if axis - len(size) in self.feature_axes else 1 for axis, n in enumerate(size)
        )
        given = {"bias": bias, "scale": scale}
        value = {
            key: full_param(init, self._feature_shape)
            for key, init in given.items()
            if init is not None
        }
        self.weight = ParamState(value) if value else None

    def update(self, x: Any) -> Any:
        check_trailing(self, x, self.in_size)  # type: ignore[arg-type]
        x = jnp.asarray(plain_number(x, describe(self)))
        least = jnp.promote_types(x.dtype, environ.dftype())
        y = self._normalized(x.astype(jnp.promote_types(least, jnp.float32)))
        value = {} if self.weight is None else self.weight.value
        if "scale" in value:
            y = y * value["scale"]
        if "bias" in value:
            y = y + value["bias"]
        return y.astype(least if self.dtype is None else self.dtype)

    def _normalized(self, x: jax.Array) -> jax.Array:
        raise NotImplementedError(f"{type(self).__name__} must define _normalized(x). [BST-A14]")

    def _mean(self, x: jax.Array, axes: tuple[int, ...]) -> jax.Array:
        mean = jnp.mean(x, axes, keepdims=True)
        if self.axis_name is None:
            return mean
        return lax.pmean(mean, self.axis_name, axis_index_groups=self.axis_index_groups)

    def _standardized(self, x: jax.Array, axes: tuple[int, ...], fast: bool = False) -> jax.Array:
        mean = self._mean(x, axes)
        return (x - mean) * lax.rsqrt(self._variance(x, mean, axes, fast) + self.epsilon)

    def _variance(
        self, x: jax.Array, mean: jax.Array, axes: tuple[int, ...], fast: bool = False
    ) -> jax.Array:
        """Of the whole population; `fast` computes it at once, and less exactly."""
        if fast:
            return jnp.maximum(0, self._mean(x**2, axes) - mean**2)
        return self._mean((x - mean) ** 2, axes)

    def _from_end(self, axes: Axes, name: str) -> tuple[int, ...]:
        rank = len(self.in_size or ())
        return tuple(from_end(axis, rank, name) for axis in to_size(axes) or ())


class LayerNorm(Normalization):
    """Normalization by mean and variance over `reduction_axes` of each item.

    ``y = (x - mean) / sqrt(var + epsilon) * scale + bias``. Axes count in `in_size`; any batch
    axes stand in front. `use_fast_variance` computes ``E[x**2] - E[x]**2``.

    J. L. Ba et al. (2016), arXiv 1607.06450, Layer normalization.

    >>> import brainstate
    >>> brainstate.nn.LayerNorm(2, epsilon=0.0)(jnp.array([1.0, 3.0]))
    Array([-1.,  1.], dtype=float32)
    """

    def __init__(
        self,
        in_size: Size,
        reduction_axes: Axes = -1,
        feature_axes: Axes = -1,
        *,
        epsilon: float = 1e-6,
        use_bias: bool = True,
        use_scale: bool = True,
        bias_init: Init = ZeroInit(),  # noqa: B008  immutable
        scale_init: Init = Constant(1.0),  # noqa: B008
        axis_name: AxisName | None = None,
        axis_index_groups: Sequence[Sequence[int]] | None = None,
        use_fast_variance: bool = True,
        dtype: DTypeLike | None = None,
        name: str | None = None,
    ):
        bias, scale = bias_init if use_bias else None, scale_init if use_scale else None
        super().__init__(
            in_size, feature_axes, epsilon, bias, scale, axis_name, axis_index_groups, name, dtype
        )
        self.reduction_axes = self._from_end(reduction_axes, "reduction_axes")
        self.use_fast_variance = use_fast_variance

    def _normalized(self, x: jax.Array) -> jax.Array:
        return self._standardized(x, self.reduction_axes, self.use_fast_variance)


class RMSNorm(Normalization):
    """Normalization by the root mean square over `reduction_axes` of each item.

    ``y = x / sqrt(mean(x**2) + epsilon) * scale``. Axes count in `in_size`; any batch axes stand
    in front.

    B. Zhang and R. Sennrich (2019), NeurIPS, Root mean square layer normalization.

    >>> import brainstate
    >>> brainstate.nn.RMSNorm(2, epsilon=0.0)(jnp.array([1.0, -7.0]))
    Array([ 0.2, -1.4], dtype=float32)
    """

    def __init__(
        self,
        in_size: Size,
        *,
        epsilon: float = 1e-6,
        use_scale: bool = True,
        scale_init: Init = Constant(1.0),  # noqa: B008  immutable
        reduction_axes: Axes = -1,
        feature_axes: Axes = -1,
        axis_name: AxisName | None = None,
        axis_index_groups: Sequence[Sequence[int]] | None = None,
        dtype: DTypeLike | None = None,
        name: str | None = None,
    ):
        scale = scale_init if use_scale else None
        super().__init__(
            in_size, feature_axes, epsilon, None, scale, axis_name, axis_index_groups, name, dtype
        )
        self.reduction_axes = self._from_end(reduction_axes, "reduction_axes")

    def _normalized(self, x: jax.Array) -> jax.Array:
        return x * lax.rsqrt(self._mean(x**2, self.reduction_axes) + self.epsilon)


class GroupNorm(Normalization):
    """Normalization by mean and variance over groups of channels of each item.

    The channels of `feature_axis` are cut into `num_groups`, or into groups of `group_size`, which
    then counts; statistics are taken over a group and all other axes of `in_size`. Any batch axes
    stand in front.

    Y. Wu and K. He (2018), ECCV, Group normalization.

    >>> import brainstate
    >>> layer = brainstate.nn.GroupNorm(4, num_groups=2, epsilon=0.0)
    >>> layer(jnp.array([1.0, 3.0, 10.0, 30.0]))
    Array([-1.,  1., -1.,  1.], dtype=float32)
    """

    def __init__(
        self,
        in_size: Size,
        feature_axis: int = -1,
        num_groups: int | None = 32,
        group_size: int | None = None,
        *,
        epsilon: float = 1e-6,
        use_bias: bool = True,
        use_scale: bool = True,
        bias_init: Init = ZeroInit(),  # noqa: B008  immutable
        scale_init: Init = Constant(1.0),  # noqa: B008
        axis_name: AxisName | None = None,
        axis_index_groups: Sequence[Sequence[int]] | None = None,
        use_fast_variance: bool = True,
        dtype: DTypeLike | None = None,
        name: str | None = None,
    ):
        bias, scale = bias_init if use_bias else None, scale_init if use_scale else None
        super().__init__(
            in_size, feature_axis, epsilon, bias, scale, axis_name, axis_index_groups, name, dtype
        )
        channels = max(self._feature_shape)
        wanted = f"num_groups={num_groups}" if group_size is None else f"group_size={group_size}"
        divisor = num_groups if group_size is None else group_size
        if not divisor or divisor < 1 or channels % divisor:
            raise ValueError(
                f"GroupNorm cannot cut {channels} channels into groups with {wanted}; give a "
                "divisor. [BST-A02]"
            )
        self.num_groups = divisor if group_size is None else channels // divisor
        self.use_fast_variance = use_fast_variance

    def _normalized(self, x: jax.Array) -> jax.Array:
        axis = x.ndim + self.feature_axes[0]
        grouped = x.reshape(*x.shape[:axis], self.num_groups, -1, *x.shape[axis + 1 :])
        first = x.ndim - len(self.in_size or ())
        axes = tuple(i for i in range(first, grouped.ndim) if i != axis)
        return self._standardized(grouped, axes, self.use_fast_variance).reshape(x.shape)
