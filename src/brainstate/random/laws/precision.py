"""The types in which laws compute before their sample is cast."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp


def wide(dtype: Any) -> Any:
    """A floating-point type fit for computing samples of `dtype`: of at least 32 bits."""
    if jnp.issubdtype(dtype, jnp.floating):
        return jnp.promote_types(dtype, jnp.float32)
    return jnp.result_type(float)
