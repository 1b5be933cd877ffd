"""Operands of a product for a batch of samples, of which lanes of a `vmap` share what they can."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Sharing(NamedTuple):
    """Sample `b` uses entry ``(b // repeat) % entries`` of what is shared."""

    repeat: int
    entries: int

    def entry(self, sample: jax.Array) -> jax.Array | int:
        """Which entry a sample uses."""
        return 0 if self.entries == 1 else (sample // self.repeat) % self.entries

    def lanes(self, batch: int) -> jax.Array:
        """The entry of each sample."""
        return (jnp.arange(batch) // self.repeat) % self.entries

    def under_lanes(self, batch: int, n_lanes: int, own: bool) -> Sharing | None:
        """The sharing when `n_lanes` lanes of `batch` samples become one batch.

        `own` says whether each lane has entries of its own. None: no such rule exists, and there
        must be an entry for each sample.
        """
        if not own:
            return self
        if self.entries == 1:
            return Sharing(batch, n_lanes)
        return Sharing(self.repeat, n_lanes * self.entries) if self._fills(batch) else None

    def _fills(self, batch: int) -> bool:
        return self.repeat * self.entries == batch


def merged(x: jax.Array, batched: bool, sharing: Sharing, batch: int, n_lanes: int) -> tuple:
    """An operand with its lanes in the leading axis, and how the samples of all lanes share it."""
    new = sharing.under_lanes(batch, n_lanes, batched)
    if new is None:
        x, new = x[:, sharing.lanes(batch)], Sharing(1, n_lanes * batch)
    return (x.reshape(-1, *x.shape[2:]) if batched else x), new
