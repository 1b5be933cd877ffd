"""Stochastic gradient descent."""

from __future__ import annotations

from .descent import Descent


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

    def _directions(self, gradients: list, weights: list) -> list:
        return gradients
