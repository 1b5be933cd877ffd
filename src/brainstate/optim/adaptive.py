"""Rules that divide by the root of sums or means of squared gradients."""

from __future__ import annotations

from typing import Unpack

from .checks import at_least, memory
from .descent import Descent
from .gradients import GradientOptions
from .rule import Part, Rule, part
from .schedulers import Rate


class Adagrad(Descent):
    """``c <- c + g**2``, ``p <- (1 - weight_decay) p - lr * g / sqrt(c + epsilon)``.

    Duchi, Hazan and Singer (2011), Journal of Machine Learning Research.

    >>> import brainstate
    >>> w = brainstate.ParamState(1.0)
    >>> opt = brainstate.optim.Adagrad(0.1)
    >>> opt.register_trainable_weights({"w": w})
    >>> opt.update({"w": 5.0})
    >>> round(float(w.value), 4)
    0.9
    """

    slots = (("cache_states", "sum_of_squares"),)

    def __init__(
        self,
        lr: Rate,
        weight_decay: float | None = None,
        epsilon: float = 1e-6,
        **options: Unpack[GradientOptions],
    ):
        super().__init__(lr, weight_decay, **options)
        self.epsilon = at_least(0, epsilon=epsilon)

    def _before_rate(self) -> tuple[Part, ...]:
        return (part("scale_by_rss", 0.0, self.epsilon),)


class RMSProp(Descent):
    """``c <- rho c + (1 - rho) g**2``, ``p <- (1 - weight_decay) p - lr * g / sqrt(c + epsilon)``.

    Tieleman and Hinton (2012), lecture 6.5 of Neural Networks for Machine Learning.

    >>> import brainstate
    >>> w = brainstate.ParamState(1.0)
    >>> opt = brainstate.optim.RMSProp(0.1, rho=0.0)
    >>> opt.register_trainable_weights({"w": w})
    >>> opt.update({"w": 5.0})
    >>> round(float(w.value), 4)
    0.9
    """

    slots = (("cache_states", "nu"),)

    def __init__(
        self,
        lr: Rate,
        weight_decay: float | None = None,
        epsilon: float = 1e-6,
        rho: float = 0.9,
        **options: Unpack[GradientOptions],
    ):
        super().__init__(lr, weight_decay, **options)
        self.epsilon, self.rho = at_least(0, epsilon=epsilon), memory(rho=rho)

    def _before_rate(self) -> tuple[Part, ...]:
        return (part("scale_by_rms", self.rho, self.epsilon),)


class Adadelta(Descent):
    """A rule that finds its rate by itself; `lr` has no effect, except that None freezes a group.

    ``c <- rho c + (1 - rho) g**2``, ``s = g sqrt(d + epsilon) / sqrt(c + epsilon)``,
    ``d <- rho d + (1 - rho) s**2``, ``p <- (1 - weight_decay) p - s``. Zeiler (2012), arXiv.

    >>> import brainstate
    >>> w = brainstate.ParamState(1.0)
    >>> opt = brainstate.optim.Adadelta(rho=0.0)
    >>> opt.register_trainable_weights({"w": w})
    >>> opt.update({"w": 5.0})
    >>> round(float(w.value), 4)
    0.999
    """

    slots = (("cache_states", "e_g"), ("delta_states", "e_x"))

    def __init__(
        self,
        lr: Rate = 0.01,
        weight_decay: float | None = None,
        epsilon: float = 1e-6,
        rho: float = 0.95,
        **options: Unpack[GradientOptions],
    ):
        super().__init__(lr, weight_decay, **options)
        self.epsilon, self.rho = at_least(0, epsilon=epsilon), memory(rho=rho)

    def _before_rate(self) -> tuple[Part, ...]:
        return (part("scale_by_adadelta", self.rho, self.epsilon),)

    def _rule(self) -> Rule:
        return super()._rule()._replace(rated=False)
