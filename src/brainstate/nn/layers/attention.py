"""Multi-head attention."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..._engine.names import describe
from ..._state import ShortTermState
from ..._units import number_in
from ...init import XavierNormal, ZeroInit
from ...init.sizes import needed_size
from ...typing import ArrayLike, Size
from ..checks import check_batch, check_trailing
from ..module import Module
from ..variable import Variable
from .dot_product import attend
from .linear import Linear
from .rotary import rotary_embedding


class MultiHeadAttention(Module):
    """Attention with several heads: ``softmax(q kᵀ / √head_size) v`` in each, then mixed.

    ``attention(query, key, value, mask)`` takes sequences of shape (..., length, features); a key
    left out is the query, and a value left out is the key. The linear layers `query`, `key`,
    `value` and `output` hold the parameters. Vaswani et al. (2017), Attention is all you need,
    NeurIPS.

    Sizes are numbers of features: `in_size` of a query, `out_size` of the result, `key_size`
    (`in_size` unless given), `value_size` (`key_size` unless given) and `head_size` (``in_size /
    num_heads`` unless given), of what each head compares. With `num_kv_heads` below `num_heads`,
    groups of heads share keys and values (Ainslie et al., 2023, GQA, EMNLP).

    A boolean `mask` is true where a query may look; one of floating-point numbers is added to the
    products. It broadcasts to (..., heads, queries, keys). With ``causal=True``, query `i` looks at
    keys up to `i`. ``rotary=True`` turns queries and keys by `rotary_embedding`, or by the function
    of an array and its positions that is given.

    With a `cache_size`, `decode` takes a sequence piece by piece.

    >>> import brainstate, jax.numpy as jnp
    >>> attention = brainstate.nn.MultiHeadAttention(8, 6, num_heads=2, causal=True)
    >>> attention(jnp.ones((4, 5, 8))).shape
    (4, 5, 6)
    """

    cached_keys: ShortTermState
    cached_values: ShortTermState
    cached_length: ShortTermState

    def __init__(
        self,
        in_size: Size,
        out_size: Size,
        num_heads: int,
        *,
        key_size: Size | None = None,
        value_size: Size | None = None,
        head_size: int | None = None,
        num_kv_heads: int | None = None,
        causal: bool = False,
        rotary: bool | Callable = False,
        cache_size: int | None = None,
        w_init: Callable | ArrayLike = XavierNormal(),  # noqa: B008  immutable
        b_init: Callable | ArrayLike | None = ZeroInit(),  # noqa: B008
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.in_size = needed_size(in_size, "in_size")
        self.out_size = needed_size(out_size, "out_size")
        self.key_size = self.in_size if key_size is None else needed_size(key_size, "key_size")
        self.value_size = (
            self.key_size if value_size is None else needed_size(value_size, "value_size")
        )
        self.num_heads = num_heads
        self.num_kv_heads = num_heads if num_kv_heads is None else num_kv_heads
        self.head_size = _head_size(self.in_size[-1], num_heads) if head_size is None else head_size
        self.causal, self.cache_size = causal, cache_size
        self.rotary = rotary_embedding if rotary is True else rotary or None
        self._check_options()

        def layer(size: tuple[int, ...], heads: int) -> Linear:
            return Linear(size[-1], heads * self.head_size, w_init=w_init, b_init=b_init)

        self.query = layer(self.in_size, num_heads)
        self.key = layer(self.key_size, self.num_kv_heads)
        self.value = layer(self.value_size, self.num_kv_heads)
        self.output = Linear(num_heads * self.head_size, self.out_size[-1], w_init, b_init)

    def variables(self) -> dict[str, Variable]:
        if self.cache_size is None:
            return {}
        shape = (self.cache_size, self.num_kv_heads, self.head_size)
        return {
            "cached_keys": Variable(ZeroInit(), shape, ShortTermState),
            "cached_values": Variable(ZeroInit(), shape, ShortTermState),
            "cached_length": Variable(0, (), ShortTermState, jnp.int32),
        }

    def update(
        self,
        query: ArrayLike,
        key: ArrayLike | None = None,
        value: ArrayLike | None = None,
        mask: ArrayLike | None = None,
    ) -> jax.Array:
        key = query if key is None else key
        value = key if value is None else value
        q, k, v = self._projected(query, key, value)
        if self.rotary is not None:
            q, k = self.rotary(q, jnp.arange(q.shape[-3])), self.rotary(k, jnp.arange(k.shape[-3]))
        return self._mixed(attend(q, k, v, mask, self.causal))

    def decode(self, x: ArrayLike) -> jax.Array:
        """What a call gives for the next piece of a sequence, after the pieces decoded before.

        `x` has the shape (..., length, features), often with length 1. The last `cache_size` keys
        and values are kept, in States that `init_all_states` creates; earlier ones are forgotten.
        """
        q, k, v = self._projected(x, x, x)
        size, length = self._checked_cache_size(q.shape[-3]), q.shape[-3]
        check_batch(self, q, 3, self.cached_length.value, 0)
        positions = self.cached_length.value[..., None] + jnp.arange(length)
        if self.rotary is not None:
            q, k = self.rotary(q, positions), self.rotary(k, positions)
        for cache, new in (self.cached_keys, k), (self.cached_values, v):
            cache.value = _stored(cache.value, new.astype(cache.value.dtype), positions % size)
        self.cached_length.value += length
        return self._mixed(
            attend(q, self.cached_keys.value, self.cached_values.value, _seen(positions, size))
        )

    def _projected(self, query: Any, key: Any, value: Any) -> list[jax.Array]:
        """Queries, keys and values of shape (..., length, heads, features of a head)."""
        given = {"query": query, "key": key, "value": value}
        given = {name: jnp.asarray(number_in(x, None, name)) for name, x in given.items()}
        sizes = {"query": self.in_size, "key": self.key_size, "value": self.value_size}
        for name, x in given.items():
            _check_sequence(self, name, x, sizes[name][-1])  # type: ignore[index]
        _check_together(self, **given)
        return [
            layer(x).reshape(*x.shape[:-1], -1, self.head_size)
            for layer, x in zip((self.query, self.key, self.value), given.values(), strict=True)
        ]

    def _mixed(self, heads: jax.Array) -> jax.Array:
        return self.output(heads.reshape(*heads.shape[:-2], -1))

    def _checked_cache_size(self, length: int) -> int:
        if self.cache_size is None:
            raise ValueError(
                f"{describe(self)} cannot decode: construct it with a `cache_size`. [BST-N04]"
            )
        if length > self.cache_size:
            raise ValueError(
                f"{describe(self)} was given {length} positions to decode at once, but keeps "
                f"{self.cache_size}; construct it with a larger `cache_size`, or give fewer. "
                "[BST-N04]"
            )
        return self.cache_size

    def _check_options(self) -> None:
        for name in ("num_heads", "num_kv_heads", "head_size", "cache_size"):
            value = getattr(self, name)
            if not (_is_count(value) or (name == "cache_size" and value is None)):
                raise ValueError(f"`{name}` must be a positive integer; found {value!r}. [BST-A02]")
        if self.num_heads % self.num_kv_heads:
            raise ValueError(
                f"`num_kv_heads` must divide num_heads={self.num_heads}; found "
                f"{self.num_kv_heads}. [BST-A02]"
            )
        if not (self.rotary is None or callable(self.rotary)):
            raise ValueError(
                f"`rotary` must be a bool or a function; found {self.rotary!r}. [BST-A01]"
            )
        if self.rotary is rotary_embedding and self.head_size % 2:
            raise ValueError(
                f"rotary=True needs an even head_size; found {self.head_size}. [BST-A02]"
            )
        own_sequence = self.in_size == self.key_size == self.value_size
        if self.cache_size is not None and not (self.causal and own_sequence):
            raise ValueError(
                "A `cache_size` is for attention of a sequence to its own past: it needs causal="
                "True, and neither `key_size` nor `value_size`. [BST-A07]"
            )


def _head_size(num_features: int, num_heads: int) -> int:
    if not _is_count(num_heads) or num_features % num_heads:
        raise ValueError(
            f"`num_heads` must be a positive integer that divides the {num_features} features of "
            f"`in_size`, unless there is a `head_size`; found {num_heads!r}. [BST-A02]"
        )
    return num_features // num_heads


def _is_count(x: Any) -> bool:
    return isinstance(x, (int, np.integer)) and bool(x > 0)


def _check_sequence(layer: Any, name: str, x: jax.Array, size: int) -> None:
    check_trailing(layer, x, (size,), what=f"a {name}")
    if x.ndim < 2:
        raise ValueError(
            f"{describe(layer)} takes a {name} of shape (..., length, {size}); found {x.shape}. "
            "Write x[None] for a sequence of length 1. [BST-A04]"
        )


def _check_together(layer: Any, query: jax.Array, key: jax.Array, value: jax.Array) -> None:
    if (
        not query.shape[:-2] == key.shape[:-2] == value.shape[:-2]
        or key.shape[-2] != value.shape[-2]
    ):
        raise ValueError(
            f"{describe(layer)} takes a query, key and value with the same batch axes, and a key "
            f"and value of the same length; found the shapes {query.shape}, {key.shape} and "
            f"{value.shape}. [BST-A04]"
        )


@functools.partial(jax.jit, inline=True)  # one operation when eager
def _stored(cache: jax.Array, new: jax.Array, slots: jax.Array) -> jax.Array:
    """The cache with the new rows in these slots; all may have a batch axis."""
    store = lambda cache, new, slots: cache.at[slots].set(new)  # noqa: E731
    for _ in range(slots.ndim - 1):
        store = jax.vmap(store)
    return store(cache, new, slots)


@functools.partial(jax.jit, static_argnums=1, inline=True)
def _seen(positions: jax.Array, cache_size: int) -> jax.Array:
    """Which slots of a cache, filled in a ring, the queries at these positions look at."""
    last = positions[..., -1:]
    kept = last - (last - jnp.arange(cache_size)) % cache_size  # the position in each slot
    seen = (kept[..., None, :] >= 0) & (kept[..., None, :] <= positions[..., :, None])
    return seen[..., None, :, :]
