"""Leaky integrate-and-fire neurons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ... import environ
from ..._state import HiddenState, ShortTermState
from ..._units import attach, number_in, split
from ...init import Constant, ZeroInit
from ...surrogate import ReluGrad
from ...typing import ArrayLike, Size
from ..checks import check_fits
from ..dynamics.exp_euler import exp_euler_step
from ..dynamics.standard_parameters import StandardParameters
from ..dynamics.unit_arithmetic import add, numbers, subtract
from ..variable import Variable
from .neuron import ThresholdNeuron
from .present_spikes import once_in_a_body

_RELU = ReluGrad()
_LONG_AGO = -1e7  # ms


class LIF(ThresholdNeuron):
    """Leaky integrate-and-fire: ``τ dV/dt = V_rest - V + R I``, in exponential Euler steps.

    ``neuron(x)`` takes the current `x` beside the current inputs and returns the spikes; a spike
    lowers the potential at the start of the next step. Left out, R is 1 Ω, tau 5 ms, V_th 1 mV;
    V_reset, V_rest and the first potential are 0 mV. If one parameter has no unit, none has.

    >>> import brainstate, brainunit as u
    >>> neuron = brainstate.nn.init_all_states(brainstate.nn.LIF(2))
    >>> with brainstate.environ.context(dt=0.1 * u.ms):
    ...     neuron(100.0 * u.mA)
    Array([1., 1.], dtype=float32)
    """

    def __init__(
        self,
        in_size: Size,
        R: Callable | ArrayLike | None = None,
        tau: Callable | ArrayLike | None = None,
        V_th: Callable | ArrayLike | None = None,
        V_reset: Callable | ArrayLike | None = None,
        V_rest: Callable | ArrayLike | None = None,
        V_initializer: Callable | ArrayLike | None = None,
        spk_fun: Callable = _RELU,
        spk_reset: str = "soft",
        name: str | None = None,
    ):
        super().__init__(in_size, spk_fun=spk_fun, spk_reset=spk_reset, name=name)
        parameters = StandardParameters(
            self.varshape, R=R, tau=tau, V_th=V_th, V_reset=V_reset, V_rest=V_rest
        )
        self.R = parameters.read("R", 1.0, "ohm")
        self.tau = parameters.read("tau", 5.0, "ms")
        self.V_th = parameters.read("V_th", 1.0, "mV")
        self.V_reset = parameters.read("V_reset", 0.0, "mV")
        self.V_rest = parameters.read("V_rest", 0.0, "mV")
        self.V_initializer = parameters.initializer(V_initializer, 0.0, "mV")

    def variables(self) -> dict[str, Variable]:
        return {"V": Variable(self.V_initializer, self.varshape)}

    def update(self, x: ArrayLike | None = None) -> jax.Array:
        self.V.value = self._integrated(self._lowered(self.V.value, self.get_spike(), self.V_th), x)
        return self.get_spike()

    def _integrated(self, V: Any, x: Any) -> Any:
        """The potential after one step."""
        if x is None:
            x = 0.0 * self.V_th / self.R
        check_fits(self, x, V, "currents")
        return self.sum_delta_inputs(exp_euler_step(self._drift, V, x))

    def _drift(self, V: Any, x: Any) -> Any:
        current = self.sum_current_inputs(x, V)
        return add(subtract(self.V_rest, V, "V"), self.R * current, "R * I") / self.tau


class IF(LIF):
    """A leaky integrate-and-fire neuron that rests at zero and is reset by its threshold.

    >>> import brainstate, brainunit as u
    >>> neuron = brainstate.nn.init_all_states(brainstate.nn.IF(2))
    >>> with brainstate.environ.context(dt=0.1 * u.ms):
    ...     neuron(100.0 * u.mA)
    Array([1., 1.], dtype=float32)
    """

    def __init__(
        self,
        in_size: Size,
        R: Callable | ArrayLike | None = None,
        tau: Callable | ArrayLike | None = None,
        V_th: Callable | ArrayLike | None = None,
        V_initializer: Callable | ArrayLike | None = None,
        spk_fun: Callable = _RELU,
        spk_reset: str = "soft",
        name: str | None = None,
    ):
        super().__init__(
            in_size, R=R, tau=tau, V_th=V_th, V_initializer=V_initializer,
            spk_fun=spk_fun, spk_reset=spk_reset, name=name,
        )  # fmt: skip


class LIFRef(LIF):
    """A leaky integrate-and-fire neuron that rests for `tau_ref` (5 ms) after a spike.

    It reads the time `t` from `environ`. While it rests, its inputs are used up without effect.

    >>> import brainstate, brainunit as u
    >>> neuron = brainstate.nn.init_all_states(brainstate.nn.LIFRef(1))
    >>> def step(t):
    ...     with brainstate.environ.context(dt=0.1 * u.ms, t=t * u.ms):
    ...         return neuron(100.0 * u.mA).item()
    >>> step(0.0), step(0.1), step(5.1)
    (1.0, 0.0, 1.0)
    """

    def __init__(
        self,
        in_size: Size,
        R: Callable | ArrayLike | None = None,
        tau: Callable | ArrayLike | None = None,
        tau_ref: Callable | ArrayLike | None = None,
        V_th: Callable | ArrayLike | None = None,
        V_reset: Callable | ArrayLike | None = None,
        V_rest: Callable | ArrayLike | None = None,
        V_initializer: Callable | ArrayLike | None = None,
        spk_fun: Callable = _RELU,
        spk_reset: str = "soft",
        name: str | None = None,
    ):
        super().__init__(
            in_size, R=R, tau=tau, V_th=V_th, V_reset=V_reset, V_rest=V_rest,
            V_initializer=V_initializer, spk_fun=spk_fun, spk_reset=spk_reset, name=name,
        )  # fmt: skip
        more = StandardParameters(self.varshape, tau=self.tau, tau_ref=tau_ref)
        self.tau_ref = more.read("tau_ref", 5.0, "ms")
        self._long_ago = Constant(more.standard(_LONG_AGO, "ms"))

    last_spike_time: ShortTermState

    def variables(self) -> dict[str, Variable]:
        last = Variable(self._long_ago, self.varshape, ShortTermState)
        return {**super().variables(), "last_spike_time": last}

    def update(self, x: ArrayLike | None = None) -> jax.Array:
        last, time_unit = split(self.last_spike_time.value)
        t, tau_ref = numbers(time_unit, t=environ.get("t"), tau_ref=self.tau_ref)
        lowered = self._lowered(self.V.value, self.get_spike(), self.V_th)
        V, unit = split(self._integrated(lowered, x))
        V = jnp.where(t - last < tau_ref, split(lowered)[0], V)
        self.V.value = attach(V, unit)
        fired = number_in(self.V_th, unit, "V_th") <= V
        last = jax.lax.stop_gradient(jnp.where(fired, t, last))
        self.last_spike_time.value = attach(last, time_unit)
        return self.get_spike()


class ALIF(LIF):
    """A leaky integrate-and-fire neuron whose threshold, ``V_th + β a``, adapts.

    ``τ_a da/dt = -a``, and each spike adds 1 to `a`. Left out, tau_a is 100 ms and beta 0.1 mV.

    >>> import brainstate, brainunit as u
    >>> neuron = brainstate.nn.init_all_states(brainstate.nn.ALIF(1))
    >>> with brainstate.environ.context(dt=0.1 * u.ms):
    ...     spikes = [neuron(60.0 * u.mA).item() for _ in range(4)]
    >>> spikes, round(neuron.a.value.item(), 3)
    ([1.0, 1.0, 1.0, 1.0], 2.994)
    """

    def __init__(
        self,
        in_size: Size,
        R: Callable | ArrayLike | None = None,
        tau: Callable | ArrayLike | None = None,
        tau_a: Callable | ArrayLike | None = None,
        V_th: Callable | ArrayLike | None = None,
        V_reset: Callable | ArrayLike | None = None,
        V_rest: Callable | ArrayLike | None = None,
        beta: Callable | ArrayLike | None = None,
        spk_fun: Callable = _RELU,
        spk_reset: str = "soft",
        V_initializer: Callable | ArrayLike | None = None,
        a_initializer: Callable | ArrayLike = ZeroInit(),  # noqa: B008  immutable
        name: str | None = None,
    ):
        super().__init__(
            in_size, R=R, tau=tau, V_th=V_th, V_reset=V_reset, V_rest=V_rest,
            V_initializer=V_initializer, spk_fun=spk_fun, spk_reset=spk_reset, name=name,
        )  # fmt: skip
        more = StandardParameters(self.varshape, tau=self.tau, tau_a=tau_a, beta=beta)
        self.tau_a = more.read("tau_a", 100.0, "ms")
        self.beta = more.read("beta", 0.1, "mV")
        self.a_initializer = a_initializer

    a: HiddenState

    def variables(self) -> dict[str, Variable]:
        return {**super().variables(), "a": Variable(self.a_initializer, self.varshape)}

    @once_in_a_body("V", "a")
    def get_spike(self, V: ArrayLike | None = None, a: ArrayLike | None = None) -> jax.Array:
        """The spikes at the potential `V` and the adaptation `a`, or at the present ones."""
        V = self.V.value if V is None else V
        a = self.a.value if a is None else a
        return self._spike_above(V, add(self.V_th, self.beta * a, "beta * a"))

    def update(self, x: ArrayLike | None = None) -> jax.Array:
        spike = self.get_spike()
        self.V.value = self._integrated(self._lowered(self.V.value, spike, self.V_th), x)
        self.a.value = exp_euler_step(lambda a: -a / self.tau_a, self.a.value + spike)
        return self.get_spike()
