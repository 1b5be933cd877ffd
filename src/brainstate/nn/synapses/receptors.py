"""Receptors: channels that open while transmitter is bound to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from ... import environ
from ..._state import HiddenState, ShortTermState
from ..._units import attach, number_in, split
from ...init import Constant, ZeroInit
from ...typing import ArrayLike, Size
from ..checks import check_fits
from ..dynamics.exp_euler import exp_euler_step
from ..dynamics.standard_parameters import StandardParameters
from ..dynamics.unit_arithmetic import subtract
from ..variable import Variable
from .exponential import Synapse

_ZERO = ZeroInit()
_LONG_AGO = -1e7  # ms


class AMPA(Synapse):
    """The fraction `g` of open AMPA channels: ``dg/dt = α [T] (1 - g) - β g``.

    A presynaptic spike, which is what ``synapse(spike)`` takes, brings the concentration ``[T] =
    T`` of transmitter for the time `T_dur`; the time `t` is read from `environ`. Left out, alpha is
    0.98 /(mM ms), beta 0.18 /ms, T 0.5 mM and T_dur 0.5 ms; if one has no unit, none has.

    A. Destexhe, Z. F. Mainen and T. J. Sejnowski (1994), An efficient method for computing synaptic
    conductances based on a kinetic model of receptor binding, Neural Computation 6, 14-18.

    >>> import brainstate, brainunit as u
    >>> synapse = brainstate.nn.init_all_states(brainstate.nn.AMPA(1))
    >>> with brainstate.environ.context(dt=0.1 * u.ms, t=0.0 * u.ms):
    ...     round(synapse(True).item(), 6)
    0.047395
    """

    _standard = 0.98, 0.18, 0.5, 0.5  # alpha, beta, T, T_dur

    def __init__(
        self,
        in_size: Size,
        name: str | None = None,
        alpha: Callable | ArrayLike | None = None,
        beta: Callable | ArrayLike | None = None,
        T: Callable | ArrayLike | None = None,
        T_dur: Callable | ArrayLike | None = None,
        g_initializer: Callable | ArrayLike = _ZERO,
    ):
        super().__init__(in_size, name=name)
        parameters = StandardParameters(self.varshape, alpha=alpha, beta=beta, T=T, T_dur=T_dur)
        binding, unbinding, concentration, duration = self._standard
        self.alpha = parameters.read("alpha", binding, "mM^-1 ms^-1")
        self.beta = parameters.read("beta", unbinding, "ms^-1")
        self.T = parameters.read("T", concentration, "mM")
        self.T_dur = parameters.read("T_dur", duration, "ms")
        self.g_initializer = g_initializer
        self._long_ago = Constant(parameters.standard(_LONG_AGO, "ms"))

    g: HiddenState
    spike_arrival_time: ShortTermState

    def variables(self) -> dict[str, Variable]:
        return {
            "g": Variable(self.g_initializer, self.varshape),
            "spike_arrival_time": Variable(self._long_ago, self.varshape, ShortTermState),
        }

    def dg(self, g: Any, t: Any, TT: Any) -> Any:
        """The derivative of `g` at the concentration `TT`."""
        return subtract(self.alpha * TT * (1 - g), self.beta * g, "beta")

    def update(self, pre_spike: ArrayLike) -> Any:
        check_fits(self, pre_spike, self.g.value, "spikes")
        arrival, unit = split(self.spike_arrival_time.value)
        t = environ.get("t")
        now = number_in(t, unit, "t")
        arrival = jnp.where(jnp.asarray(pre_spike, bool), now, arrival)
        self.spike_arrival_time.value = attach(arrival, unit)
        bound = now - arrival < number_in(self.T_dur, unit, "T_dur")
        self.g.value = exp_euler_step(self.dg, self.g.value, t, self.T * bound)
        return self.g.value


class GABAa(AMPA):
    """The fraction of open GABA_A channels; the equation is that of `AMPA`.

    Left out, alpha is 0.53 /(mM ms), beta 0.18 /ms, T 1 mM and T_dur 1 ms.

    >>> import brainstate, brainunit as u
    >>> synapse = brainstate.nn.init_all_states(brainstate.nn.GABAa(1))
    >>> with brainstate.environ.context(dt=0.1 * u.ms, t=0.0 * u.ms):
    ...     round(synapse(True).item(), 6)
    0.051162
    """

    _standard = 0.53, 0.18, 1.0, 1.0


class NMDA(AMPA):
    """The fraction of open NMDA channels; the equation is that of `AMPA`.

    The output `MgBlock` makes it a current. Left out, alpha is 0.072 /(mM ms), beta 0.0066 /ms, T
    1 mM and T_dur 1 ms.

    A. Destexhe, Z. F. Mainen and T. J. Sejnowski (1998), Kinetic models of synaptic transmission,
    in: Methods in Neuronal Modeling, MIT Press, 1-25.

    >>> import brainstate, brainunit as u
    >>> synapse = brainstate.nn.init_all_states(brainstate.nn.NMDA(1))
    >>> with brainstate.environ.context(dt=0.1 * u.ms, t=0.0 * u.ms):
    ...     round(synapse(True).item(), 6)
    0.007172
    """

    _standard = 0.072, 0.0066, 1.0, 1.0
