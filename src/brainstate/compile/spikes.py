"""`Spikes`: which neurons spiked at which steps, one bit for each."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..util.bits import packed


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, repr=False)
class Spikes:
    """The spikes of a whole run, as `SpikeTimes` records them; exact for any number of spikes.

    `bits` has shape ``(steps, ceil(neurons / 8))``, behind the axes that `vmap` adds: bit b of
    column j tells of neuron ``b * columns + j``. `shape` is that of the recorded population.

    >>> import brainstate, jax.numpy as jnp
    >>> v = brainstate.State(jnp.zeros(3))
    >>> def step(t):
    ...     v.value = jnp.arange(3) == t
    >>> v.value = jnp.zeros(3, bool)
    >>> record = brainstate.compile.SpikeTimes(v)
    >>> _, spikes = brainstate.compile.for_loop(step, jnp.arange(4), record=record)
    >>> times, indices = spikes.events()
    >>> times.tolist(), indices.tolist(), spikes.count().tolist()
    ([0, 1, 2], [0, 1, 2], [1, 1, 1, 0])
    """

    bits: jax.Array
    shape: tuple[int, ...] = dataclasses.field(metadata={"static": True})

    def __repr__(self) -> str:
        return f"Spikes(steps={self.bits.shape[-2]}, neurons={self.shape})"

    def raster(self) -> jax.Array:
        """The spikes as booleans of shape ``(steps, *shape)``."""
        lead, columns = self.bits.shape[:-1], self.bits.shape[-1]
        places = jnp.arange(8, dtype=jnp.uint8)[:, None]
        planes = (self.bits[..., None, :] >> places) & 1  # (..., steps, 8, columns)
        flat = planes.reshape(*lead, 8 * columns)[..., : math.prod(self.shape)]
        return flat.reshape(*lead, *self.shape).astype(bool)

    def count(self) -> jax.Array:
        """The number of spikes at each step."""
        return jnp.sum(jax.lax.population_count(self.bits).astype(jnp.int32), axis=-1)

    def events(self, times: Any = None) -> tuple[Any, np.ndarray]:
        """(times, neurons) of all spikes in order; neurons are numbered as in a flat population.

        The times are numbers of steps, or the entries of `times`, which has one for each step.
        Not inside jit, since their number is unknown there.
        """
        if len(self.bits.shape) != 2:
            raise ValueError(
                f"events() lists the spikes of one run; these bits have shape {self.bits.shape}. "
                "Take one lane first: jax.tree.map(lambda x: x[lane], spikes). [BST-A04]"
            )
        bits = np.asarray(self.bits)
        if times is not None and times.shape[:1] != bits.shape[:1]:
            raise ValueError(
                f"events() needs {len(bits)} times; found shape {times.shape}. [BST-A10]"
            )
        rows, columns = np.nonzero(bits)
        hit, place = np.nonzero(np.unpackbits(bits[rows, columns][:, None], 1, bitorder="little"))
        steps, neurons = rows[hit], place * bits.shape[1] + columns[hit]
        order = np.lexsort((neurons, steps))
        steps, neurons = steps[order], neurons[order]
        return (steps if times is None else times[steps]), neurons


def pack(spikes: Any) -> jax.Array:
    """One bit for each element."""
    return packed(jnp.ravel(spikes != 0))
