"""Rotary position embedding."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp

from ...typing import ArrayLike


def rotary_embedding(
    x: ArrayLike,
    positions: ArrayLike | None = None,
    base: float = 10_000.0,
    interleaved: bool = False,
) -> jax.Array:
    """Turn queries or keys by angles that grow with their positions.

    Pair `i` of the `n` features of `x`, of shape (..., length, heads, n), is turned by the angle
    ``position * base ** (-2 i / n)``, so that the product of a query and a key depends on how far
    apart they are. `positions`, of shape (..., length), count from 0 unless given. A pair is
    features `i` and ``i + n/2``, or `2i` and ``2i + 1`` if `interleaved`. Su et al. (2021),
    RoFormer: Enhanced transformer with rotary position embedding, arXiv:2104.09864.

    >>> import brainstate, jax.numpy as jnp
    >>> x = jnp.array([[[1.0, 0.0]]])
    >>> brainstate.nn.rotary_embedding(x, positions=jnp.array([jnp.pi / 2])).round(3)
    Array([[[-0.,  1.]]], dtype=float32)
    """
    x = jnp.asarray(x, jnp.result_type(x, 1.0))
    _check(x, positions)
    positions = jnp.arange(x.shape[-3]) if positions is None else jnp.asarray(positions)
    return _turned(x, positions, base, interleaved)


@functools.partial(jax.jit, static_argnames="interleaved", inline=True)  # one operation when eager
def _turned(x: jax.Array, positions: jax.Array, base: ArrayLike, interleaved: bool) -> jax.Array:
    half = x.shape[-1] // 2
    wide = jnp.promote_types(x.dtype, jnp.float32)  # bfloat16 cannot count beyond 256
    frequencies = jnp.asarray(base, wide) ** (-jnp.arange(half, dtype=wide) / half)
    angles = positions[..., None, None].astype(wide) * frequencies
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    shape, axis = ((half, 2), -1) if interleaved else ((2, half), -2)
    a, b = jnp.unstack(x.reshape(*x.shape[:-1], *shape), axis=axis)
    turned = jnp.stack([a * cos - b * sin, a * sin + b * cos], axis=axis)
    return turned.reshape(x.shape).astype(x.dtype)


def _check(x: jax.Array, positions: ArrayLike | None) -> None:
    if x.ndim < 3 or x.shape[-1] % 2:
        raise ValueError(
            "rotary_embedding takes an array of shape (..., length, heads, features) with an even "
            f"number of features; found {x.shape}. [BST-A04]"
        )
    found = (x.shape[-3],) if positions is None else jnp.shape(positions)
    if found[-1:] != (x.shape[-3],) or found[:-1] not in ((), x.shape[:-3]):
        raise ValueError(
            f"`positions` for an array of shape {x.shape} have the shape {x.shape[:-2]} or "
            f"{x.shape[-3:-2]}; found {found}. [BST-A04]"
        )
