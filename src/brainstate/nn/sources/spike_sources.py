"""Spike trains from outside the model."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ... import environ
from ..._state import ShortTermState
from ..._units import attach, number_in, split
from ...init import ZeroInit, param
from ...random import DEFAULT
from ...typing import ArrayLike, DTypeLike, Size
from ..checks import check_trailing
from ..variable import Variable
from .source import Source, now, reached


class SpikeTime(Source):
    """Spikes of given neurons at given times: event `k` is a spike of ``indices[k]``.

    A call at the time `t` of `environ` gives all events up to `t` that no earlier call gave.
    Indices are along the last axis of `in_size`. With ``need_sort=False``, `times` must ascend.

    >>> import brainstate, jax.numpy as jnp
    >>> source = brainstate.nn.SpikeTime(3, [0, 2, 1], jnp.array([0.0, 1.0, 1.0]))
    >>> source = brainstate.nn.init_all_states(source)
    >>> def step(t):
    ...     with brainstate.environ.context(t=t):
    ...         return source().astype(int).tolist()
    >>> step(0.0), step(0.5), step(1.0)
    ([1, 0, 0], [0, 0, 0], [0, 1, 1])
    """

    def __init__(
        self,
        in_size: Size,
        indices: Sequence | ArrayLike,
        times: Sequence | ArrayLike,
        spk_type: DTypeLike = bool,
        name: str | None = None,
        need_sort: bool = True,
    ):
        super().__init__(in_size, name=name)
        self.spk_type = spk_type
        neurons, (moments, unit) = np.asarray(indices), split(times)
        moments = np.asarray(moments)
        _check_events(neurons, moments, self.varshape[-1])
        if need_sort:
            order = np.argsort(moments, kind="stable")
            neurons, moments = neurons[order], moments[order]
        elif (np.diff(moments) < 0).any():
            raise ValueError(
                "`times` must ascend where need_sort=False; found some that fall. [BST-P11]"
            )
        self.indices = jnp.asarray(neurons, "int32")
        self.times = attach(jnp.asarray(moments, environ.dftype()), unit)

    i: ShortTermState  # how many events were given

    def variables(self) -> dict[str, Variable]:
        return {"i": Variable(ZeroInit(), (), ShortTermState, "int32")}

    def update(self) -> jax.Array:
        times, unit = split(self.times)
        given, until = self.i.value, reached(times, now(unit))
        emit = functools.partial(
            _spikes, size=self.varshape, dtype=jax.dtypes.canonicalize_dtype(self.spk_type)
        )
        self.i.value = jnp.maximum(given, until)
        if not given.ndim:
            return emit(self.indices, given, until)
        return jax.vmap(emit, in_axes=(None, 0, None))(self.indices, given, until)


class PoissonEncoder(Source):
    """Poisson spikes at the frequencies that each call is given.

    In each step of length `dt`, an element spikes with the probability ``freqs · dt``.

    >>> import brainstate, brainunit as u, jax.numpy as jnp
    >>> encoder = brainstate.nn.PoissonEncoder(3)
    >>> with brainstate.environ.context(dt=1.0 * u.ms):
    ...     encoder(jnp.array([0.0, 1000.0, 2000.0]) * u.Hz)
    Array([False,  True,  True], dtype=bool)
    """

    def __init__(self, in_size: Size, spk_type: DTypeLike = bool, name: str | None = None):
        super().__init__(in_size, name=name)
        self.spk_type = spk_type

    def update(self, freqs: ArrayLike) -> jax.Array:
        if jnp.ndim(split(freqs)[0]):
            check_trailing(self, freqs, self.varshape, "frequencies")
        return self._drawn(freqs)

    def _drawn(self, freqs: ArrayLike) -> jax.Array:
        chance = jnp.asarray(number_in(freqs * environ.get_dt(), None, "freqs * dt"))
        shape = jnp.broadcast_shapes(self.shape, chance.shape)
        # Types narrower than 32 bits cannot tell small probabilities from zero.
        drawn = DEFAULT.random(shape, dtype=jnp.promote_types("float32", environ.dftype()))
        return (drawn < chance).astype(self.spk_type)


class PoissonSpike(PoissonEncoder):
    """Poisson spikes at fixed frequencies, each of which may be a number, array or initializer.

    >>> import brainstate, brainunit as u
    >>> source = brainstate.nn.PoissonSpike(3, freqs=1000.0 * u.Hz, spk_type=float)
    >>> with brainstate.environ.context(dt=1.0 * u.ms):
    ...     source()
    Array([1., 1., 1.], dtype=float32)
    """

    def __init__(
        self,
        in_size: Size,
        freqs: Callable | ArrayLike,
        spk_type: DTypeLike = bool,
        name: str | None = None,
    ):
        super().__init__(in_size, spk_type=spk_type, name=name)
        self.freqs = param(freqs, self.varshape, allow_none=False)

    def update(self) -> jax.Array:  # type: ignore[override]
        return self._drawn(self.freqs)


@functools.partial(jax.jit, static_argnames=("size", "dtype"))
def _spikes(indices: jax.Array, start: Any, stop: Any, *, size: tuple, dtype: Any) -> jax.Array:
    """The spikes of the events from `start` up to `stop`, however many those are."""

    def add(k: Any, spikes: jax.Array) -> jax.Array:
        return spikes.at[..., indices[k]].set(jnp.ones((), dtype))

    return jax.lax.fori_loop(start, stop, add, jnp.zeros(size, dtype))


def _check_events(neurons: np.ndarray, times: np.ndarray, count: int) -> None:
    if neurons.ndim != 1 or neurons.shape != times.shape:
        raise ValueError(
            "`indices` and `times` must be two sequences of one length; found the shapes "
            f"{neurons.shape} and {times.shape}. [BST-A10]"
        )
    if neurons.size and not (np.issubdtype(neurons.dtype, np.integer) and neurons.min() >= 0):
        raise ValueError(f"`indices` must be integers from 0 on; found {neurons}. [BST-A02]")
    if neurons.size and neurons.max() >= count:
        raise ValueError(
            f"`indices` must be below {count}, the last axis of `in_size`; found {neurons.max()}. "
            "[BST-A02]"
        )
