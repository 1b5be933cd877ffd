"""Scaled dot-product attention with any number of batch axes."""

from __future__ import annotations

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from ...typing import ArrayLike


@functools.partial(jax.jit, static_argnames="causal", inline=True)  # one operation in eager code
def attend(
    q: jax.Array, k: jax.Array, v: jax.Array, mask: ArrayLike | None = None, causal: bool = False
) -> jax.Array:
    """`jax.nn.dot_product_attention` of arrays of shape (..., length, heads, features).

    A boolean mask says where to look, one of floating-point numbers is added to the products; it
    broadcasts to (..., heads, queries, keys).

    >>> q, kv = jnp.ones((2, 5, 3, 8, 4)), jnp.ones((2, 5, 7, 2, 4))
    >>> attend(q[..., :2, :], kv, kv, mask=jnp.ones((3, 7), bool)).shape
    (2, 5, 3, 2, 4)
    """
    *batch, length, heads, _ = q.shape
    dtype = jnp.result_type(q, k, v)
    q, k, v = (x.reshape(math.prod(batch), *x.shape[-3:]).astype(dtype) for x in (q, k, v))
    bias = None
    if mask is not None:
        mask = _fitted(jnp.asarray(mask), (*batch, heads, length, k.shape[-3]))
        if mask.dtype != bool:
            bias, mask = mask.astype(dtype), None
    y = jax.nn.dot_product_attention(q, k, v, bias=bias, mask=mask, is_causal=causal)
    return y.reshape(*batch, *y.shape[1:])


def _fitted(mask: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """The mask with one batch axis, ready to broadcast to the others of `shape`."""
    if mask.dtype != bool and not jnp.issubdtype(mask.dtype, jnp.floating):
        raise ValueError(
            f"A `mask` is boolean, or has floating-point numbers to add; found {mask.dtype}. "
            "[BST-A09]"
        )
    try:
        fits = np.broadcast_shapes(mask.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"A `mask` broadcasts to (..., heads, queries, keys), here {shape}; found "
            f"{mask.shape}. [BST-A04]"
        )
    mask = mask.reshape((1,) * (len(shape) - mask.ndim) + mask.shape)
    mask = jnp.broadcast_to(mask, (*shape[:-3], *mask.shape[-3:]))
    return mask.reshape(math.prod(shape[:-3]), *mask.shape[-3:])
