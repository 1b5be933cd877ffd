"""Drawing from a population, and reordering it."""

from __future__ import annotations

import operator
from typing import Any

import jax

from ..._units import attach, split
from ..drawing import as_number, as_shape, with_options
from ..laws import vectors
from .sampler import OptKey, OptReal, OptSize, Sampler


class Populations(Sampler):
    """Members and orders; a whole number stands for ``range`` of it."""

    def choice(
        self,
        a: Any,
        size: OptSize = None,
        replace: bool = True,
        p: OptReal = None,
        key: OptKey = None,
    ) -> jax.Array:
        """Members of `a`, uniformly or with probabilities `p`."""
        a, p = as_number("a", a), as_number("p", p)
        shape, replace = as_shape(size) or (), bool(replace)
        if getattr(a, "ndim", 0) == 0:
            law = with_options(vectors.choice_of_range, n=operator.index(a), replace=replace)
            return self._sample(law, shape, None, key, p)
        law = with_options(vectors.choice, replace=replace)
        return self._sample(law, shape, None, key, a, p)

    def permutation(
        self, x: Any, axis: int = 0, independent: bool = False, key: OptKey = None
    ) -> Any:
        """`x` in random order along `axis`, in its unit; `independent`: each line its own order."""
        x, unit = split(x)
        x = as_number("x", x)
        if getattr(x, "ndim", 0) == 0:
            law = with_options(vectors.permutation_of_range, n=operator.index(x))
            return self._sample(law, (), None, key)
        law = with_options(vectors.permutation, axis=axis, independent=bool(independent))
        return attach(self._sample(law, (), None, key, x), unit)

    def shuffle(self, x: Any, axis: int = 0, key: OptKey = None) -> Any:
        """A shuffled copy of the array `x`, in its unit; `x` itself stays as it is."""
        if not hasattr(x, "ndim"):
            raise TypeError(
                f"shuffle() takes an array and returns a shuffled copy; found a "
                f"{type(x).__name__}. [BST-A01]"
            )
        return self.permutation(x, axis, key=key)
