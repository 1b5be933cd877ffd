"""Currents, and whatever else varies continuously, from outside the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ... import environ
from ..._state import HiddenState
from ..._units import attach, number_in, split
from ...init import Normal, param
from ...init.parameters import full_param
from ...init.sizes import needed_size
from ...random import DEFAULT
from ...typing import ArrayLike, Size
from ..dynamics.standard_parameters import StandardParameters
from ..dynamics.unit_arithmetic import numbers
from ..variable import Variable
from .source import Source, now, reached


class OrnsteinUhlenbeck(Source):
    """Noise that is correlated over the time `tau`: ``dx = (mean - x) dt / τ + σ √(2/τ) dW``.

    `sigma` is the standard deviation of `x`, which has the stationary law from the start, unless
    there is an `x_initializer`. Each call makes one step of length `dt`, exact at any length,
    ``x ← mean + (x - mean) e^(-dt/τ) + σ √(1 - e^(-2 dt/τ)) ξ``, and returns `x`. Left out, tau is
    10 ms. (Uhlenbeck & Ornstein 1930, Physical Review)

    >>> import brainstate, brainunit as u
    >>> noise = brainstate.nn.OrnsteinUhlenbeck(3, mean=1.0 * u.mA, sigma=0.2 * u.mA)
    >>> noise = brainstate.nn.init_all_states(noise)
    >>> with brainstate.environ.context(dt=0.1 * u.ms):
    ...     x = noise()
    >>> x.shape, x.unit
    ((3,), Unit("mA"))
    """

    def __init__(
        self,
        in_size: Size,
        mean: Callable | ArrayLike = 0.0,
        sigma: Callable | ArrayLike = 1.0,
        tau: Callable | ArrayLike | None = None,
        x_initializer: Callable | ArrayLike | None = None,
        name: str | None = None,
    ):
        super().__init__(in_size, name=name)
        self.mean = param(mean, self.varshape, allow_none=False)
        self.sigma = param(sigma, self.varshape, allow_none=False)
        self.tau = StandardParameters(self.varshape, tau=tau).read("tau", 10.0, "ms")
        stationary = Normal(self.mean, self.sigma)
        self.x_initializer = stationary if x_initializer is None else x_initializer

    x: HiddenState

    def variables(self) -> dict[str, Variable]:
        return {"x": Variable(self.x_initializer, self.varshape)}

    def update(self) -> Any:
        x, unit = split(self.x.value)
        mean, sigma = numbers(unit, mean=self.mean, sigma=self.sigma)
        steps = jnp.asarray(number_in(environ.get_dt() / self.tau, None, "dt / tau"), x.dtype)
        spread = sigma * jnp.sqrt(-jnp.expm1(-2 * steps))
        noise = DEFAULT.standard_normal(x.shape, dtype=x.dtype)
        x = mean + (x - mean) * jnp.exp(-steps) + spread * noise
        self.x.value = attach(x, unit)
        return self.x.value


class StepInput(Source):
    """A value that changes at given times: ``values[k]`` from ``times[k]`` on, before that zero.

    Times ascend; each value is a number, or an array that broadcasts to `in_size`. It reads the
    time `t` from `environ`.

    >>> import brainstate, jax.numpy as jnp
    >>> current = brainstate.nn.StepInput(2, jnp.array([1.0, 3.0]), jnp.array([10.0, 20.0]))
    >>> def at(t):
    ...     with brainstate.environ.context(t=t):
    ...         return current().tolist()
    >>> at(9.0), at(10.0), at(25.0)
    ([0.0, 0.0], [1.0, 1.0], [3.0, 3.0])
    """

    def __init__(self, in_size: Size, values: ArrayLike, times: ArrayLike, name: str | None = None):
        super().__init__(in_size, name=name)
        moments, time_unit = split(times)
        moments = np.asarray(moments)
        if moments.ndim != 1 or (np.diff(moments) < 0).any():
            raise ValueError(f"`times` must be a sequence that ascends; found {times!r}. [BST-P11]")
        levels, unit = _levels(values, moments.size, self.varshape, "times")
        before = jnp.zeros((1, *self.varshape), levels.dtype)
        self.values = attach(jnp.concatenate([before, levels]), unit)
        self.times = attach(jnp.asarray(moments, environ.dftype()), time_unit)

    def update(self) -> Any:
        (times, time_unit), (values, unit) = split(self.times), split(self.values)
        value = values[reached(times, now(time_unit))]
        return attach(jnp.broadcast_to(value, self.shape), unit)


class SectionInput(StepInput):
    """Values one after the other, each for its duration from the time 0 on, and then zero.

    >>> import brainstate, jax.numpy as jnp
    >>> current = brainstate.nn.SectionInput(1, jnp.array([1.0, 3.0]), jnp.array([10.0, 5.0]))
    >>> def at(t):
    ...     with brainstate.environ.context(t=t):
    ...         return current().item()
    >>> at(0.0), at(12.0), at(15.0)
    (1.0, 3.0, 0.0)
    """

    def __init__(
        self, in_size: Size, values: ArrayLike, durations: ArrayLike, name: str | None = None
    ):
        lengths, time_unit = split(durations)
        lengths = np.asarray(lengths)
        if lengths.ndim != 1 or (lengths < 0).any():
            raise ValueError(
                f"`durations` must be a sequence without negative ones; found {durations!r}. "
                "[BST-A02]"
            )
        size = needed_size(in_size, "in_size")
        number, unit = _levels(values, lengths.size, size, "durations")
        levels = jnp.concatenate([number, jnp.zeros((1, *size), number.dtype)])
        starts = np.concatenate([[0.0], np.cumsum(lengths)])
        super().__init__(in_size, attach(levels, unit), attach(starts, time_unit), name=name)


class RampInput(Source):
    """A value that goes in a straight line from `start` at `t_start` to `end` at `t_end`.

    It is `start` before and `end` after. It reads the time `t` from `environ`.

    >>> import brainstate
    >>> current = brainstate.nn.RampInput(1, 0.0, 4.0, t_start=10.0, t_end=20.0)
    >>> def at(t):
    ...     with brainstate.environ.context(t=t):
    ...         return current().item()
    >>> at(0.0), at(12.5), at(30.0)
    (0.0, 1.0, 4.0)
    """

    def __init__(
        self,
        in_size: Size,
        start: Callable | ArrayLike,
        end: Callable | ArrayLike,
        t_start: ArrayLike,
        t_end: ArrayLike,
        name: str | None = None,
    ):
        super().__init__(in_size, name=name)
        self.start, self.end = full_param(start, self.varshape), full_param(end, self.varshape)
        self.t_start, self.t_end = full_param(t_start, ()), full_param(t_end, ())
        first, unit = split(self.t_start)
        if not first < number_in(self.t_end, unit, "t_end"):
            raise ValueError(
                f"`t_end` must come after `t_start`; found {t_start!r} and {t_end!r}. [BST-P11]"
            )

    def update(self) -> Any:
        (start, unit), (t_start, time_unit) = split(self.start), split(self.t_start)
        end, t_end = number_in(self.end, unit, "end"), number_in(self.t_end, time_unit, "t_end")
        share = jnp.clip((now(time_unit) - t_start) / (t_end - t_start), 0, 1)
        value = start + (end - start) * share
        return attach(jnp.broadcast_to(value, self.shape), unit)


def _levels(
    values: ArrayLike, count: int, shape: tuple[int, ...], what: str
) -> tuple[jax.Array, Any]:
    """(numbers of shape ``(count, *shape)``, unit) of one value for each of `what`."""
    number, unit = split(values)
    array = jnp.asarray(number, environ.dftype())
    if array.shape[:1] != (count,):
        raise ValueError(
            f"There must be a value for each of the {count} `{what}`; found `values` of shape "
            f"{array.shape}. [BST-A10]"
        )
    each = array.reshape(count, *(1,) * (len(shape) + 1 - array.ndim), *array.shape[1:])
    return jnp.broadcast_to(each, (count, *shape)), unit
