"""Losses that favour small, sparse, smooth, even or orthogonal parameters."""

from __future__ import annotations

import operator
from typing import Any

import jax
import jax.numpy as jnp

from ...init import Orthogonal
from ...typing import ArrayLike, Size
from .regularization import Regularization, WeightedLoss, unit_in


class L1Reg(WeightedLoss):
    """``weight * sum(abs(x))``, of numbers in `unit`; it makes parameters sparse.

    >>> L1Reg(0.5).loss(jnp.array([1.0, -3.0]))
    Array(2., dtype=float32)
    """

    def __init__(self, weight: ArrayLike = 1.0, fit_hyper: bool = False, unit: Any = None):
        super().__init__(weight, fit_hyper, unit)

    def _penalty(self, x: jax.Array) -> jax.Array:
        return jnp.abs(x)


class L2Reg(WeightedLoss):
    """``weight * sum(x**2)``, of numbers in `unit`; it keeps parameters small.

    >>> L2Reg(0.5).loss(jnp.array([1.0, -3.0]))
    Array(5., dtype=float32)
    """

    def __init__(self, weight: ArrayLike = 1.0, fit_hyper: bool = False, unit: Any = None):
        super().__init__(weight, fit_hyper, unit)

    def _penalty(self, x: jax.Array) -> jax.Array:
        return x**2


class ElasticNetReg(WeightedLoss):
    """``sum(alpha * l1_weight * abs(x) + (1 - alpha) * l2_weight * x**2)``, of numbers in `unit`.

    Zou and Hastie, 2005, J. R. Stat. Soc. B.

    >>> ElasticNetReg(1.0, 2.0).loss(jnp.array([1.0, -3.0]))
    Array(12., dtype=float32)
    """

    def __init__(
        self,
        l1_weight: ArrayLike = 1.0,
        l2_weight: ArrayLike = 1.0,
        alpha: float = 0.5,
        fit_hyper: bool = False,
        unit: Any = None,
    ):
        super().__init__(1.0, False, unit)
        self.fit_hyper = fit_hyper
        self._hold("l1_weight", l1_weight, zero=True)
        self._hold("l2_weight", l2_weight, zero=True)
        if not 0 <= alpha <= 1:
            raise ValueError(
                f"`alpha` of ElasticNetReg must lie in [0, 1]; found {alpha!r}. [BST-A02]"
            )
        self.alpha = alpha

    def _penalty(self, x: jax.Array) -> jax.Array:
        l1 = self.alpha * self._number("l1_weight")
        l2 = (1 - self.alpha) * self._number("l2_weight")
        return l1 * jnp.abs(x) + l2 * x**2


class HuberReg(WeightedLoss):
    """``weight * sum(x**2 / 2)``, but ``delta * (abs(x) - delta / 2)`` where ``abs(x) > delta``.

    Values are in the unit of `delta` (Huber, 1964, Ann. Math. Stat.).

    >>> HuberReg(1.0, delta=1.0).loss(jnp.array([1.0, -3.0]))
    Array(3., dtype=float32)
    """

    def __init__(self, weight: ArrayLike = 1.0, delta: ArrayLike = 1.0, fit_hyper: bool = False):
        super().__init__(weight, fit_hyper, unit_in(delta))
        self._hold("delta", delta, self.unit)

    def _penalty(self, x: jax.Array) -> jax.Array:
        inner = jnp.minimum(jnp.abs(x), self._number("delta", self.unit))
        return inner * (jnp.abs(x) - inner / 2)


class GroupLassoReg(WeightedLoss):
    """`weight` times the sum of the lengths of groups of `group_size` consecutive numbers.

    Groups are counted along the last axis; whole groups become zero (Yuan and Lin, 2006, J. R.
    Stat. Soc. B, where the length is multiplied by the root of the size).

    >>> GroupLassoReg(1.0, group_size=2).loss(jnp.array([3.0, 4.0, 0.0, 1.0]))
    Array(6., dtype=float32)
    """

    def __init__(
        self,
        weight: ArrayLike = 1.0,
        group_size: int = 1,
        fit_hyper: bool = False,
        unit: Any = None,
    ):
        super().__init__(weight, fit_hyper, unit)
        self.group_size = _at_least_1(self, group_size=group_size)

    def _penalty(self, x: jax.Array) -> jax.Array:
        if x.ndim == 0 or x.shape[-1] % self.group_size:
            raise ValueError(
                f"GroupLassoReg divides the last axis into groups of {self.group_size}; found the "
                f"shape {x.shape}. [BST-A04]"
            )
        return _length(x.reshape(*x.shape[:-1], -1, self.group_size), axis=-1)


class TotalVariationReg(WeightedLoss):
    """``weight * sum(abs(differences))``, of this order, along the last axis.

    Order 1 favours steps (Rudin, Osher and Fatemi, 1992, Physica D), order 2 straight pieces.

    >>> TotalVariationReg(1.0).loss(jnp.array([1.0, 3.0, 0.0]))
    Array(5., dtype=float32)
    """

    def __init__(
        self,
        weight: ArrayLike = 1.0,
        order: int = 1,
        fit_hyper: bool = False,
        unit: Any = None,
    ):
        super().__init__(weight, fit_hyper, unit)
        self.order = _at_least_1(self, order=order)

    def _penalty(self, x: jax.Array) -> jax.Array:
        if x.ndim == 0:
            raise ValueError("TotalVariationReg takes arrays; found a single number. [BST-A04]")
        return jnp.abs(jnp.diff(x, self.order, axis=-1))


class MaxNormReg(WeightedLoss):
    """``weight * max(0, ‖x‖ - max_value)**2``, of all numbers together, in its unit.

    >>> MaxNormReg(1.0, max_value=3.0).loss(jnp.array([3.0, 4.0]))
    Array(4., dtype=float32)
    """

    def __init__(
        self, weight: ArrayLike = 1.0, max_value: ArrayLike = 1.0, fit_hyper: bool = False
    ):
        super().__init__(weight, fit_hyper, unit_in(max_value))
        self._hold("max_value", max_value, self.unit)

    def _norm(self, x: jax.Array) -> jax.Array:
        return _length(x, axis=None)

    def _penalty(self, x: jax.Array) -> jax.Array:
        return jax.nn.relu(self._norm(x) - self._number("max_value", self.unit)) ** 2


class SpectralNormReg(MaxNormReg):
    """``weight * max(0, s - max_value)**2``, of the largest singular value `s` of a matrix.

    `s` is estimated from below by `n_power_iterations`, which start at the row of most length; all
    axes but the last count as rows (Yoshida and Miyato, 2017, arXiv:1705.10941).

    >>> SpectralNormReg(1.0, max_value=1.0).loss(jnp.diag(jnp.array([1.0, 3.0])))
    Array(4., dtype=float32)
    """

    def __init__(
        self,
        weight: ArrayLike = 1.0,
        max_value: ArrayLike = 1.0,
        n_power_iterations: int = 1,
        fit_hyper: bool = False,
    ):
        super().__init__(weight, max_value, fit_hyper)
        self.n_power_iterations = _at_least_1(self, n_power_iterations=n_power_iterations)

    def _norm(self, x: jax.Array) -> jax.Array:
        matrix = _matrix(self, x)
        fixed = jax.lax.stop_gradient(matrix)
        first = fixed[jnp.argmax(jnp.sum(fixed**2, axis=1))]
        right = jax.lax.fori_loop(
            0, self.n_power_iterations, lambda _, v: (fixed @ _unit(v)) @ fixed, first
        )
        return _unit(fixed @ right) @ matrix @ _unit(right)


class EntropyReg(WeightedLoss):
    """``-weight * entropy(softmax(x))``, along the last axis; ``+weight`` with ``maximize=False``.

    So large entropies are favoured, or small ones.

    >>> EntropyReg(1.0).loss(jnp.zeros(4))
    Array(-1.3862944, dtype=float32)
    """

    def __init__(
        self,
        weight: ArrayLike = 1.0,
        maximize: bool = True,
        fit_hyper: bool = False,
        unit: Any = None,
    ):
        super().__init__(weight, fit_hyper, unit)
        self.maximize = maximize

    def _penalty(self, x: jax.Array) -> jax.Array:
        negative = jax.nn.softmax(x) * jax.nn.log_softmax(x)
        return negative if self.maximize else -negative


class OrthogonalReg(WeightedLoss):
    """``weight * ‖G - 1‖²`` of the Gram matrix of the columns, or of the rows if these are fewer.

    All axes but the last count as rows (Brock et al., 2017, arXiv:1609.07093).

    >>> OrthogonalReg(1.0).loss(2 * jnp.eye(2))
    Array(18., dtype=float32)
    """

    def __init__(self, weight: ArrayLike = 1.0, fit_hyper: bool = False, unit: Any = None):
        super().__init__(weight, fit_hyper, unit)

    def _penalty(self, x: jax.Array) -> jax.Array:
        matrix = _matrix(self, x)
        rows, columns = matrix.shape
        gram = matrix @ matrix.T if rows < columns else matrix.T @ matrix
        return (gram - jnp.eye(min(rows, columns), dtype=x.dtype)) ** 2

    def _draw(self, shape: tuple[int, ...]) -> Any:
        return Orthogonal()(shape)

    def _center(self) -> Any:
        raise ValueError(
            "No single number is orthogonal; call OrthogonalReg.sample_init(shape). [BST-A04]"
        )


class ChainedReg(Regularization):
    """The sum of several losses; first values and the centre are those of the first one.

    >>> ChainedReg(L1Reg(), L2Reg(2.0)).loss(jnp.array([1.0, -3.0]))
    Array(24., dtype=float32)
    """

    def __init__(self, *regs: Regularization):
        super().__init__()
        for reg in regs:
            if not isinstance(reg, Regularization):
                raise TypeError(f"ChainedReg takes regularisations; found {reg!r}. [BST-A01]")
        if not regs:
            raise ValueError("ChainedReg needs at least one regularisation; found none. [BST-A06]")
        self.regs = regs

    def loss(self, value: ArrayLike) -> Any:
        return sum((reg.loss(value) for reg in self.regs), start=0.0)

    def sample_init(self, shape: Size) -> Any:
        return self.regs[0].sample_init(shape)

    def reset_value(self) -> Any:
        return self.regs[0].reset_value()


def _at_least_1(owner: Any, **given: int) -> int:
    ((name, value),) = given.items()
    if not hasattr(value, "__index__") or operator.index(value) < 1:
        raise ValueError(
            f"`{name}` of {type(owner).__name__} is an integer from 1 up; found {value!r}. "
            "[BST-A02]"
        )
    return operator.index(value)


def _matrix(owner: Any, x: jax.Array) -> jax.Array:
    if x.ndim < 2:
        raise ValueError(
            f"{type(owner).__name__} takes matrices; found the shape {x.shape}. [BST-A04]"
        )
    return x.reshape(-1, x.shape[-1])


def _length(x: jax.Array, axis: int | None) -> jax.Array:
    """The Euclidean norm, with the slope 0 at 0."""
    square = jnp.sum(x**2, axis=axis)
    zero = square == 0
    return jnp.where(zero, 0, jnp.sqrt(jnp.where(zero, 1, square)))


def _unit(vector: jax.Array) -> jax.Array:
    return vector / jnp.maximum(_length(vector, axis=None), jnp.finfo(vector.dtype).tiny)
