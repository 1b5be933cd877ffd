"""Initializers that draw independent numbers from one law."""

from __future__ import annotations

from typing import Any

from .._units import attach, number_in, split
from ..typing import ArrayLike, DTypeLike, SeedOrKey
from .base import RandomInitializer


class Normal(RandomInitializer):
    """Normal numbers of a mean and a standard deviation, which may be quantities.

    >>> import brainstate
    >>> brainstate.init.Normal(0.0, 0.1)((2, 3)).shape
    (2, 3)
    """

    def __init__(
        self,
        mean: ArrayLike = 0.0,
        scale: ArrayLike = 1.0,
        unit: Any = None,
        seed: SeedOrKey | None = None,
    ):
        super().__init__(seed, unit)
        self.mean, self.scale = mean, scale

    def _number(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        return self.rng.normal(self.mean, self.scale, size=shape, dtype=dtype)


class TruncatedNormal(RandomInitializer):
    """Normal numbers between two bounds, which are two standard deviations away unless given.

    >>> import brainstate
    >>> x = brainstate.init.TruncatedNormal(lower=0.0)((100,))
    >>> bool((x > 0).all() and (x < 2).all())
    True
    """

    def __init__(
        self,
        loc: ArrayLike = 0.0,
        scale: ArrayLike = 1.0,
        unit: Any = None,
        lower: ArrayLike | None = None,
        upper: ArrayLike | None = None,
        seed: SeedOrKey | None = None,
    ):
        super().__init__(seed, unit)
        self.loc, self.scale, self.lower, self.upper = loc, scale, lower, upper

    def _number(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        loc, own = split(self.loc)
        scale = number_in(self.scale, own, "scale")
        lower = loc - 2 * scale if self.lower is None else number_in(self.lower, own, "lower")
        upper = loc + 2 * scale if self.upper is None else number_in(self.upper, own, "upper")
        return attach(self.rng.truncated_normal(lower, upper, shape, loc, scale, dtype=dtype), own)


class Uniform(RandomInitializer):
    """Uniform numbers between two bounds, which may be quantities.

    >>> import brainstate
    >>> brainstate.init.Uniform(-1.0, 1.0, seed=0)((2, 3)).shape
    (2, 3)
    """

    def __init__(
        self,
        min_val: ArrayLike = 0.0,
        max_val: ArrayLike = 1.0,
        seed: SeedOrKey | None = None,
        unit: Any = None,
    ):
        super().__init__(seed, unit)
        self.min_val, self.max_val = min_val, max_val

    def _number(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        return self.rng.uniform(self.min_val, self.max_val, size=shape, dtype=dtype)


class Gamma(RandomInitializer):
    """Gamma numbers of a shape parameter and a scale.

    >>> import brainstate
    >>> bool((brainstate.init.Gamma(2.0)((5,)) > 0).all())
    True
    """

    def __init__(
        self,
        shape: ArrayLike,
        unit: Any = None,
        scale: ArrayLike | None = None,
        seed: SeedOrKey | None = None,
    ):
        super().__init__(seed, unit)
        self.shape, self.scale = shape, 1.0 if scale is None else scale

    def _number(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        return self.rng.gamma(self.shape, self.scale, size=shape, dtype=dtype)


class Exponential(RandomInitializer):
    """Exponential numbers of mean `scale`.

    >>> import brainstate
    >>> bool((brainstate.init.Exponential()((5,)) > 0).all())
    True
    """

    def __init__(
        self, scale: ArrayLike | None = None, seed: SeedOrKey | None = None, unit: Any = None
    ):
        super().__init__(seed, unit)
        self.scale = 1.0 if scale is None else scale

    def _number(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        return self.rng.exponential(self.scale, size=shape, dtype=dtype)
