"""Where the synapses of a neuron lie: one row of targets, and of weights, for each kind.

A structure is static and hashable; the arrays that it speaks of are passed beside it, so that
lanes of a `vmap` may share them. Each gives

- `for_kernel(arrays)`: those that the native product takes,
- `row(arrays, weight, pre, part)`: the targets and weights of one part of a row,
- `parts(arrays, pre)`: how many parts the row has,
- `everywhere(events, weight, arrays)`: the product over all synapses, whether there is an event or
  not, which is linear in events and in weights, so that JAX transposes it,
- `row_length(arrays)`: how many a neuron has, to tell what is cheaper.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from .regenerated import drawn_targets

Arrays = tuple[jax.Array, ...]
_PART = 128  # synapses of a compressed row that are added at once


@dataclasses.dataclass(frozen=True)
class Structure:
    """Synapses from `n_pre` to `n_post` neurons."""

    n_pre: int
    n_post: int

    kernel = ""  # the name of the native product

    def attributes(self) -> dict[str, Any]:
        """Static numbers that the native product needs."""
        return {}

    def for_kernel(self, arrays: Arrays) -> Arrays:
        """The arrays that the native product needs."""
        return arrays

    def shapes(self, arrays: Arrays) -> tuple[tuple[int, ...], ...]:
        """The shape of weights, one for each synapse, and those that the arrays must have."""
        raise NotImplementedError(f"{type(self).__name__} must define shapes(). [BST-A14]")

    def check(self, weight: jax.Array, arrays: Arrays) -> None:
        """ValueError for shapes that do not fit: the native product trusts them."""
        each, *expected = self.shapes(arrays)
        if weight.shape not in ((), each):
            or_each = f", or one for each, of shape {each}" if each else ""
            raise ValueError(
                f"{type(self).__name__} synapses take one weight for all{or_each}; found weights "
                f"of shape {weight.shape}. [BST-A04]"
            )
        found = [x.shape for x in arrays]
        if found != expected:
            raise ValueError(
                f"{type(self).__name__} synapses from {self.n_pre} neurons need arrays of the "
                f"shapes {expected}; found {found}. [BST-A04]"
            )

    def row_length(self, arrays: Arrays) -> float:
        """Synapses of a neuron, on average."""
        raise NotImplementedError(f"{type(self).__name__} must define row_length(). [BST-A14]")

    def parts(self, arrays: Arrays, pre: jax.Array) -> Any:
        """In how many parts `row` gives the synapses of a neuron."""
        return 1

    def row(self, arrays: Arrays, weight: jax.Array, pre: jax.Array, part: Any) -> tuple:
        """The targets and weights of one part of a row; targets of `n_post` are left out."""
        raise NotImplementedError(f"{type(self).__name__} must define row(). [BST-A14]")

    def everywhere(self, events: jax.Array, weight: jax.Array, arrays: Arrays) -> jax.Array:
        """``events @ synapses`` over all synapses."""
        raise NotImplementedError(f"{type(self).__name__} must define everywhere(). [BST-A14]")


@dataclasses.dataclass(frozen=True)
class FanOut(Structure):
    """``targets[n_pre, k]``; weights of that shape, or one for all."""

    kernel = "fan_out"

    def shapes(self, arrays: Arrays) -> tuple[tuple[int, ...], ...]:
        rows = self.n_pre, arrays[0].shape[-1]
        return rows, rows

    def row_length(self, arrays: Arrays) -> float:
        return arrays[0].shape[-1]

    def row(self, arrays: Arrays, weight: jax.Array, pre: jax.Array, part: Any) -> tuple:
        targets = lax.dynamic_index_in_dim(arrays[0], pre, keepdims=False)
        return targets, _row_of(weight, pre)

    def everywhere(self, events: jax.Array, weight: jax.Array, arrays: Arrays) -> jax.Array:
        return _arrived(jnp.moveaxis(events, -1, 0)[:, None], weight, arrays[0], self.n_post)


@dataclasses.dataclass(frozen=True)
class Compressed(Structure):
    """``targets[synapses]``, and the start of each row, ``starts[n_pre + 1]``.

    The row of each synapse, ``rows[synapses]``, serves the product over all of them.
    """

    kernel = "compressed"

    def shapes(self, arrays: Arrays) -> tuple[tuple[int, ...], ...]:
        each = (arrays[0].size,)
        return each, each, (self.n_pre + 1,), each

    def for_kernel(self, arrays: Arrays) -> Arrays:
        return arrays[:2]

    def row_length(self, arrays: Arrays) -> float:
        return arrays[0].shape[-1] / max(1, self.n_pre)

    def parts(self, arrays: Arrays, pre: jax.Array) -> Any:
        begin, end = arrays[1][pre], arrays[1][pre + 1]
        return (end - begin + _PART - 1) // _PART

    def row(self, arrays: Arrays, weight: jax.Array, pre: jax.Array, part: Any) -> tuple:
        targets, starts = arrays[:2]
        size = min(_PART, targets.size)
        first = starts[pre] + part * _PART
        begin = jnp.clip(first, 0, targets.size - size)  # a slice that lies within the array
        places = begin + jnp.arange(size, dtype=starts.dtype)
        own = (first <= places) & (places < jnp.minimum(first + _PART, starts[pre + 1]))
        found = jnp.where(own, lax.dynamic_slice(targets, (begin,), (size,)), self.n_post)
        return found, lax.dynamic_slice(weight, (begin,), (size,)) if weight.ndim else weight

    def everywhere(self, events: jax.Array, weight: jax.Array, arrays: Arrays) -> jax.Array:
        targets, _, rows = arrays
        return _arrived(jnp.moveaxis(events, -1, 0)[rows], weight, targets, self.n_post)


@dataclasses.dataclass(frozen=True)
class AllToAll(Structure):
    """No arrays: the weights are the matrix."""

    kernel = "all_to_all"

    def shapes(self, arrays: Arrays) -> tuple[tuple[int, ...], ...]:
        return ((self.n_pre, self.n_post),)

    def row_length(self, arrays: Arrays) -> float:
        return self.n_post

    def row(self, arrays: Arrays, weight: jax.Array, pre: jax.Array, part: Any) -> tuple:
        return None, _row_of(weight, pre)

    def everywhere(self, events: jax.Array, weight: jax.Array, arrays: Arrays) -> jax.Array:
        return jnp.matmul(events, weight)


@dataclasses.dataclass(frozen=True)
class Drawn(Structure):
    """``fan_out`` targets of each neuron, drawn anew from ``seed[]`` whenever they are needed."""

    fan_out: int

    kernel = "regenerated"

    def shapes(self, arrays: Arrays) -> tuple[tuple[int, ...], ...]:
        return (), ()

    def attributes(self) -> dict[str, Any]:
        return {"fan_out": self.fan_out}

    def row_length(self, arrays: Arrays) -> float:
        return self.fan_out

    def targets(self, arrays: Arrays, pre: jax.Array) -> jax.Array:
        """The targets of the neurons `pre`, a row for each."""
        return drawn_targets(arrays[0], pre, self.fan_out, self.n_post)

    def row(self, arrays: Arrays, weight: jax.Array, pre: jax.Array, part: Any) -> tuple:
        return self.targets(arrays, pre[None])[0], weight

    def everywhere(self, events: jax.Array, weight: jax.Array, arrays: Arrays) -> jax.Array:
        targets = self.targets(arrays, jnp.arange(self.n_pre))
        return _arrived(jnp.moveaxis(events, -1, 0)[:, None], weight, targets, self.n_post)


def _row_of(weight: jax.Array, pre: jax.Array) -> jax.Array:
    return lax.dynamic_index_in_dim(weight, pre, keepdims=False) if weight.ndim else weight


def _arrived(spikes: jax.Array, weight: jax.Array, targets: jax.Array, n_post: int) -> jax.Array:
    """The sum at each target of the spikes times the weights; batch axes come in last.

    There they lie side by side in memory: with 16 samples nine times as fast as with them first.
    """
    batch = spikes.shape[targets.ndim :]
    carried = spikes * weight.reshape(*weight.shape, *(1,) * len(batch))
    zeros = jnp.zeros((n_post, *batch), carried.dtype)
    return jnp.moveaxis(zeros.at[targets].add(carried, mode="drop"), 0, -1)
