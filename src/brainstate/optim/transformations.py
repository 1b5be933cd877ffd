"""Transformations in the manner of optax for which optax has another formula; of one array each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import jax.numpy as jnp

if TYPE_CHECKING:
    import optax


class AmsgradState(NamedTuple):
    """Adam's, and the largest second moment so far."""

    count: Any
    mu: Any
    nu: Any
    nu_max: Any


def scale_by_amsgrad(b1: float, b2: float, eps: float) -> optax.GradientTransformation:
    """Adam with the largest second moment so far, the maximum taken before the bias correction."""
    import optax

    adam = optax.scale_by_adam(b1, b2, eps)

    def init(weight: Any) -> AmsgradState:
        count, mu, nu = adam.init(weight)
        return AmsgradState(count, mu, nu, nu)

    def update(gradient: Any, state: AmsgradState, weight: Any = None) -> tuple:
        _, (count, mu, nu) = adam.update(gradient, optax.ScaleByAdamState(*state[:3]))
        nu_max = jnp.maximum(state.nu_max, nu)
        root = jnp.sqrt(nu_max / (1 - b2**count))
        return mu / (1 - b1**count) / (root + eps), AmsgradState(count, mu, nu, nu_max)

    return optax.GradientTransformation(init, update)


class AdanState(NamedTuple):
    """Means of gradients, of their changes, and of squares; the gradient before; steps so far."""

    m: Any
    v: Any
    n: Any
    g: Any
    count: Any


def scale_by_adan(betas: tuple[float, float, float], eps: float) -> optax.GradientTransformation:
    """Adan of its paper, where `betas` are what is new in a step.

    optax's adds a share beta2 of the change to the gradient, not 1 - beta2.
    """
    import optax

    b1, b2, b3 = betas

    def init(weight: Any) -> AdanState:
        zeros = jnp.zeros_like(weight)
        return AdanState(zeros, zeros, zeros, zeros, jnp.zeros((), jnp.int32))

    def update(g: Any, state: AdanState, weight: Any = None) -> tuple:
        change = jnp.where(state.count == 0, 0, g - state.g)
        m = (1 - b1) * state.m + b1 * g
        v = (1 - b2) * state.v + b2 * change
        n = (1 - b3) * state.n + b3 * (g + (1 - b2) * change) ** 2
        count = state.count + 1
        m_, v_, n_ = (x / (1 - (1 - b) ** count) for x, b in ((m, b1), (v, b2), (n, b3)))
        return (m_ + (1 - b2) * v_) / (jnp.sqrt(n_) + eps), AdanState(m, v, n, g, count)

    return optax.GradientTransformation(init, update)


def scale_by_lars(
    trust_coefficient: float, weight_decay: float, eps: float
) -> optax.GradientTransformation:
    """Scale the decayed gradient to the norm of the weight, unless one of the norms is 0."""
    import optax

    def scaled(gradient: Any, weight: Any) -> Any:
        norm, gradient_norm = (jnp.linalg.norm(jnp.ravel(x)) for x in (weight, gradient))
        ratio = trust_coefficient * norm / (gradient_norm + weight_decay * norm + eps)
        ratio = jnp.where((norm == 0) | (gradient_norm == 0), 1.0, ratio)
        return ratio * (gradient + weight_decay * weight)

    return optax.stateless_with_tree_map(scaled)
