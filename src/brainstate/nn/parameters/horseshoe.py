"""The density of the horseshoe, ``exp(k) * E1(k)`` of ``k = (x / tau)**2 / 2`` up to a constant."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

# For k <= 1: E1(k) = -log(k) - gamma - sum_n (-k)**n / (n n!), highest power first.
_SERIES = [-((-1) ** n) / (n * math.factorial(n)) for n in range(17, 0, -1)] + [-np.euler_gamma]

# For k >= 1, k exp(k) E1(k) as the ratio of two polynomials of 1 / k, with an error below 2e-8
# (Abramowitz and Stegun, 1964, 5.1.56).
_UPPER = (0.2677737343, 8.6347608925, 18.0590169730, 8.5733287401, 1.0)
_LOWER = (3.9584969228, 21.0996530827, 25.6329561486, 9.5733223454, 1.0)


def horseshoe_log_density(x: jax.Array, tau: Any) -> jax.Array:
    """The logarithm of the density at `x`; at the pole, that of the number next to 0."""
    k = jnp.maximum((x / tau) ** 2 / 2, jnp.finfo(x.dtype).tiny)
    constant = jnp.log(tau) + 1.5 * jnp.log(jnp.pi) + 0.5 * jnp.log(2.0)
    return _log_scaled_e1(k) - constant.astype(x.dtype)


def _log_scaled_e1(k: jax.Array) -> jax.Array:
    """``log(exp(k) * E1(k))`` without overflow."""
    near, inverse = jnp.minimum(k, 1), 1 / jnp.maximum(k, 1)
    series, upper, lower = (
        jnp.polyval(jnp.array(coefficients, k.dtype), x)
        for coefficients, x in ((_SERIES, near), (_UPPER, inverse), (_LOWER, inverse))
    )
    at_most_1 = near + jnp.log(series - jnp.log(near))
    return jnp.where(k < 1, at_most_1, jnp.log(inverse * upper / lower))
