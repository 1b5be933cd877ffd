"""`grad`, `vector_grad`, `jacrev`, `jacfwd`, `hessian`: derivatives with respect to States.

All are one function, `GradientTransform.__call__`, around one function of JAX.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp

from .._engine.frames import Frame
from .._engine.journal import transaction
from .._engine.names import describe, function_name
from .._engine.observing import entering
from .._engine.options import decorator
from .._units import is_quantity, split, unit_of
from ..util.pretty import PrettyAttr, PrettyRepr, PrettyType
from .derivative_units import dress, quotient, strip
from .pure_body import PureBody
from .wrt import Targets, Wrt, check_dtypes, differentiable, put


class GradientTransform(PrettyRepr):
    """A function that returns derivatives of `target`; made by `grad` and its kin."""

    def __init__(
        self,
        target: Callable,
        derive: Callable,
        grad_states: Any = None,
        argnums: Any = None,
        *,
        has_aux: bool | None = None,
        return_value: bool = False,
        unit_aware: bool = False,
        check_states: bool = True,
        allow_int: bool = False,
        levels: int = 1,
        scalar: bool = False,
        name: str = "grad",
    ):
        functools.update_wrapper(self, target)
        self.target, self.derive, self.targets = target, derive, Targets(grad_states, argnums)
        self.has_aux, self.return_value = bool(has_aux), return_value
        self.unit_aware, self.check_states, self.allow_int = unit_aware, check_states, allow_int
        self.levels, self.scalar, self.name = levels, scalar, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with transaction(), entering(self.name, self.target):
            return self._derive(args, kwargs)

    def _derive(self, args: tuple, kwargs: dict) -> Any:
        states = self.targets.states
        check_dtypes(states, self.allow_int)
        positions = self.targets.positions(len(args))
        given = Wrt([s.value for s in states], differentiable(args, positions))
        body = PureBody(self.target, self.has_aux)

        def pure(numbers: Wrt) -> tuple[Any, tuple]:
            wrt = dress(numbers, given) if self.unit_aware else numbers
            values = dict(zip(states, wrt.states, strict=True))
            value, side = body(values, put(args, positions, wrt.args), kwargs)
            number = self._check_scalar(value) if self.scalar else value
            return strip(number) if self.unit_aware else number, (value, side)

        start = strip(given) if self.unit_aware else given
        derivative, (value, side) = self.derive(pure)(start)
        if self.check_states:
            self._check_used(body.frame)
        aux = body.finish(side)
        if self.unit_aware:
            derivative = quotient(derivative, value, *[given] * self.levels)
        extras = [value] * self.return_value + [aux] * self.has_aux
        derivative = self.targets.arrange(derivative)
        return (derivative, *extras) if extras else derivative

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def _check_scalar(self, value: Any) -> Any:
        number, unit = split(value) if is_quantity(value) else (value, None)
        leaves = jax.tree.leaves(number)
        if len(leaves) != 1 or not jax.tree_util.all_leaves([number]) or jnp.shape(number) != ():
            found = jax.tree.map(lambda x: f"{jnp.result_type(x)}{list(jnp.shape(x))}", number)
            raise TypeError(
                f"{self.name} is defined for functions with a scalar output; "
                f"{self._target_name()} returned {found}. Use vector_grad for the gradient of the "
                "sum, jacrev or jacfwd for all derivatives, or hessian for second derivatives. "
                "[BST-D01]"
            )
        if unit is not None and not self.unit_aware and unit_of(value) is not None:
            raise TypeError(
                f"{self._target_name()} returned a quantity in {unit}. Pass unit_aware=True for "
                "gradients with units, or return its mantissa. [BST-D02]"
            )
        return value if self.unit_aware else number

    def _check_used(self, frame: Frame) -> None:
        unused = [s for s in self.targets.states if s not in frame.seen]
        if unused:
            raise ValueError(
                f"{self._target_name()} never read {', '.join(map(describe, unused))}, so the "
                "derivative is zero. Leave it out of grad_states, or pass check_states=False. "
                "[BST-D03]"
            )

    def _target_name(self) -> str:
        return function_name(self.target)

    def __pretty_repr__(self) -> Iterator[Any]:
        yield PrettyType(type(self))
        yield PrettyAttr("target", repr(self.target))
        yield PrettyAttr("grad_states", repr(self.targets.container))
        yield PrettyAttr("argnums", repr(self.targets.argnums))
        yield PrettyAttr("return_value", repr(self.return_value))
        yield PrettyAttr("has_aux", repr(self.has_aux))
        yield PrettyAttr("transform", self.name)


GradientTransform.__module__ = "brainstate.augment"


@decorator
def grad(
    fun: Callable,
    grad_states: Any = None,
    argnums: int | tuple[int, ...] | None = None,
    holomorphic: bool = False,
    allow_int: bool = False,
    reduce_axes: tuple = (),
    has_aux: bool | None = None,
    return_value: bool = False,
    *,
    unit_aware: bool = False,
    check_states: bool = True,
) -> GradientTransform:
    """A function that returns the gradient of the scalar function `fun`, by reverse mode.

    `grad_states` is a State or any container of States; gradients come in the same container
    (mappings as plain dicts). With `argnums` too, the result is ``(state_grads, arg_grads)``;
    without States, `argnums` is 0. Then follow the value (`return_value`) and what `fun` returned
    beside it (`has_aux`). States that `fun` writes keep their new values.

    `unit_aware` gives gradients in the unit of the output over that of the State; without it, they
    carry the State's own unit. `check_states` refuses States that `fun` never read.

    >>> import brainstate
    >>> w = brainstate.ParamState(3.0)
    >>> brainstate.augment.grad(lambda x: x * w.value**2, w, return_value=True)(2.0)
    (Array(12., dtype=float32, weak_type=True), Array(18., dtype=float32, weak_type=True))
    """
    if reduce_axes:
        raise ValueError(
            "reduce_axes is gone from JAX; use jax.lax.psum inside the function. [BST-A12]"
        )
    derive = functools.partial(jax.grad, has_aux=True, holomorphic=holomorphic, allow_int=allow_int)
    return GradientTransform(
        fun, derive, grad_states, argnums, has_aux=has_aux, return_value=return_value,
        unit_aware=unit_aware, check_states=check_states, allow_int=allow_int, scalar=True,
    )  # fmt: skip


@decorator
def vector_grad(
    func: Callable,
    grad_states: Any = None,
    argnums: int | tuple[int, ...] | None = None,
    return_value: bool = False,
    has_aux: bool | None = None,
    *,
    unit_aware: bool = False,
    check_states: bool = True,
) -> GradientTransform:
    """As `grad`, for outputs of any shape: the gradient of the sum of all of them.

    >>> import brainstate, jax.numpy as jnp
    >>> w = brainstate.ParamState(jnp.array([1.0, 2.0]))
    >>> brainstate.augment.vector_grad(lambda: w.value**2, w)()
    Array([2., 4.], dtype=float32)
    """
    return GradientTransform(
        func, _sum_of_gradients, grad_states, argnums, has_aux=has_aux, return_value=return_value,
        unit_aware=unit_aware, check_states=check_states, name="vector_grad", levels=1,
    )  # fmt: skip


def _sum_of_gradients(fun: Callable) -> Callable:
    def derivative(wrt: Wrt) -> tuple[Wrt, Any]:
        out, pull_back, aux = jax.vjp(fun, wrt, has_aux=True)
        return pull_back(jax.tree.map(jnp.ones_like, out))[0], aux

    return derivative


def _jacobian(transform: Callable, name: str, doc: str) -> Callable:
    def jacobian(
        fun: Callable,
        grad_states: Any = None,
        argnums: int | tuple[int, ...] | None = None,
        has_aux: bool | None = None,
        return_value: bool = False,
        holomorphic: bool = False,
        allow_int: bool = False,
        *,
        unit_aware: bool = True,
        check_states: bool = True,
    ) -> GradientTransform:
        options = {"holomorphic": holomorphic}
        if transform is jax.jacrev:
            options["allow_int"] = allow_int
        return GradientTransform(
            fun, functools.partial(transform, has_aux=True, **options), grad_states, argnums,
            has_aux=has_aux, return_value=return_value, unit_aware=unit_aware,
            check_states=check_states, allow_int=allow_int, name=name,
        )  # fmt: skip

    jacobian.__name__ = jacobian.__qualname__ = name
    jacobian.__doc__ = doc
    return decorator(jacobian)


_JACOBIAN_DOC = """A function that returns the Jacobian of `fun`, by {mode} mode.

    Its structure is that of the output, then the container of States, then each State's value;
    leaves have shape ``output.shape + state.shape``. Options and results as in `grad`; quantities
    give derivatives in the unit of the output over that of the State.

    >>> import brainstate, jax.numpy as jnp
    >>> w = brainstate.ParamState(jnp.array([1.0, 2.0]))
    >>> brainstate.augment.{name}(lambda: {{"y": w.value**2}}, w)()
    {{'y': Array([[2., 0.],
           [0., 4.]], dtype=float32)}}
    """

jacrev = _jacobian(jax.jacrev, "jacrev", _JACOBIAN_DOC.format(mode="reverse", name="jacrev"))
jacfwd = _jacobian(jax.jacfwd, "jacfwd", _JACOBIAN_DOC.format(mode="forward", name="jacfwd"))
jacobian = jacrev


@decorator
def hessian(
    func: Callable,
    grad_states: Any = None,
    argnums: int | tuple[int, ...] | None = None,
    has_aux: bool | None = False,
    return_value: bool = False,
    holomorphic: bool = False,
    *,
    unit_aware: bool = True,
    check_states: bool = True,
) -> GradientTransform:
    """A function that returns all second derivatives of `func`, forward over reverse.

    The structure is the container of States twice, each time followed by the structure of the
    State's value, as `jax.hessian` on a dict: ``H[path_i]["weight"][path_j]["bias"]``.

    >>> import brainstate, jax.numpy as jnp
    >>> a, b = brainstate.ParamState(2.0), brainstate.ParamState(3.0)
    >>> h = brainstate.augment.hessian(lambda: a.value**2 * b.value, {"a": a, "b": b})()
    >>> h["a"]["b"].item(), h["a"]["a"].item()
    (4.0, 6.0)
    """
    derive = functools.partial(jax.hessian, has_aux=True, holomorphic=holomorphic)
    return GradientTransform(
        func, derive, grad_states, argnums, has_aux=has_aux, return_value=return_value,
        unit_aware=unit_aware, check_states=check_states, levels=2, name="hessian",
    )  # fmt: skip
