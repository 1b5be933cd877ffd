"""Adam."""

from __future__ import annotations

from typing import ClassVar

import jax.numpy as jnp

from .. import environ
from .._state import State
from ..typing import ArrayLike
from .descent import Descent
from .optim_state import OptimState
from .schedulers import LearningRateScheduler


class Adam(Descent):
    """Adam: steps along the mean gradient over the root of the mean squared gradient.

    The means are corrected for their start at zero by the number of updates done. `weight_decay`
    is decoupled and not multiplied by the learning rate.

    >>> import brainstate, jax.numpy as jnp
    >>> w = brainstate.ParamState(jnp.ones(2))
    >>> opt = brainstate.optim.Adam(0.1)
    >>> opt.register_trainable_weights({"w": w})
    >>> opt.update({"w": jnp.array([3.0, -3.0])})
    >>> w.value.round(4).tolist()
    [0.8999999761581421, 1.100000023841858]
    """

    slots: ClassVar[tuple[str, ...]] = ("m1_states", "m2_states")

    def __init__(
        self,
        lr: ArrayLike | State | LearningRateScheduler,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float | None = None,
    ):
        super().__init__(lr, weight_decay)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        self.step_count = OptimState(jnp.asarray(0, environ.ditype()))

    def _directions(self, gradients: list, weights: list) -> list:
        import optax

        rule = optax.scale_by_adam(self.beta1, self.beta2, self.eps)
        before = optax.ScaleByAdamState(
            self.step_count.value, self._slot("m1_states"), self._slot("m2_states")
        )
        directions, after = rule.update(gradients, before, weights)
        self.step_count.value = after.count
        self._set_slot("m1_states", after.mu)
        self._set_slot("m2_states", after.nu)
        return directions
