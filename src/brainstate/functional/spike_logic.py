"""Logic of spikes: exact on 0 and 1, and polynomials in between, so with a gradient.

>>> import jax
>>> spike_bitwise_xor(1.0, 0.0)
1.0
>>> jax.grad(spike_bitwise_xor)(1.0, 0.0)
Array(1., dtype=float32, weak_type=True)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from .. import environ


def spike_bitwise_or(x: Any, y: Any) -> Any:
    """``x + y - x * y``."""
    x, y = _number(x), _number(y)
    return x + y - x * y


def spike_bitwise_and(x: Any, y: Any) -> Any:
    """``x * y``."""
    return _number(x) * _number(y)


def spike_bitwise_iand(x: Any, y: Any) -> Any:
    """``(1 - x) * y``: only the second."""
    return (1 - _number(x)) * _number(y)


def spike_bitwise_not(x: Any) -> Any:
    """``1 - x``."""
    return 1 - _number(x)


def spike_bitwise_xor(x: Any, y: Any) -> Any:
    """``x + y - 2 * x * y``: one of the two."""
    x, y = _number(x), _number(y)
    return x + y - 2 * x * y


def spike_bitwise_ixor(x: Any, y: Any) -> Any:
    """``x * (1 - y) + (1 - x) * y``, which is the same as `spike_bitwise_xor`."""
    x, y = _number(x), _number(y)
    return x * (1 - y) + (1 - x) * y


_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "or": spike_bitwise_or,
    "and": spike_bitwise_and,
    "iand": spike_bitwise_iand,
    "xor": spike_bitwise_xor,
    "ixor": spike_bitwise_ixor,
}


def spike_bitwise(x: Any, y: Any, op: str) -> Any:
    """The operation of this name: "or", "and", "iand", "xor" or "ixor"."""
    return spike_operation(op)(x, y)


def spike_operation(op: str) -> Callable[[Any, Any], Any]:
    """The function of this name; ValueError if there is none."""
    try:
        return _OPERATIONS[op]
    except (KeyError, TypeError):
        raise ValueError(
            f"`op` must be one of {list(_OPERATIONS)}; found {op!r}. [BST-A03]"
        ) from None


def _number(x: Any) -> Any:
    """Spikes as numbers, where they are truth values."""
    truth = jnp.issubdtype(jnp.result_type(x), jnp.bool_)
    return jnp.asarray(x, environ.dftype()) if truth else x
