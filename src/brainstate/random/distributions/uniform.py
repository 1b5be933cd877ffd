"""Uniform laws."""

from __future__ import annotations

import functools
import operator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..drawing import as_number, broadcast_shape, check
from ..laws import continuous, counts
from .sampler import OptDType, OptKey, OptReal, OptSize, Real, Sampler, integer_type

ZERO, ONE = 0.0, 1.0


class Uniform(Sampler):
    """Uniform numbers, real and whole."""

    def rand(self, *dn: int, key: OptKey = None, dtype: OptDType = None) -> jax.Array:
        """Uniform on ``[0, 1)``, of shape `dn`.

        >>> import brainstate
        >>> brainstate.random.rand(2, 3).shape
        (2, 3)
        """
        return self._real(jax.random.uniform, dn, key, dtype)

    def rand_like(self, input: Any, *, dtype: OptDType = None, key: OptKey = None) -> jax.Array:
        """Uniform on ``[0, 1)``, of the shape of `input` and the default type."""
        return self._real(jax.random.uniform, jnp.shape(input), key, dtype)

    def random(self, size: OptSize = None, key: OptKey = None, dtype: OptDType = None) -> jax.Array:
        """Uniform on ``[0, 1)``."""
        return self._real(jax.random.uniform, size, key, dtype)

    random_sample = ranf = sample = random

    def uniform(
        self,
        low: Real = ZERO,
        high: Real = ONE,
        size: OptSize = None,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> Any:
        """Uniform on ``[low, high)``, in the unit of `low`."""
        if low is ZERO and high is ONE:  # numbers cost time on their way to the device
            return self.random(size, key, dtype)
        return self._in_unit_of("low", continuous.uniform, size, key, dtype, low=low, high=high)

    def randint(
        self,
        low: Real,
        high: OptReal = None,
        size: OptSize = None,
        dtype: OptDType = None,
        key: OptKey = None,
    ) -> jax.Array:
        """Whole numbers in ``[low, high)``, or in ``[0, low)`` where `high` is None."""
        if high is None:
            low, high = 0, low
        low, high = bounds(low, high, dtype)
        shape = broadcast_shape(size, {"low": low, "high": high})
        # Numbers cost time on their way to the device.
        start = None if type(low) is int and low == 0 else low
        return self._sample(counts.randint, shape, integer_type(dtype), key, start, high)

    def random_integers(
        self,
        low: Real,
        high: OptReal = None,
        size: OptSize = None,
        key: OptKey = None,
        dtype: OptDType = None,
    ) -> jax.Array:
        """Whole numbers in ``[low, high]``, or in ``[1, low]`` where `high` is None."""
        if high is None:
            low, high = 1, low
        return self.randint(low, as_number("high", high) + 1, size, dtype, key)

    def randint_like(
        self,
        input: Any,
        low: Real = 0,
        high: OptReal = None,
        *,
        dtype: OptDType = None,
        key: OptKey = None,
    ) -> jax.Array:
        """`randint` of the shape of `input`; where `high` is None, it is the largest of `input`."""
        high = jnp.max(jnp.asarray(input)) if high is None else high
        return self.randint(low, high, jnp.shape(input), dtype, key)


def bounds(low: Any, high: Any, dtype: OptDType) -> tuple[Any, Any]:
    """Both, checked, and Python integers beyond the default integer type as unsigned ones."""
    low, high = as_number("low", low), as_number("high", high)
    message = "`low` must be below `high`; found low={low} and high={high}."
    check(operator.lt, message, low=low, high=high)
    info = limits(integer_type(dtype))
    if (isinstance(low, int) and low < info.min) or (isinstance(high, int) and high - 1 > info.max):
        raise ValueError(
            f"[{low}, {high}) does not fit into {info.dtype}; pass a wider `dtype`. [BST-A09]"
        )
    return unsigned_if_large(low), unsigned_if_large(high)


limits = functools.cache(np.iinfo)


def unsigned_if_large(x: Any) -> Any:
    """The same number, in a type that holds it."""
    if not isinstance(x, int) or x < 2**31:
        return x
    default = np.iinfo(jnp.result_type(int))
    return np.dtype(f"uint{default.bits}").type(x) if x > default.max else x
