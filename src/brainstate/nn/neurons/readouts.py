"""Readouts: the last layer of a spiking network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ... import environ
from ..._state import HiddenState, ParamState
from ..._units import attach, number_in, split, unit_of
from ...init import Constant, KaimingNormal
from ...init.parameters import full_param
from ...init.sizes import needed_size
from ...surrogate import ReluGrad
from ...typing import ArrayLike, Size
from ..checks import check_batch, check_trailing
from ..dynamics.standard_parameters import StandardParameters
from ..layers.linear import affine
from ..module import Module
from ..variable import Variable
from .integrate_and_fire import IF


class LeakyRateReadout(Module):
    """Leaky sums of weighted inputs: ``r = exp(-dt / τ) r + x · W``.

    `dt` is looked up in `environ` at each call. `tau`, 5 ms unless given, is a number or fits the
    outputs; `W` is the State `weight`; `r` starts at zero, in the unit of the weights.

    >>> import brainstate
    >>> readout = brainstate.nn.LeakyRateReadout(2, 1, tau=10.0, w_init=1.0)
    >>> readout = brainstate.nn.init_all_states(readout)
    >>> with brainstate.environ.context(dt=1.0):
    ...     first, second = readout(jnp.ones(2)).item(), readout(jnp.zeros(2)).item()
    >>> first, round(second, 4)
    (2.0, 1.8097)
    """

    r: HiddenState

    def __init__(
        self,
        in_size: Size,
        out_size: Size,
        tau: Callable | ArrayLike | None = None,
        w_init: Callable | ArrayLike = KaimingNormal(),  # noqa: B008  immutable
        name: str | None = None,
    ):
        super().__init__(name=name)
        self._shapes = needed_size(in_size, "in_size"), needed_size(out_size, "out_size")
        self.in_size, self.out_size = self._shapes
        self.tau = StandardParameters(self._shapes[1], tau=tau).read("tau", 5.0, "ms")
        self.weight = ParamState(full_param(w_init, tuple(s[-1] for s in self._shapes)))

    def variables(self) -> dict[str, Variable]:
        zero = Constant(attach(0.0, unit_of(self.weight.value)))
        return {"r": Variable(zero, self._shapes[1])}

    def update(self, x: ArrayLike) -> Any:
        check_trailing(self, x, self._shapes[0])
        r, unit = split(self.r.value)
        drive = number_in(affine(x, self.weight.value), unit, "x @ weight")
        check_batch(self, drive, len(self._shapes[1]), r, len(self._shapes[1]))
        tau, time_unit = split(self.tau)
        decay = jnp.exp(-number_in(environ.get_dt(), time_unit, "dt") / tau)
        self.r.value = attach((decay * r + drive).astype(r.dtype), unit)
        return self.r.value


class LeakySpikeReadout(IF):
    """Leaky integrate-and-fire neurons that see their inputs through a weight matrix.

    ``τ dV/dt = -V + x · W``, with current and delta inputs and the reset of `IF`; a call takes
    spikes and gives spikes. Left out, `tau` is 5 ms and `V_th` 1 mV; weights are in the unit of
    `V_th`, and potentials start at 0 mV. If one parameter has no unit, none has.

    >>> import brainstate, brainunit as u
    >>> readout = brainstate.nn.LeakySpikeReadout(2, w_init=30.0 * u.mV)
    >>> readout = brainstate.nn.init_all_states(readout)
    >>> with brainstate.environ.context(dt=0.1 * u.ms):
    ...     readout(jnp.ones(2))
    Array([1., 1.], dtype=float32)
    """

    def __init__(
        self,
        in_size: Size,
        tau: Callable | ArrayLike | None = None,
        V_th: Callable | ArrayLike | None = None,
        w_init: Callable | ArrayLike | None = None,
        V_initializer: Callable | ArrayLike | None = None,
        spk_fun: Callable = ReluGrad(),  # noqa: B008  immutable
        spk_reset: str = "soft",
        name: str | None = None,
    ):
        super().__init__(
            in_size, tau=tau, V_th=V_th, V_initializer=V_initializer,
            spk_fun=spk_fun, spk_reset=spk_reset, name=name,
        )  # fmt: skip
        self.R = 1.0  # the weighted inputs are potentials
        size = self.varshape[-1]
        if w_init is None:
            w_init = KaimingNormal(unit=unit_of(self.V_th))
        self.weight = ParamState(full_param(w_init, (size, size)))

    @property
    def spike(self) -> jax.Array:
        """The spikes at the present potential."""
        return self.get_spike()

    def update(self, spk: ArrayLike) -> jax.Array:  # type: ignore[override]
        check_trailing(self, spk, self.varshape)
        return super().update(affine(spk, self.weight.value))
