"""Adam and its kin."""

from __future__ import annotations

from typing import Unpack

from .checks import at_least, memory
from .descent import Descent
from .gradients import GradientOptions
from .rule import Part, Rule, part
from .schedulers import Rate
from .transformations import scale_by_adan, scale_by_amsgrad


class Adam(Descent):
    """Steps along the mean gradient over the root of the mean squared gradient.

    ``m <- beta1 m + (1 - beta1) g``, ``v <- beta2 v + (1 - beta2) g**2``,
    ``p <- (1 - weight_decay) p - lr * m' / (sqrt(v') + eps)``, where ``m'`` and ``v'`` are the
    means corrected for their start at zero: ``m / (1 - beta1**t)`` after `t` updates. Kingma and
    Ba (2015), ICLR. `AdamW` has the decay that is multiplied by the learning rate.

    >>> import brainstate, jax.numpy as jnp
    >>> w = brainstate.ParamState(jnp.ones(2))
    >>> opt = brainstate.optim.Adam(0.1)
    >>> opt.register_trainable_weights({"w": w})
    >>> opt.update({"w": jnp.array([3.0, -3.0])})
    >>> w.value.round(4).tolist()
    [0.8999999761581421, 1.100000023841858]
    """

    slots: tuple[tuple[str, str], ...] = (("m1_states", "mu"), ("m2_states", "nu"))
    counts = True

    def __init__(
        self,
        lr: Rate,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float | None = None,
        **options: Unpack[GradientOptions],
    ):
        super().__init__(lr, weight_decay, **options)
        self.beta1, self.beta2 = memory(beta1=beta1), memory(beta2=beta2)
        self.eps = at_least(0, eps=eps)

    def _before_rate(self) -> tuple[Part, ...]:
        return (part("scale_by_adam", self.beta1, self.beta2, self.eps),)


class AdamW(Adam):
    """`Adam` with ``p <- (1 - lr * weight_decay) p - step``.

    Loshchilov and Hutter (2019), ICLR. With `amsgrad` the largest `v` so far takes its place
    (Reddi, Kale and Kumar, 2018, ICLR).

    >>> import brainstate
    >>> w = brainstate.ParamState(2.0)
    >>> opt = brainstate.optim.AdamW(0.1, weight_decay=0.5)
    >>> opt.register_trainable_weights({"w": w})
    >>> opt.update({"w": 3.0})
    >>> round(float(w.value), 4)
    1.8
    """

    decays_with_rate = True

    def __init__(
        self,
        lr: Rate,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float | None = 1e-2,
        amsgrad: bool = False,
        **options: Unpack[GradientOptions],
    ):
        if amsgrad:
            self.slots = (*type(self).slots, ("vmax_states", "nu_max"))
        super().__init__(lr, beta1, beta2, eps, weight_decay, **options)
        self.amsgrad = amsgrad

    def _before_rate(self) -> tuple[Part, ...]:
        if not self.amsgrad:
            return super()._before_rate()
        return (part(scale_by_amsgrad, self.beta1, self.beta2, self.eps),)


class Nadam(Adam):
    """`Adam` whose mean gradient looks a step ahead, as Nesterov's momentum does.

    Dozat (2016), ICLR workshop.
    """

    def _before_rate(self) -> tuple[Part, ...]:
        return (part("scale_by_adam", self.beta1, self.beta2, self.eps, nesterov=True),)


class RAdam(Adam):
    """`Adam` that starts as momentum, until `v` has seen enough (Liu et al., 2020, ICLR)."""

    def _before_rate(self) -> tuple[Part, ...]:
        return (part("scale_by_radam", self.beta1, self.beta2, self.eps),)


class Adamax(Adam):
    """`Adam` with the decaying maximum of ``|g|`` in place of ``sqrt(v)`` (Kingma and Ba, 2015)."""

    def _before_rate(self) -> tuple[Part, ...]:
        return (part("scale_by_adamax", self.beta1, self.beta2, self.eps),)


class Lion(Descent):
    """Steps of one size along the sign of the momentum (Chen et al., 2023, NeurIPS).

    ``p <- (1 - lr * weight_decay) p - lr * sign(beta1 m + (1 - beta1) g)``,
    ``m <- beta2 m + (1 - beta2) g``. Good rates are a third to a tenth of those for Adam.

    >>> import brainstate
    >>> w = brainstate.ParamState(1.0)
    >>> opt = brainstate.optim.Lion(0.25)
    >>> opt.register_trainable_weights({"w": w})
    >>> opt.update({"w": 3.0})
    >>> w.value
    Array(0.75, dtype=float32)
    """

    slots = (("momentum_states", "mu"),)
    counts = True
    decays_with_rate = True

    def __init__(
        self,
        lr: Rate,
        beta1: float = 0.9,
        beta2: float = 0.99,
        weight_decay: float | None = None,
        **options: Unpack[GradientOptions],
    ):
        super().__init__(lr, weight_decay, **options)
        self.beta1, self.beta2 = memory(beta1=beta1), memory(beta2=beta2)

    def _before_rate(self) -> tuple[Part, ...]:
        return (part("scale_by_lion", self.beta1, self.beta2),)


class Adan(Descent):
    """Adam with a mean of the changes of the gradient as Nesterov's look ahead.

    With ``d = g - g_before``, 0 at first: ``m <- (1 - b1) m + b1 g``, ``v <- (1 - b2) v + b2 d``,
    ``n <- (1 - b3) n + b3 (g + (1 - b2) d)**2``, all corrected for their start at zero, and
    ``s = lr (m' + (1 - b2) v') / (sqrt(n') + eps)``. Then ``p <- (p - s) / (1 + weight_decay lr)``,
    or ``p <- (1 - weight_decay lr) p - s`` with `no_prox`. Xie et al. (2024), IEEE TPAMI.

    >>> import brainstate
    >>> w = brainstate.ParamState(1.0)
    >>> opt = brainstate.optim.Adan(0.1, weight_decay=None)
    >>> opt.register_trainable_weights({"w": w})
    >>> opt.update({"w": 3.0})
    >>> round(float(w.value), 4)
    0.9
    """

    slots = (
        ("exp_avg_states", "m"),
        ("exp_avg_sq_states", "n"),
        ("exp_avg_diff_states", "v"),
        ("pre_grad_states", "g"),
    )
    counts = True
    decays_with_rate = True

    def __init__(
        self,
        lr: Rate = 1e-3,
        betas: tuple[float, float, float] = (0.02, 0.08, 0.01),
        eps: float = 1e-8,
        weight_decay: float | None = 0.02,
        no_prox: bool = False,
        **options: Unpack[GradientOptions],
    ):
        super().__init__(lr, weight_decay, **options)
        if len(betas) != 3:
            raise ValueError(f"betas must be three numbers; found {betas}. [BST-A10]")
        self.betas = tuple(memory(betas=beta) for beta in betas)
        self.eps, self.no_prox = at_least(0, eps=eps), bool(no_prox)

    def _before_rate(self) -> tuple[Part, ...]:
        return (part(scale_by_adan, self.betas, self.eps),)

    def _rule(self) -> Rule:
        rule = super()._rule()
        if self.no_prox:
            return rule
        return rule._replace(
            before_rate=self._before_rate(), proximal_decay=self.weight_decay or 0.0
        )
