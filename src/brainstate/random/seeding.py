"""The keys of the default generator."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from .._engine.jax_api import is_tracer
from ..typing import SeedOrKey
from .keys import is_typed
from .state import DEFAULT, RandomState

__all__ = [
    "default_rng",
    "get_key",
    "restore_key",
    "seed",
    "seed_context",
    "self_assign_multi_keys",
    "set_key",
    "split_key",
    "split_keys",
]


def seed(seed_or_key: SeedOrKey | None = None) -> None:
    """Start the default generator and NumPy's global one anew.

    None takes entropy from the operating system and leaves NumPy's alone, as does a key that is
    known only inside a transformed function.

    >>> import brainstate
    >>> brainstate.random.seed(42)
    >>> brainstate.random.DEFAULT
    RandomState([0 42])
    """
    DEFAULT.seed(seed_or_key)
    if seed_or_key is not None and not is_tracer(seed_or_key):
        np.random.seed(_numpy_seed(seed_or_key))  # noqa: NPY002  the global generator is meant


def _numpy_seed(seed_or_key: Any) -> int:
    """A seed as it is, or the first word of a key."""
    words = np.asarray(_raw(seed_or_key)).reshape(-1)
    return int(words[0]) % 2**32


def _raw(seed_or_key: Any) -> Any:
    typed = isinstance(seed_or_key, jax.Array) and is_typed(seed_or_key)
    return jax.random.key_data(seed_or_key) if typed else seed_or_key


def set_key(seed_or_key: SeedOrKey) -> None:
    """Have the default generator go on from this key, or from that of this seed."""
    DEFAULT.set_key(seed_or_key)


def get_key() -> Any:
    """The key of the default generator, which stays as it is."""
    return DEFAULT.value


def default_rng(seed_or_key: SeedOrKey | None = None) -> RandomState:
    """A new generator; None gives the default one."""
    return DEFAULT if seed_or_key is None else RandomState(seed_or_key)


def split_key(n: int | None = None, backup: bool = False) -> jax.Array:
    """A new key from the default generator, or `n` of them along a leading axis."""
    return DEFAULT.split_key(n, backup)


def split_keys(n: int, backup: bool = False) -> jax.Array:
    """`n` new keys from the default generator."""
    return DEFAULT.split_key(n, backup)


def restore_key() -> None:
    """Have the default generator go back to its saved key."""
    DEFAULT.restore_key()


def self_assign_multi_keys(n: int, backup: bool = True) -> None:
    """Have the default generator hold `n` keys, one a lane."""
    DEFAULT.self_assign_multi_keys(n, backup)


@contextlib.contextmanager
def seed_context(seed_or_key: SeedOrKey | None) -> Iterator[None]:
    """Inside, the default generator starts from this seed; afterwards it goes on as if unused.

    >>> import brainstate
    >>> with brainstate.random.seed_context(0):
    ...     first = brainstate.random.rand()
    >>> with brainstate.random.seed_context(0):
    ...     bool(brainstate.random.rand() == first)
    True
    """
    before = DEFAULT.value
    DEFAULT.seed(seed_or_key)
    try:
        yield
    finally:
        DEFAULT.value = before
