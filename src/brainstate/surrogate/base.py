"""`Surrogate`: the Heaviside step with a derivative of one's choice."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .. import environ
from .._units import split, unit_of


class Surrogate:
    """A step function of which only the derivative is made up.

    A call gives 1 where ``x >= 0`` and 0 elsewhere, in the type of `x`; its tangent is
    ``surrogate_grad(x)`` times that of `x`, in forward and reverse mode and of any order.
    Subclasses define `surrogate_grad`, and `surrogate_fun` where it has a closed form. Instances
    are compared by class and parameters.

    >>> import brainstate, jax
    >>> class Boxcar(brainstate.surrogate.Surrogate):
    ...     def surrogate_grad(self, x):
    ...         return jax.numpy.where(abs(x) < 0.5, 1.0, 0.0)
    >>> jax.value_and_grad(Boxcar())(0.2)
    (Array(1., dtype=float32), Array(1., dtype=float32))
    """

    def __call__(self, x: Any) -> jax.Array:
        return _step(self, _real_number(x))

    def surrogate_grad(self, x: jax.Array) -> jax.Array:
        """The derivative that stands in for that of the step."""
        raise NotImplementedError(f"{type(self).__name__} must define surrogate_grad(x). [BST-A14]")

    def surrogate_fun(self, x: jax.Array) -> jax.Array:
        """The smooth step whose derivative is `surrogate_grad`."""
        raise NotImplementedError(
            f"{type(self).__name__} has no closed form of its step; define "
            "surrogate_fun(x) to give it one. [BST-A14]"
        )

    def __eq__(self, other: object) -> bool:
        mine, others = vars(self), getattr(other, "__dict__", {})
        return (
            type(other) is type(self)
            and mine.keys() == others.keys()
            and all(np.array_equal(value, others[name]) for name, value in mine.items())
        )

    def __hash__(self) -> int:
        scalars = (v for v in vars(self).values() if isinstance(v, (int, float, str)))
        return hash((type(self), *scalars))

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({given})"


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _step(surrogate: Surrogate, x: jax.Array) -> jax.Array:
    return (x >= 0).astype(x.dtype)


@_step.defjvp
def _step_jvp(surrogate: Surrogate, primals: tuple, tangents: tuple) -> tuple:
    (x,), (dx,) = primals, tangents
    return _step(surrogate, x), surrogate.surrogate_grad(x) * dx


def _real_number(x: Any) -> jax.Array:
    unit = unit_of(x)
    if unit is not None:
        raise TypeError(
            f"A surrogate spike is a function of a plain number; found a quantity in {unit}. "
            "Divide by a scale first, as in (V - V_th) / (V_th - V_reset). [BST-A08]"
        )
    x = jnp.asarray(split(x)[0])
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(environ.dftype())
