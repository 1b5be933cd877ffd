"""Synapses as containers: ``spikes @ connection`` is what arrives behind them.

A layer asks no more of its connection than that product, so an object of another library, or one
of these with a faster product, can stand in. Rules of plasticity ask for `spread` too.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from .._units import attach, split
from ..util.struct import dataclass, field


class Connection:
    """Base of the containers: weights, with or without a unit, between `shape` neurons.

    A weight that is a scalar stands for all synapses. The last axis of `spikes` is that of the
    neurons before the synapses; they are bool, or numbers that multiply the weights. Subclasses
    define `product` and `spread` in operations that JAX differentiates, in both modes.
    """

    __array_ufunc__ = None  # NumPy arrays on the left leave `@` to us

    weight: Any
    shape: tuple[int, int]

    def __rmatmul__(self, spikes: Any) -> Any:
        spikes = jnp.asarray(spikes)
        if spikes.shape[-1:] != self.shape[:1]:
            raise ValueError(
                f"A connection of shape {self.shape} takes spikes of shape (..., {self.shape[0]}); "
                f"found {spikes.shape}."
            )
        weight, unit = split(self.weight)
        return attach(self.product(spikes, jnp.asarray(weight)), unit)

    def product(self, spikes: jax.Array, weight: jax.Array) -> jax.Array:
        """``spikes @ self`` for these weights, without a unit."""
        raise NotImplementedError(f"{type(self).__name__} must define product().")

    def spread(self, pre: Any, post: Any) -> tuple[Any, Any]:
        """Values of the neurons before and behind, laid out to broadcast to the weights."""
        raise NotImplementedError(f"{type(self).__name__} must define spread().")

    def todense(self) -> Any:
        """The matrix of this shape; parallel synapses are summed."""
        weight, unit = split(self.weight)
        weight = jnp.asarray(weight)
        pre, post = self.spread(*map(jnp.arange, self.shape))
        return attach(jnp.zeros(self.shape, weight.dtype).at[pre, post].add(weight), unit)


@dataclass
class Dense(Connection):
    """A synapse between each two neurons: `weight` is the matrix.

    >>> import jax.numpy as jnp
    >>> jnp.array([True, False, True]) @ Dense(jnp.arange(6.0).reshape(3, 2), (3, 2))
    Array([4., 6.], dtype=float32)
    """

    weight: Any
    shape: tuple[int, int] = field(pytree_node=False)

    def product(self, spikes: jax.Array, weight: jax.Array) -> jax.Array:
        if weight.ndim:
            return jnp.matmul(spikes, weight)
        number = jnp.result_type(spikes, weight)
        total = weight * jnp.sum(spikes, axis=-1, keepdims=True, dtype=number)
        return jnp.broadcast_to(total, (*spikes.shape[:-1], self.shape[1]))

    def spread(self, pre: Any, post: Any) -> tuple[Any, Any]:
        return pre[..., :, None], post[..., None, :]


@dataclass
class FixedFanOut(Connection):
    """The same number of synapses from each neuron; `indices` and `weight` have a row for each.

    >>> import jax.numpy as jnp
    >>> targets = jnp.array([[0, 3], [1, 1]])
    >>> jnp.array([1.0, 0.5]) @ FixedFanOut(2.0, targets, (2, 4))
    Array([2., 2., 0., 2.], dtype=float32)
    """

    weight: Any
    indices: Any
    shape: tuple[int, int] = field(pytree_node=False)

    def product(self, spikes: jax.Array, weight: jax.Array) -> jax.Array:
        return _arrived(jnp.moveaxis(spikes, -1, 0)[:, None], weight, self.indices, self.shape[1])

    def spread(self, pre: Any, post: Any) -> tuple[Any, Any]:
        return pre[..., :, None], post[..., self.indices]


@dataclass
class CSR(Connection):
    """A sparse matrix by rows, as in `scipy.sparse.csr_array`; `pre` is the row of each synapse.

    >>> import jax.numpy as jnp
    >>> indptr, indices = jnp.array([0, 2, 2, 3]), jnp.array([0, 3, 1])
    >>> jnp.array([1.0, 0.0, 1.0]) @ CSR(jnp.array([1.0, 2.0, 3.0]), indices, indptr, (3, 4))
    Array([1., 3., 0., 2.], dtype=float32)
    """

    weight: Any
    indices: Any
    indptr: Any
    shape: tuple[int, int] = field(pytree_node=False)
    pre: Any = None

    def __post_init__(self) -> None:
        if self.pre is None:
            rows, count = jnp.arange(self.shape[0]), self.indices.size
            pre = jnp.repeat(rows, jnp.diff(self.indptr), total_repeat_length=count)
            object.__setattr__(self, "pre", pre)

    def product(self, spikes: jax.Array, weight: jax.Array) -> jax.Array:
        return _arrived(jnp.moveaxis(spikes, -1, 0)[self.pre], weight, self.indices, self.shape[1])

    def spread(self, pre: Any, post: Any) -> tuple[Any, Any]:
        return pre[..., self.pre], post[..., self.indices]


def _arrived(spikes: jax.Array, weight: jax.Array, targets: jax.Array, n_post: int) -> jax.Array:
    """The sum at each target of the spikes times the weights; batch axes come in last.

    There they lie side by side in memory: with 16 samples nine times as fast as with them first.
    """
    batch = spikes.shape[targets.ndim :]
    carried = spikes * weight.reshape(*weight.shape, *(1,) * len(batch))
    zeros = jnp.zeros((n_post, *batch), carried.dtype)
    return jnp.moveaxis(zeros.at[targets].add(carried), 0, -1)
