"""Layers that put something around their input."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from ..._engine.names import describe
from ..._units import attach, number_in, split
from ...init.sizes import needed_size
from ...typing import ArrayLike, Size
from ..checks import check_trailing
from ..module import Module
from .dimensions import for_dimensions
from .pad_widths import Padding, pad_pairs


class _Pad(Module):
    """A layer that pads the `num_spatial_dims` axes before the last one, which has the channels."""

    num_spatial_dims: int
    mode: ClassVar[str]  # of `jnp.pad`

    def __init__(self, padding: Padding, in_size: Size | None = None, name: str | None = None):
        super().__init__(name=name)
        self.padding = pad_pairs(padding, self.num_spatial_dims)
        if min(map(min, self.padding)) < 0:
            raise ValueError(f"`padding` must not be negative; found {padding!r}. [BST-A02]")
        if in_size is not None:
            size = needed_size(in_size, "in_size")
            if len(size) != self.num_spatial_dims + 1:
                raise ValueError(
                    f"`in_size` of {type(self).__name__} must have {self.num_spatial_dims + 1} "
                    f"elements, the channels last; found {size}. [BST-A04]"
                )
            self.in_size = size
            added = [low + high for low, high in self.padding] + [0]
            self.out_size = tuple(map(sum, zip(size, added, strict=True)))

    def update(self, x: ArrayLike) -> Any:
        check_trailing(self, x, self.in_size or ())
        number, unit = split(x)
        spare = jnp.ndim(number) - self.num_spatial_dims - 1
        if spare < 0:
            raise ValueError(
                f"{describe(self)} takes inputs with at least {self.num_spatial_dims + 1} axes, "
                f"the channels last; found the shape {jnp.shape(number)}. [BST-A04]"
            )
        return attach(self._pad(number, [(0, 0)] * spare + [*self.padding, (0, 0)], unit), unit)

    def _pad(self, x: Any, pairs: list[tuple[int, int]], unit: Any) -> Any:
        return jnp.pad(x, pairs, self.mode)


class ReflectionPad(_Pad):
    """Mirror images on both sides of each axis; the border itself is not repeated.

    The input has the shape ``(..., lengths, channels)``, with or without a unit. `padding` is a
    number, a pair ``(low, high)``, or, for more axes, a pair for each of them.

    >>> import brainstate, jax.numpy as jnp
    >>> brainstate.nn.ReflectionPad1d(2)(jnp.arange(3.0)[:, None])[:, 0].tolist()
    [2.0, 1.0, 0.0, 1.0, 2.0, 1.0, 0.0]
    """

    mode = "reflect"


class ReplicationPad(_Pad):
    """Copies of the border on both sides of each axis.

    See `ReflectionPad` for shapes and `padding`.

    >>> import brainstate, jax.numpy as jnp
    >>> brainstate.nn.ReplicationPad1d((1, 2))(jnp.arange(3.0)[:, None])[:, 0].tolist()
    [0.0, 0.0, 1.0, 2.0, 2.0, 2.0]
    """

    mode = "edge"


class CircularPad(_Pad):
    """What stands at the other end, on both sides of each axis.

    See `ReflectionPad` for shapes and `padding`.

    >>> import brainstate, jax.numpy as jnp
    >>> brainstate.nn.CircularPad1d(1)(jnp.arange(3.0)[:, None])[:, 0].tolist()
    [2.0, 0.0, 1.0, 2.0, 0.0]
    """

    mode = "wrap"


class ZeroPad(_Pad):
    """Zeros on both sides of each axis.

    See `ReflectionPad` for shapes and `padding`.

    >>> import brainstate, jax.numpy as jnp
    >>> brainstate.nn.ZeroPad1d(1)(jnp.arange(3.0)[:, None])[:, 0].tolist()
    [0.0, 0.0, 1.0, 2.0, 0.0]
    """

    mode = "constant"


class ConstantPad(_Pad):
    """One number on both sides of each axis, in the unit of the input.

    See `ReflectionPad` for shapes and `padding`.

    >>> import brainstate, jax.numpy as jnp
    >>> brainstate.nn.ConstantPad1d(1, value=7.0)(jnp.arange(3.0)[:, None])[:, 0].tolist()
    [7.0, 0.0, 1.0, 2.0, 7.0]
    """

    mode = "constant"

    def __init__(
        self,
        padding: Padding,
        value: ArrayLike = 0,
        in_size: Size | None = None,
        name: str | None = None,
    ):
        super().__init__(padding, in_size, name)
        if jnp.ndim(split(value)[0]):
            raise ValueError(f"`value` must be one number; found {value!r}. [BST-A01]")
        self.value = value

    def _pad(self, x: Any, pairs: list[tuple[int, int]], unit: Any) -> Any:
        value = number_in(self.value, unit, "value")
        x = jnp.asarray(x, jnp.result_type(x, value))
        return jnp.pad(x, pairs, self.mode, constant_values=value)


ReflectionPad1d, ReflectionPad2d, ReflectionPad3d = for_dimensions(ReflectionPad, 1, 2, 3)
ReplicationPad1d, ReplicationPad2d, ReplicationPad3d = for_dimensions(ReplicationPad, 1, 2, 3)
CircularPad1d, CircularPad2d, CircularPad3d = for_dimensions(CircularPad, 1, 2, 3)
ZeroPad1d, ZeroPad2d, ZeroPad3d = for_dimensions(ZeroPad, 1, 2, 3)
ConstantPad1d, ConstantPad2d, ConstantPad3d = for_dimensions(ConstantPad, 1, 2, 3)
