"""Layers that only move numbers around."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from ..._engine.names import describe
from ..._units import attach, split
from ...init import to_size
from ...typing import Size
from ..checks import check_trailing
from ..module import Module
from .dimensions import from_end


class Reshaping(Module):
    """Base of layers that know their `out_size` from the `in_size`, if that is given.

    Axes then count in `in_size`, and any batch axes may stand in front of an input. Without an
    `in_size`, axes count in the whole input. Subclasses define `_transform`, of plain numbers.
    """

    def _set_in_size(self, size: Size | None) -> None:
        self.in_size = to_size(size)
        if self.in_size is not None:
            x = jax.ShapeDtypeStruct(self.in_size, jnp.float32)
            self.out_size = jax.eval_shape(self._transform, x).shape

    def update(self, x: Any) -> Any:
        if self.in_size is not None:
            check_trailing(self, x, self.in_size)
        number, unit = split(x)
        return attach(self._transform(jnp.asarray(number)), unit)

    def _transform(self, x: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _transform(x). [BST-A14]")

    def _rank(self, x: Any) -> int:
        """The number of axes among which those of the layer count."""
        return x.ndim if self.in_size is None else len(self.in_size)


class Flatten(Reshaping):
    """Make one axis of those from `start_axis` to `end_axis`.

    Without `in_size`, batch axes are flattened, too, unless `start_axis` leaves them out.

    >>> import brainstate
    >>> brainstate.nn.Flatten()(jnp.ones((2, 3, 4))).shape
    (24,)
    >>> brainstate.nn.Flatten(in_size=(3, 4))(jnp.ones((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(
        self,
        start_axis: int = 0,
        end_axis: int = -1,
        in_size: Size | None = None,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.start_axis, self.end_axis = start_axis, end_axis
        self._set_in_size(in_size)

    def _transform(self, x: Any) -> Any:
        rank = self._rank(x)
        start = x.ndim + from_end(self.start_axis, rank, "start_axis")
        stop = x.ndim + from_end(self.end_axis, rank, "end_axis") + 1
        if start >= stop:
            raise ValueError(
                f"{describe(self)} flattens from axis {self.start_axis} to {self.end_axis}, but in "
                f"an array of shape {x.shape} the first of these lies behind the other. [BST-A04]"
            )
        return x.reshape(*x.shape[:start], math.prod(x.shape[start:stop]), *x.shape[stop:])


class Unflatten(Reshaping):
    """Make axes of the given `sizes` out of one `axis`; one of the sizes may be -1.

    >>> import brainstate
    >>> brainstate.nn.Unflatten(-1, (2, 3))(jnp.ones((5, 6))).shape
    (5, 2, 3)
    """

    def __init__(
        self,
        axis: int,
        sizes: Size,
        name: str | None = None,
        in_size: Size | None = None,
    ):
        super().__init__(name=name)
        if not isinstance(sizes, (tuple, list)) or not all(isinstance(n, int) for n in sizes):
            raise TypeError(
                f"`sizes` must be a tuple or list of integers; found {sizes!r}. [BST-A01]"
            )
        self.axis, self.sizes = axis, tuple(sizes)
        self._set_in_size(in_size)

    def _transform(self, x: Any) -> Any:
        axis = x.ndim + from_end(self.axis, self._rank(x), "axis")
        try:
            parts = jax.eval_shape(
                lambda line: line.reshape(self.sizes),
                jax.ShapeDtypeStruct(x.shape[axis : axis + 1], x.dtype),
            ).shape
        except TypeError:
            raise ValueError(
                f"{describe(self)} cannot cut the {x.shape[axis]} numbers of axis {self.axis} into "
                f"{self.sizes}. [BST-A04]"
            ) from None
        return x.reshape(*x.shape[:axis], *parts, *x.shape[axis + 1 :])
