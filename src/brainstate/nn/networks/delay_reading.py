"""Reading a history: one sample, or for each element its own, at whole places or between them."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ... import environ
from ..._units import attach, is_quantity, split
from .interpolation import Interpolation, window


class Reading(NamedTuple):
    """What to read from a history.

    `back` counts samples from the newest one, which stands at the place `newest` of a ring, or, if
    that is None, before all others. It is a whole or a real number, or an array of them: one for
    each element that `indices` choose, or, without `indices`, one for each element of a sample.
    """

    newest: Any
    back: Any
    indices: tuple
    method: Interpolation

    def of(self, history: Any, batched: bool) -> Any:
        """The values, with the batch axis in front if there is one."""
        read = jax.vmap(self._of_sequence, in_axes=1) if batched else self._of_sequence

        def one(leaf: Any) -> Any:
            number, unit = split(leaf)
            return attach(read(number), unit)

        return jax.tree.map(one, history, is_leaf=is_quantity)

    def _of_sequence(self, samples: jax.Array) -> jax.Array:
        back, indices = self.back, self.indices
        if jnp.ndim(back) > 0 and not indices:
            back, indices = _for_each_element(back, samples.shape[1:])
        if not jnp.issubdtype(jnp.result_type(back), jnp.floating):
            return self._at(samples, back, indices)
        first, weights = window(self.method, jnp.asarray(back), len(samples))
        found = [self._at(samples, first + k, indices) for k in range(len(weights))]
        if len(found) == 1:
            return found[0]
        exact = jnp.issubdtype(samples.dtype, jnp.inexact)
        dtype = samples.dtype if exact else environ.dftype()
        axes = _axes_after(back, indices, found[0])
        terms = [
            jnp.reshape(weight, weight.shape + axes).astype(dtype) * values
            for weight, values in zip(weights, found, strict=True)
        ]
        return sum(terms[1:], start=terms[0])

    def _at(self, samples: jax.Array, back: Any, indices: tuple) -> jax.Array:
        slots = jnp.mod(back if self.newest is None else self.newest - back, len(samples))
        if jnp.ndim(slots) > 0:
            return samples[(slots, *indices)]
        sample = samples[slots]
        return sample[indices] if indices else sample


def _for_each_element(back: Any, shape: tuple[int, ...]) -> tuple[Any, tuple]:
    try:
        return jnp.broadcast_to(back, shape), np.ix_(*map(np.arange, shape))
    except ValueError:
        raise ValueError(
            f"Delays of shape {jnp.shape(back)} do not fit values of shape {shape}: without "
            "indices, each element has a delay. Say by index arrays which elements are delayed, as "
            "in `delay.at(entry, indices)`. [BST-A04]"
        ) from None


def _axes_after(back: Any, indices: tuple, values: jax.Array) -> tuple[int, ...]:
    """The axes of the values that lie behind those of the delays."""
    if jnp.ndim(back) == 0:
        return ()
    arrays = [jnp.shape(index) for index in indices if not isinstance(index, slice)]
    chosen = np.broadcast_shapes(jnp.shape(back), *arrays)
    return (1,) * (values.ndim - len(chosen))
