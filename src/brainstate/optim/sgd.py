"""Stochastic gradient descent, with and without momentum."""

from __future__ import annotations

from typing import Unpack

from .checks import at_least, memory
from .descent import Descent
from .gradients import GradientOptions
from .rule import Part, Rule, part
from .schedulers import Rate
from .transformations import scale_by_lars


class SGD(Descent):
    """``p <- (1 - weight_decay) p - lr * g``.

    >>> import brainstate
    >>> w = brainstate.ParamState(1.0)
    >>> opt = brainstate.optim.SGD(0.1)
    >>> opt.register_trainable_weights({"w": w})
    >>> opt.update({"w": 0.5})
    >>> w.value
    Array(0.95, dtype=float32)
    """


class Momentum(Descent):
    """``v <- momentum * v + lr * g``, ``p <- (1 - weight_decay) p - v``.

    >>> import brainstate
    >>> w = brainstate.ParamState(1.0)
    >>> opt = brainstate.optim.Momentum(0.1)
    >>> opt.register_trainable_weights({"w": w})
    >>> for _ in range(2):
    ...     opt.update({"w": 0.5})
    >>> round(float(w.value), 4)
    0.855
    """

    slots = (("momentum_states", "trace"),)
    nesterov = False

    def __init__(
        self,
        lr: Rate,
        momentum: float = 0.9,
        weight_decay: float | None = None,
        **options: Unpack[GradientOptions],
    ):
        super().__init__(lr, weight_decay, **options)
        self.momentum = memory(momentum=momentum)

    def _after_rate(self) -> tuple[Part, ...]:
        return (part("trace", self.momentum, nesterov=self.nesterov),)


class MomentumNesterov(Momentum):
    """`Momentum` that looks ahead: ``p <- (1 - weight_decay) p - (momentum * v + lr * g)``.

    >>> import brainstate
    >>> w = brainstate.ParamState(1.0)
    >>> opt = brainstate.optim.MomentumNesterov(0.1)
    >>> opt.register_trainable_weights({"w": w})
    >>> opt.update({"w": 0.5})
    >>> round(float(w.value), 4)
    0.905
    """

    nesterov = True

    def __init__(
        self,
        lr: Rate,
        weight_decay: float | None = None,
        momentum: float = 0.9,
        **options: Unpack[GradientOptions],
    ):
        super().__init__(lr, momentum, weight_decay, **options)


class LARS(Momentum):
    """Momentum with a rate for each array, in proportion to its norm (You et al., 2017, arXiv).

    ``v <- momentum * v + lr * r * (g + weight_decay * p)``, ``p <- p - v``, where
    ``r = tc |p| / (|g| + weight_decay |p| + eps)``, or 1 where one of the norms is 0.

    >>> import brainstate
    >>> w = brainstate.ParamState(1.0)
    >>> opt = brainstate.optim.LARS(1.0, weight_decay=None, tc=0.5)
    >>> opt.register_trainable_weights({"w": w})
    >>> opt.update({"w": 100.0})
    >>> round(float(w.value), 4)
    0.5
    """

    def __init__(
        self,
        lr: Rate,
        momentum: float = 0.9,
        weight_decay: float | None = 1e-4,
        tc: float = 1e-3,
        eps: float = 1e-5,
        **options: Unpack[GradientOptions],
    ):
        super().__init__(lr, momentum, weight_decay, **options)
        self.tc, self.eps = at_least(0, tc=tc), at_least(0, eps=eps)

    def _rule(self) -> Rule:
        scaled = part(scale_by_lars, self.tc, self.weight_decay or 0.0, self.eps)
        return Rule((scaled,), self._after_rate(), tuple(field for _, field in self.slots))
