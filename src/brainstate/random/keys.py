"""From what users give, seeds and keys of every kind, to keys."""

from __future__ import annotations

import os
from typing import Any

import jax
import numpy as np

from ..typing import SeedOrKey

_WORDS = {"threefry2x32": 2, "rbg": 4, "unsafe_rbg": 4}  # uint32 words of a raw key


def fresh_key() -> np.ndarray:
    """A key from the operating system's entropy; no JAX operation and no NumPy generator runs."""
    words = _key_words()
    return np.frombuffer(os.urandom(4 * words), np.uint32).copy()


def as_key(seed_or_key: SeedOrKey) -> Any:
    """The key of a seed, or the given key: raw ones as ``uint32[2]``, typed ones as they are.

    Anything but an integer seed or one key raises TypeError.
    """
    if isinstance(seed_or_key, (int, np.integer)) and not isinstance(seed_or_key, bool):
        return jax.random.PRNGKey(seed_or_key)
    if isinstance(seed_or_key, (jax.Array, np.ndarray)):
        if is_typed(seed_or_key) and seed_or_key.shape == ():
            return seed_or_key
        if seed_or_key.dtype == np.uint32 and seed_or_key.shape == (_key_words(),):
            # The caller may overwrite a NumPy array later.
            return seed_or_key.copy() if isinstance(seed_or_key, np.ndarray) else seed_or_key
        if is_integer_scalar(seed_or_key):
            return jax.random.PRNGKey(seed_or_key.reshape(()))
    raise TypeError(
        f"Found {_describe(seed_or_key)} as seed or key; give an integer seed, a raw key (uint32 "
        f"array of shape ({_key_words()},), as of jax.random.PRNGKey), or one typed key (as of "
        "jax.random.key). [BST-R01]"
    )


def is_typed(key: Any) -> bool:
    """Whether `key` is an array of new-style keys."""
    return jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key)


def is_integer_scalar(x: Any) -> bool:
    """Whether an array holds a single integer, which then counts as a seed."""
    return x.size == 1 and jax.dtypes.issubdtype(x.dtype, np.integer)


def _key_words() -> int:
    return _WORDS.get(jax.config.jax_default_prng_impl, 2)  # type: ignore[attr-defined]


def _describe(found: Any) -> str:
    if isinstance(found, (jax.Array, np.ndarray)):
        return f"an array of type {found.dtype} and shape {found.shape}"
    return f"{found!r} of type {type(found).__name__}"
