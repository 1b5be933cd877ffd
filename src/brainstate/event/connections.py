"""Synapses as containers: ``spikes @ connection`` is what arrives behind them.

A layer asks no more of its connection than that product, so an object of another library, or one
of these with a faster product, can stand in. Rules of plasticity ask for `spread` too.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._units import attach, number_in, split
from ..nn.dynamics.unit_arithmetic import add
from ..util.struct import dataclass, field
from .checks import check_rows, check_starts, check_targets
from .product import product
from .structures import AllToAll, Arrays, Compressed, Drawn, FanOut, Structure


class Connection:
    """Base of the containers: weights, with or without a unit, between `shape` neurons.

    A weight that is a scalar stands for all synapses. The last axis of `spikes` is that of the
    neurons before the synapses; they are bool, or numbers that multiply the weights, and cost no
    more than the synapses of those that are not zero. `backend` tells what computes the product.
    Derivatives of all orders and in both modes are exact, also where there is no spike.

    Subclasses say where the synapses are (`structure`, `arrays`), or define `product`.
    """

    __array_ufunc__ = None  # NumPy arrays on the left leave `@` to us

    weight: Any
    shape: tuple[int, int]

    def __rmatmul__(self, spikes: Any) -> Any:
        spikes = jnp.asarray(spikes)
        if spikes.shape[-1:] != self.shape[:1]:
            raise ValueError(
                f"A connection of shape {self.shape} takes spikes of shape (..., {self.shape[0]}); "
                f"found {spikes.shape}. [BST-A04]"
            )
        weight, unit = split(self.weight)
        weight = jnp.asarray(weight)
        number = jnp.result_type(spikes, weight)
        zeros = jnp.zeros((*spikes.shape[:-1], self.shape[1]), number)
        return attach(self.product(zeros, spikes, weight), unit)

    def added_to(self, base: Any, spikes: Any) -> Any:
        """``base + spikes @ self``, in place where that is possible: a sum has no array of its own.

        >>> import jax.numpy as jnp
        >>> synapses = FixedFanOut(2.0, jnp.array([[0, 1]]), (1, 3))
        >>> synapses.added_to(jnp.ones(3), jnp.array([True]))
        Array([3., 3., 1.], dtype=float32)
        """
        (base, unit), (weight, own), spikes = split(base), split(self.weight), jnp.asarray(spikes)
        shape = *spikes.shape[:-1], self.shape[1]
        alike = jnp.shape(base) == shape and spikes.shape[-1:] == self.shape[:1]
        if not (alike and _same(unit, own) and jnp.result_type(spikes, weight) == base.dtype):
            return add(attach(base, unit), spikes @ self, "what arrives")
        return attach(self.product(base, spikes, jnp.asarray(weight)), unit)

    def product(self, base: jax.Array, spikes: jax.Array, weight: jax.Array) -> jax.Array:
        """``base + spikes @ self`` for these weights, without a unit."""
        return product(self.structure, base, spikes, weight, self.arrays)

    @property
    def structure(self) -> Structure:
        """How the synapses are laid out."""
        raise NotImplementedError(
            f"{type(self).__name__} must define structure or product(). [BST-A14]"
        )

    @property
    def arrays(self) -> Arrays:
        """The arrays that the structure speaks of."""
        return ()

    def spread(self, pre: Any, post: Any) -> tuple[Any, Any]:
        """Values of the neurons before and behind, laid out to broadcast to the weights."""
        raise NotImplementedError(f"{type(self).__name__} must define spread(). [BST-A14]")

    def todense(self) -> Any:
        """The matrix of this shape; parallel synapses are summed."""
        weight, unit = split(self.weight)
        weight = jnp.asarray(weight)
        pre, post = self.spread(*map(jnp.arange, self.shape))
        return attach(jnp.zeros(self.shape, weight.dtype).at[pre, post].add(weight), unit)

    def to_scipy(self, unit: Any = None) -> Any:
        """A `scipy.sparse.csr_array` of the weights, as numbers in `unit`.

        >>> import jax.numpy as jnp
        >>> OneToOne(jnp.array([1.0, 2.0]), (2, 2)).to_scipy().toarray().tolist()
        [[1.0, 0.0], [0.0, 2.0]]
        """
        from scipy.sparse import coo_array

        weight = np.asarray(number_in(self.weight, unit, "the weight"))
        pre, post = (np.asarray(x) for x in self.spread(*map(np.arange, self.shape)))
        pre, post, weight = np.broadcast_arrays(pre, post, weight)
        places = pre.ravel(), post.ravel()
        return coo_array((weight.ravel(), places), shape=self.shape).tocsr()


@dataclass
class Dense(Connection):
    """A synapse between each two neurons: `weight` is the matrix.

    >>> import jax.numpy as jnp
    >>> jnp.array([True, False, True]) @ Dense(jnp.arange(6.0).reshape(3, 2), (3, 2))
    Array([4., 6.], dtype=float32)
    """

    weight: Any
    shape: tuple[int, int] = field(pytree_node=False)

    @property
    def structure(self) -> Structure:
        return AllToAll(*self.shape)

    def product(self, base: jax.Array, spikes: jax.Array, weight: jax.Array) -> jax.Array:
        if weight.ndim:
            return super().product(base, spikes, weight)
        return base + weight * jnp.sum(spikes, axis=-1, keepdims=True, dtype=base.dtype)

    def spread(self, pre: Any, post: Any) -> tuple[Any, Any]:
        return pre[..., :, None], post[..., None, :]


@dataclass
class OneToOne(Connection):
    """A synapse from each neuron to the one of the same index.

    >>> import jax.numpy as jnp
    >>> jnp.array([True, False]) @ OneToOne(jnp.array([3.0, 4.0]), (2, 2))
    Array([3., 0.], dtype=float32)
    """

    weight: Any
    shape: tuple[int, int] = field(pytree_node=False)

    def __post_init__(self) -> None:
        if self.shape[0] != self.shape[1]:
            raise ValueError(
                f"Synapses one to one need as many neurons before as behind; found {self.shape}. "
                "[BST-A10]"
            )

    def product(self, base: jax.Array, spikes: jax.Array, weight: jax.Array) -> jax.Array:
        return base + spikes * weight

    def spread(self, pre: Any, post: Any) -> tuple[Any, Any]:
        return pre, post


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

    def __post_init__(self) -> None:
        check_rows(self.indices, self.shape)
        check_targets(self.indices, self.shape[1])

    @property
    def structure(self) -> Structure:
        return FanOut(*self.shape)

    @property
    def arrays(self) -> Arrays:
        return (jnp.asarray(self.indices, jnp.int32),)

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
        check_starts(self.indptr, self.indices, self.shape)
        check_targets(self.indices, self.shape[1])
        if self.pre is None:
            rows, count = jnp.arange(self.shape[0]), self.indices.size
            pre = jnp.repeat(rows, jnp.diff(self.indptr), total_repeat_length=count)
            object.__setattr__(self, "pre", pre)

    @classmethod
    def from_scipy(cls, matrix: Any, unit: Any = None) -> CSR:
        """The synapses of a sparse matrix of SciPy, whose numbers are weights in `unit`.

        >>> import scipy.sparse
        >>> CSR.from_scipy(scipy.sparse.eye_array(3)).todense().tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
        """
        rows = matrix.tocsr()
        weight = attach(jnp.asarray(rows.data), unit)
        indices, indptr = (jnp.asarray(x, jnp.int32) for x in (rows.indices, rows.indptr))
        return cls(weight, indices, indptr, rows.shape)

    @property
    def structure(self) -> Structure:
        return Compressed(*self.shape)

    @property
    def arrays(self) -> Arrays:
        indices, indptr, pre = (
            jnp.asarray(x, jnp.int32) for x in (self.indices, self.indptr, self.pre)
        )
        return indices, indptr, pre

    def spread(self, pre: Any, post: Any) -> tuple[Any, Any]:
        return pre[..., self.pre], post[..., self.indices]


@dataclass
class Regenerated(Connection):
    """`fan_out` synapses from each neuron, whose targets are drawn from `seed` at each use.

    No target is stored, so that 10⁹ synapses need as much memory as one. They have one weight for
    all; a target may be drawn more than once. `FixedFanOut` stores what `targets` gives.

    >>> import jax.numpy as jnp
    >>> connection = Regenerated(1.0, 0, 20, (10_000_000, 1000))
    >>> (jnp.zeros(10_000_000, bool).at[3].set(True) @ connection).sum()
    Array(20., dtype=float32)
    """

    weight: Any
    seed: Any
    fan_out: int = field(pytree_node=False)
    shape: tuple[int, int] = field(pytree_node=False)

    @property
    def structure(self) -> Structure:
        return Drawn(*self.shape, self.fan_out)

    @property
    def arrays(self) -> Arrays:
        return (jnp.asarray(self.seed, jnp.uint32),)

    @property
    def targets(self) -> jax.Array:
        """The targets of all neurons, a row for each."""
        structure: Any = self.structure
        return structure.targets(self.arrays, jnp.arange(self.shape[0]))

    def spread(self, pre: Any, post: Any) -> tuple[Any, Any]:
        return pre[..., :, None], post[..., self.targets]


def _same(unit: Any, other: Any) -> bool:
    return unit is other or (unit is not None and other is not None and unit == other)
