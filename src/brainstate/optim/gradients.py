"""What is done to gradients before any optimizer sees them: accumulating and clipping."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypedDict

import jax
import jax.numpy as jnp

from .. import environ
from .._state import State
from ..compile import cond
from ..functional import clip_grad_norm
from ..graph import Node
from ..typing import PyTree
from .checks import count, positive
from .optim_state import OptimState
from .weights import arrays, remembered


class GradientOptions(TypedDict, total=False):
    """Keyword arguments of every optimizer; see `GradientPreparation`."""

    clip_norm: float | None
    clip_value: float | None
    accumulate: int


class GradientPreparation(Node):
    """The attribute `gradients` of an optimizer.

    With ``accumulate=n`` each n-th call of `update` changes the weights, by the mean gradient of
    these n calls; steps and rates are counted then. `clip_value` limits each number of it,
    `clip_norm` then the norm of all numbers of all trained weights together.

    >>> import brainstate, jax.numpy as jnp
    >>> w = brainstate.ParamState(jnp.zeros(2))
    >>> opt = brainstate.optim.SGD(1.0, clip_norm=1.0, accumulate=2)
    >>> opt.register_trainable_weights({"w": w})
    >>> opt.update({"w": jnp.array([6.0, 0.0])})
    >>> opt.update({"w": jnp.array([0.0, 8.0])})
    >>> w.value.round(3).tolist()
    [-0.6000000238418579, -0.800000011920929]
    """

    def __init__(
        self,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        accumulate: int = 1,
    ):
        self.clip_norm = None if clip_norm is None else positive(clip_norm=clip_norm)
        self.clip_value = None if clip_value is None else positive(clip_value=clip_value)
        self.accumulate = count(accumulate=accumulate)
        if self.accumulate > 1:
            self.sums: dict[Hashable, State] = {}
            self.calls = OptimState(jnp.asarray(0, environ.ditype()))

    def register(self, weights: Mapping[Hashable, State], renewed: list) -> None:
        """Make room for the sums of the gradients of these weights."""
        if self.accumulate > 1:
            sums = dict(self.sums)
            for key, state in weights.items():
                zeros = jax.tree.map(jnp.zeros_like, arrays(state.value))
                sums[key] = remembered(sums.get(key), zeros, key in renewed)
            self.sums = sums

    def __call__(
        self, keys: list, gradients: list[PyTree], step: Callable[[list[PyTree]], None]
    ) -> None:
        """Call `step` with the gradients as they shall be, if it is time for a step."""
        if self.accumulate == 1:
            step(self._clipped(gradients))
            return
        sums = [self.sums[key] for key in keys]
        totals = [jax.tree.map(_added, s.value, g) for s, g in zip(sums, gradients, strict=True)]
        calls = self.calls.value + 1
        full = calls >= self.accumulate

        def finish() -> None:
            step(self._clipped(jax.tree.map(lambda total: total / self.accumulate, totals)))

        cond(full, finish, lambda: None)
        self.calls.value = jnp.where(full, 0, calls)
        for state, total in zip(sums, totals, strict=True):
            state.value = jax.tree.map(lambda x: jnp.where(full, jnp.zeros_like(x), x), total)

    def _clipped(self, gradients: list[PyTree]) -> Any:
        limit, clipped = self.clip_value, gradients
        if limit is not None:
            clipped = jax.tree.map(lambda g: jnp.clip(g, -limit, limit), clipped)
        return clipped if self.clip_norm is None else clip_grad_norm(clipped, self.clip_norm)


def _added(total: jax.Array, gradient: Any) -> jax.Array:
    return (total + gradient).astype(total.dtype)
