"""Orthogonal matrices and kernels."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ..random.drawing import draw, with_options
from ..typing import DTypeLike, SeedOrKey
from .base import RandomInitializer


class Orthogonal(RandomInitializer):
    """`scale` times a random matrix with orthonormal rows or columns, whichever are fewer.

    All axes other than `axis` are flattened into one.

    >>> import brainstate, jax.numpy as jnp
    >>> q = brainstate.init.Orthogonal()((4, 6))
    >>> bool(jnp.allclose(q @ q.T, jnp.eye(4), atol=1e-5))
    True
    """

    def __init__(
        self,
        scale: float = 1.0,
        axis: int = -1,
        seed: SeedOrKey | None = None,
        unit: Any = None,
    ):
        super().__init__(seed, unit)
        self.scale, self.axis = scale, axis

    def _number(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        if len(shape) < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least two dimensions; found the shape "
                f"{shape}. [BST-A04]"
            )
        law = with_options(_orthogonal, column_axis=self.axis)
        return draw(law, shape, dtype, self.rng.split_key(), self.scale)


class DeltaOrthogonal(Orthogonal):
    """Convolution kernels that are an orthogonal matrix at the centre and zero elsewhere.

    Shapes are ``(*spatial, inputs, outputs)`` with one to three spatial dimensions and at least as
    many outputs as inputs.

    >>> import brainstate
    >>> brainstate.init.DeltaOrthogonal()((3, 3, 2, 4)).shape
    (3, 3, 2, 4)
    """

    def _number(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        if len(shape) not in (3, 4, 5) or shape[-1] < shape[-2]:
            raise ValueError(
                "DeltaOrthogonal makes kernels of 3 to 5 dimensions with at least as many outputs "
                f"(last) as inputs; found the shape {shape}. [BST-A04]"
            )
        law = with_options(_delta_orthogonal, column_axis=self.axis)
        return draw(law, shape, dtype, self.rng.split_key(), self.scale)


def _orthogonal(key: Any, scale: Any, *, column_axis: int, shape: Any, dtype: Any) -> jax.Array:
    initializer = jax.nn.initializers.orthogonal(scale, column_axis)
    return initializer(key, shape, _factorable(dtype)).astype(dtype)


def _delta_orthogonal(
    key: Any, scale: Any, *, column_axis: int, shape: Any, dtype: Any
) -> jax.Array:
    initializer = jax.nn.initializers.delta_orthogonal(scale, column_axis)
    return initializer(key, shape, _factorable(dtype)).astype(dtype)


def _factorable(dtype: DTypeLike) -> Any:
    """A type that matrices can be factored in: LAPACK has none of 16 bits."""
    return jnp.promote_types(dtype, jnp.float32)
