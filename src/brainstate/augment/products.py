"""`jvp` and `vjp`: products with the Jacobian, for functions that touch States."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from .._engine.journal import transaction
from .._engine.observing import entering
from .pure_body import PureBody
from .wrt import Targets, Wrt, differentiable, put


def jvp(fun: Callable, primals: tuple, tangents: tuple, *, has_aux: bool = False) -> tuple:
    """`jax.jvp`: ``(out, tangent)``, and aux with `has_aux`; States written keep their new values.

    >>> import brainstate
    >>> brainstate.augment.jvp(lambda x: x * x, (3.0,), (1.0,))[1].item()
    6.0
    """
    body = PureBody(fun, has_aux)
    primals = tuple(differentiable(primals, range(len(primals))))
    with transaction(), entering("jvp", fun):
        out, tangent, side = jax.jvp(
            lambda *args: body({}, args, {}), primals, tuple(tangents), has_aux=True
        )
        aux = body.finish(side)
    return (out, tangent, aux) if has_aux else (out, tangent)


def vjp(
    fun: Callable,
    *primals: Any,
    grad_states: Any = None,
    argnums: int | tuple[int, ...] | None = 0,
    has_aux: bool = False,
) -> tuple:
    """`jax.vjp`: ``(out, pullback)``, and aux with `has_aux`.

    Without `grad_states`, the pullback returns a cotangent for every argument, as in JAX. With
    them, it returns ``(state_cotangents, arg_cotangent)`` for the arguments in `argnums`; the
    cotangents of States come in their container.

    >>> import brainstate
    >>> w = brainstate.ParamState(3.0)
    >>> out, pullback = brainstate.augment.vjp(lambda x: x * w.value, 2.0, grad_states=w)
    >>> [g.item() for g in pullback(1.0)]
    [2.0, 3.0]
    """
    everything = grad_states is None
    targets = Targets(grad_states, tuple(range(len(primals))) if everything else argnums)
    positions = targets.positions(len(primals)) if primals else []
    body = PureBody(fun, has_aux)

    def pure(wrt: Wrt) -> tuple[Any, tuple]:
        values = dict(zip(targets.states, wrt.states, strict=True))
        return body(values, put(primals, positions, wrt.args), {})

    wrt = Wrt([s.value for s in targets.states], differentiable(primals, positions))
    with transaction(), entering("vjp", fun):
        out, pull, side = jax.vjp(pure, wrt, has_aux=True)
        aux = body.finish(side)

    def pullback(cotangent: Any) -> Any:
        return targets.arrange(pull(cotangent)[0])

    return (out, pullback, aux) if has_aux else (out, pullback)
