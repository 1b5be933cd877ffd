"""`jvp` and `vjp`: products with the Jacobian, for functions that touch States."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from .._engine.frames import Frame, commit
from .._engine.hidden import hide_foreign, show
from .._engine.journal import transaction
from .._state import State
from .wrt import Targets, Wrt


def jvp(fun: Callable, primals: tuple, tangents: tuple, *, has_aux: bool = False) -> tuple:
    """`jax.jvp`: ``(out, tangent)``, and aux with `has_aux`; States written keep their new values.

    >>> import brainstate
    >>> brainstate.augment.jvp(lambda x: x * x, (3.0,), (1.0,))[1].item()
    6.0
    """
    frame = Frame()
    effects: list[State] = []

    def pure(*primals: Any) -> tuple[Any, tuple]:
        with frame:
            out = fun(*primals)
            out, aux = out if has_aux else (out, None)
            effects[:] = frame.effects()
            return out, (
                hide_foreign(aux),
                [frame.values[s] for s in effects],
            )

    with transaction():
        out, tangent, (aux, new) = jax.jvp(pure, tuple(primals), tuple(tangents), has_aux=True)
        commit(effects, new, frame.created)
    return (out, tangent, show(aux)) if has_aux else (out, tangent)


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
    frame = Frame()
    effects: list[State] = []

    def pure(wrt: Wrt) -> tuple[Any, tuple]:
        full = list(primals)
        for position, arg in zip(positions, wrt.args, strict=True):
            full[position] = arg
        with frame:
            frame.give(dict(zip(targets.states, wrt.states, strict=True)))
            out = fun(*full)
            out, aux = out if has_aux else (out, None)
            effects[:] = frame.effects()
            return out, (hide_foreign(aux), [frame.values[s] for s in effects])

    wrt = Wrt([s.value for s in targets.states], [primals[p] for p in positions])
    with transaction():
        out, pull, (aux, new) = jax.vjp(pure, wrt, has_aux=True)
        commit(effects, new, frame.created)

    def pullback(cotangent: Any) -> Any:
        return targets.arrange(pull(cotangent)[0])

    return (out, pullback, show(aux)) if has_aux else (out, pullback)
