"""`Embedding`: a vector for each of a number of things."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..._engine.names import describe
from ..._state import ParamState, State
from ..._units import attach, number_in, split
from ...init import LecunUniform
from ...init.parameters import full_param
from ...typing import ArrayLike
from ..module import Module


class Embedding(Module):
    """``W[indices]``: row `k` of `W` stands for thing number `k`.

    `W` is the State `weight`, of shape ``(num_embeddings, embedding_size)``. Indices have any
    shape; those out of range give NaN. The row `padding_idx` gets no gradients and is zero at
    first, unless `embedding_init` is an array. Rows whose norm of order `norm_type` is above
    `max_norm` are returned shortened to it; `W` itself does not change.

    >>> import brainstate, jax.numpy as jnp
    >>> words = brainstate.nn.Embedding(10, 3, padding_idx=0)
    >>> words(jnp.array([[1, 2, 0, 0], [3, 4, 5, 0]])).shape
    (2, 4, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_size: int,
        embedding_init: Callable | ArrayLike = LecunUniform(),  # noqa: B008  immutable
        name: str | None = None,
        *,
        padding_idx: int | None = None,
        max_norm: ArrayLike | None = None,
        norm_type: float = 2.0,
        param_type: type[State] = ParamState,
    ):
        super().__init__(name=name)
        if num_embeddings < 1 or embedding_size < 1:
            raise ValueError(
                "`num_embeddings` and `embedding_size` must be positive; found "
                f"{num_embeddings} and {embedding_size}. [BST-A02]"
            )
        self.num_embeddings, self.embedding_size = num_embeddings, embedding_size
        self.out_size = embedding_size
        self.padding_idx = _row_number(padding_idx, num_embeddings)
        if not 1 <= norm_type < math.inf:
            raise ValueError(
                f"`norm_type` must be finite and at least 1; found {norm_type}. [BST-A02]"
            )
        if max_norm is not None and not split(max_norm)[0] > 0:
            raise ValueError(f"`max_norm` must be positive; found {max_norm}. [BST-A02]")
        self.max_norm, self.norm_type = max_norm, norm_type
        number, unit = split(full_param(embedding_init, (num_embeddings, embedding_size)))
        if self.padding_idx is not None and callable(embedding_init):
            number = number.at[self.padding_idx].set(0)
        self.weight = param_type(attach(number, unit))

    def update(self, indices: ArrayLike) -> Any:
        indices = jnp.asarray(indices)
        if not jnp.issubdtype(indices.dtype, jnp.integer):
            raise TypeError(f"{describe(self)} takes integers; found {indices.dtype}. [BST-A09]")
        number, unit = split(self.weight.value)
        rows = number.at[indices].get(mode="fill", fill_value=jnp.nan)
        if self.max_norm is not None:
            limit = number_in(self.max_norm, unit, "max_norm")
            rows = _shortened(rows, limit, self.norm_type)
        if self.padding_idx is not None:
            padded = (indices % self.num_embeddings == self.padding_idx)[..., None]
            rows = jnp.where(padded, jax.lax.stop_gradient(rows), rows)
        return attach(rows, unit)


def _row_number(index: int | None, count: int) -> int | None:
    if index is None:
        return None
    if not -count <= index < count:
        raise ValueError(f"`padding_idx` must lie in [-{count}, {count}); found {index}. [BST-A02]")
    return index % count


def _shortened(rows: Any, limit: Any, order: float) -> Any:
    """Rows of at most this length; the derivative is right for rows of zeros, too."""
    excess = jnp.sum(jnp.abs(rows / limit) ** order, -1, keepdims=True)
    return rows * jnp.maximum(excess, 1) ** (-1 / order)
