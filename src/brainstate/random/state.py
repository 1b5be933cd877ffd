"""`RandomState`: a generator of random numbers, which is a State that holds a key."""

from __future__ import annotations

import contextvars
import operator
import threading
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from .._engine.cell import changes
from .._engine.frames import at_hand
from .._engine.jax_api import EAGER, is_tracer, set_current_trace
from .._state import State
from .._state.state import rebuild
from ..typing import SeedOrKey
from .distributions import (
    Continuous,
    Discrete,
    LocationScale,
    Populations,
    Positive,
    Uniform,
    Vectors,
)
from .drawing import Law, Shape, draw, split, split_and_draw
from .keys import as_key, fresh_key, is_typed

__all__ = ["DEFAULT", "RandomState"]

# Two threads that read one key would draw the same numbers.
_lock = threading.RLock()


class _Backup(State):
    """The key saved by `backup_key`, or None; a State, so that a body that fails saves nothing."""

    private_to_lanes = True


class RandomState(
    Uniform, LocationScale, Continuous, Positive, Discrete, Vectors, Populations, State
):
    """A generator of random numbers: a State whose value is a key, renewed by each draw.

    `seed_or_key` is an integer, a raw key, a typed key, or None for a key from the operating
    system. Draws may stand anywhere in a transformed function: in `vmap` each lane draws its own
    numbers, and a compiled function draws the numbers that it would draw uncompiled.

    >>> import brainstate
    >>> rng = brainstate.random.RandomState(42)
    >>> rng
    RandomState([0 42])
    >>> rng.normal(size=3).shape
    (3,)
    """

    private_to_lanes = True
    _backup: _Backup

    def __init__(self, seed_or_key: SeedOrKey | None = None, **metadata: Any):
        key = fresh_key() if seed_or_key is None else as_key(seed_or_key)
        super().__init__(key, **metadata)

    # ------------------------------------------------------------ the key

    def seed(self, seed_or_key: SeedOrKey | None = None) -> None:
        """Start anew, as the constructor does."""
        self.value = fresh_key() if seed_or_key is None else as_key(seed_or_key)

    def set_key(self, key: SeedOrKey) -> None:
        """Go on from this key, or from that of this seed."""
        self.value = as_key(key)

    def split_key(self, n: int | None = None, backup: bool = False) -> jax.Array:
        """A new key, or `n` of them along a leading axis; the generator goes on from another one.

        `backup` saves the key that the generator goes on from, for `restore_key`.
        """
        count = None if n is None else _count(n)
        with _lock:
            if backup:
                self._expect_no_backup()
            keys = self._advance(split, count)
            if backup:
                self._backup.value = self.value
        return keys

    def backup_key(self) -> None:
        """Save the key; ValueError if one is saved already."""
        self._expect_no_backup()
        self._backup.value = self.value

    def _expect_no_backup(self) -> None:
        if self._backup.value is not None:
            raise ValueError(
                "A key is saved already; call restore_key() before saving another. [BST-R02]"
            )

    def restore_key(self) -> None:
        """Go back to the saved key and forget it; ValueError if there is none."""
        if self._backup.value is None:
            raise ValueError("No key is saved; call backup_key() first. [BST-R02]")
        self.value, self._backup.value = self._backup.value, None

    def self_assign_multi_keys(self, n: int, backup: bool = True) -> None:
        """Hold `n` keys, one a lane, for mapping the generator itself.

        `backup` saves one more key, to go on from after `restore_key`.
        """
        keys = self.split_key(n, backup=True) if backup else jax.random.split(self.value, _count(n))
        self.value = keys

    def clone(self) -> RandomState:
        """A new generator, split off this one."""
        return RandomState(self.split_key())

    # ------------------------------------------------------------ as a State

    def split_for_lanes(self, value: Any) -> tuple[Any, Any]:
        return split(value)

    def enter_lane(self, value: Any, axis_name: Any) -> Any:
        return jax.random.fold_in(value, jax.lax.axis_index(axis_name))

    def check_if_deleted(self) -> None:
        """Start anew where the key's buffer was donated."""
        is_deleted = getattr(self._value, "is_deleted", None)
        if is_deleted is not None and is_deleted():
            self._value = fresh_key()

    def _sample(
        self, law: Law, shape: Shape | None, dtype: Any, key: SeedOrKey | None, *parameters: Any
    ) -> Any:
        if key is not None:
            return draw(law, shape, dtype, as_key(key), *parameters)
        return self._advance(split_and_draw, law, shape, dtype, *parameters)

    def _advance(self, step: Callable, *arguments: Any) -> Any:
        """The output of ``step(key, *arguments) -> (next key, output)``."""
        with _lock:
            leaves = at_hand(self)
            if leaves is None:
                self.value, out = step(self.value, *arguments)
                return out
            self.check_if_deleted()
            leaves[0], out = step(leaves[0], *arguments)
            if self._cell.remembered:
                changes.now = object()
        return out

    def _metadata(self) -> dict[str, Any]:
        metadata = super()._metadata()
        del metadata["_backup"]
        return metadata

    def _set_metadata(self, metadata: dict[str, Any]) -> None:
        super()._set_metadata(metadata)
        if "_backup" not in vars(self):
            self._backup = rebuild(_Backup, None, {})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_shown(self.value)})"


def _count(n: int) -> int:
    try:
        count = operator.index(n)
    except TypeError:
        raise TypeError(f"The number of keys must be an integer; found {n!r}. [BST-A01]") from None
    if count < 1:
        raise ValueError(f"The number of keys must be at least 1; found {n}. [BST-A02]")
    return count


def _shown(key: Any) -> str:
    if is_tracer(key):
        return repr(key)
    if is_typed(key):
        return f"key<{jax.random.key_impl(key)}>{_shown(jax.random.key_data(key))}"
    return np.array2string(np.asarray(key), formatter={"int": str})


def _outside_everything() -> RandomState:
    # This module may be imported first inside a transformed function, which must not own it.
    with set_current_trace(EAGER):
        return contextvars.Context().run(RandomState, name="brainstate.random.DEFAULT")


DEFAULT: RandomState = _outside_everything()
"""The generator that the functions of `brainstate.random` draw from."""
