"""`Source`: dynamics without an input, which drive others."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from ... import environ
from ..._units import number_in
from ..dynamics.base import Dynamics


class Source(Dynamics):
    """Base of spike trains and currents that come from outside the model.

    What a source gives has the batch axis that it was initialised with. One without States works
    without being initialised too.
    """

    _batch: tuple[int, ...] = ()

    def init_state(self, batch_size: int | None = None, **kwargs: Any) -> None:
        super().init_state(batch_size, **kwargs)
        self._batch = () if batch_size is None else (batch_size,)

    def reset_state(self, batch_size: int | None = None, **kwargs: Any) -> None:
        super().reset_state(batch_size, **kwargs)
        self._batch = () if batch_size is None else (batch_size,)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of what the source gives, batch axis included."""
        return (*self._batch, *self.varshape)


def now(unit: Any) -> Any:
    """The time `t` of `environ` as a number in this unit."""
    return number_in(environ.get("t", desc="the time of this step"), unit, "t")


def reached(times: jax.Array, t: Any) -> jax.Array:
    """How many of the ascending `times` have come at `t`; rounding of ``t = i * dt`` is forgiven.

    >>> int(reached(jnp.array([0.0, 0.1, 0.3]), jnp.float32(3) * 0.1))
    3
    """
    t = jnp.asarray(t, times.dtype)
    slack = 4 * jnp.finfo(times.dtype).eps * jnp.abs(t)
    return jnp.searchsorted(times, t + slack, side="right").astype("int32")
