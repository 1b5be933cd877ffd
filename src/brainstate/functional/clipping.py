"""Limits on gradients."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from .._units import attach, is_quantity, split
from ..typing import ArrayLike, PyTree


def clip_grad_norm(
    grad: PyTree,
    max_norm: ArrayLike,
    norm_type: float | str | None = None,
    return_norm: bool = False,
) -> PyTree | tuple[PyTree, jax.Array]:
    """Shrink a tree of gradients so that the norm of all their numbers is at most `max_norm`.

    `norm_type` is the order of a vector norm, 2 by default; units are kept and do not count. With
    `return_norm`, the norm that was found is returned as well.

    >>> grads = clip_grad_norm({"w": jnp.array([3.0]), "b": jnp.array([4.0])}, 1.0)
    >>> {key: round(float(grad[0]), 3) for key, grad in grads.items()}
    {'b': 0.8, 'w': 0.6}
    """
    norms = [
        jnp.linalg.norm(jnp.ravel(split(leaf)[0]), norm_type)
        for leaf in jax.tree.leaves(grad, is_leaf=is_quantity)
    ]
    norm = jnp.linalg.norm(jnp.stack(norms), norm_type) if norms else jnp.zeros(())
    factor = jnp.where(norm < max_norm, 1.0, max_norm / (norm + 1e-6))

    def shrink(leaf: Any) -> Any:
        number, unit = split(leaf)
        return attach((number * factor).astype(jnp.result_type(number)), unit)

    shrunk = jax.tree.map(shrink, grad, is_leaf=is_quantity)
    return (shrunk, norm) if return_norm else shrunk
