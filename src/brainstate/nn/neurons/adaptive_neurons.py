"""Neurons with an upstroke of the spike and a slow variable that the spikes drive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ... import environ
from ..._state import HiddenState
from ..._units import attach, number_in, split
from ...init import param
from ...surrogate import ReluGrad
from ...typing import ArrayLike, Size
from ..checks import check_fits
from ..dynamics.exp_euler import exp_euler_step
from ..dynamics.standard_parameters import StandardParameters
from ..dynamics.unit_arithmetic import add, numbers, subtract
from ..variable import Variable
from .neuron import ThresholdNeuron

_RELU = ReluGrad()
_FASTEST = 50.0  # growth rates times dt beyond which exponentials would leave float32


class _UpstrokeNeuron(ThresholdNeuron):
    """The potential runs away to the threshold, where it is cut, and a slow variable follows it.

    Since it is cut there, soft and hard resets differ in their gradients only.
    """

    def _potential_drift(self, V: Any, slow: Any, x: Any) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} must define _potential_drift(). [BST-A14]"
        )

    def _slow_drift(self, slow: Any, V: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _slow_drift(). [BST-A14]")

    def _stepped(self, slow: Any, jump: Any, x: Any) -> Any:
        """The slow variable after a step, in which the potential is stepped as well."""
        spike = self.get_spike()
        V = self._lowered(self.V.value, spike, self.V_th)
        slow = add(slow, jump * spike, "the jump at a spike")
        check_fits(self, x, V, "currents")
        number, unit = split(
            self.sum_delta_inputs(exp_euler_step(self._potential_drift, V, slow, x))
        )
        self.V.value = attach(jnp.minimum(number, number_in(self.V_th, unit, "V_th")), unit)
        return exp_euler_step(self._slow_drift, slow, V)


class AdEx(_UpstrokeNeuron):
    """Adaptive exponential integrate-and-fire neuron.

    ``C dV/dt = g_L (E_L - V) + g_L Δ_T exp((V - V_T) / Δ_T) - w + I`` and
    ``τ_w dw/dt = a (V - E_L) - w``. A spike, at `V_th`, puts V to V_reset and adds b to w.

    Left out: C 281 pF, g_L 30 nS, E_L and V_reset -70.6 mV, V_T -50.4 mV, delta_T 2 mV, a 4 nS,
    tau_w 144 ms, b 80.5 pA, V_th 0 mV; V and w start at -70.6 mV and 0 pA. If one parameter has no
    unit, none has.

    R. Brette and W. Gerstner (2005), Adaptive exponential integrate-and-fire model as an effective
    description of neuronal activity, Journal of Neurophysiology 94, 3637-3642.

    >>> import brainstate, brainunit as u
    >>> neuron = brainstate.nn.init_all_states(brainstate.nn.AdEx(1))
    >>> def step(_):
    ...     with brainstate.environ.context(dt=0.1 * u.ms):
    ...         return neuron(1.0 * u.nA)
    >>> brainstate.transform.for_loop(step, jnp.arange(2000)).sum().item()
    8.0
    """

    def __init__(
        self,
        in_size: Size,
        C: Callable | ArrayLike | None = None,
        g_L: Callable | ArrayLike | None = None,
        E_L: Callable | ArrayLike | None = None,
        V_T: Callable | ArrayLike | None = None,
        delta_T: Callable | ArrayLike | None = None,
        a: Callable | ArrayLike | None = None,
        tau_w: Callable | ArrayLike | None = None,
        b: Callable | ArrayLike | None = None,
        V_th: Callable | ArrayLike | None = None,
        V_reset: Callable | ArrayLike | None = None,
        V_initializer: Callable | ArrayLike | None = None,
        w_initializer: Callable | ArrayLike | None = None,
        spk_fun: Callable = _RELU,
        spk_reset: str = "soft",
        name: str | None = None,
    ):
        super().__init__(in_size, spk_fun=spk_fun, spk_reset=spk_reset, name=name)
        parameters = StandardParameters(
            self.varshape, C=C, g_L=g_L, E_L=E_L, V_T=V_T, delta_T=delta_T, a=a, tau_w=tau_w, b=b,
            V_th=V_th, V_reset=V_reset,
        )  # fmt: skip
        self.C = parameters.read("C", 281.0, "pF")
        self.g_L = parameters.read("g_L", 30.0, "nS")
        self.E_L = parameters.read("E_L", -70.6, "mV")
        self.V_T = parameters.read("V_T", -50.4, "mV")
        self.delta_T = parameters.read("delta_T", 2.0, "mV")
        self.a = parameters.read("a", 4.0, "nS")
        self.tau_w = parameters.read("tau_w", 144.0, "ms")
        self.b = parameters.read("b", 80.5, "pA")
        self.V_th = parameters.read("V_th", 0.0, "mV")
        self.V_reset = parameters.read("V_reset", -70.6, "mV")
        self.V_initializer = parameters.initializer(V_initializer, -70.6, "mV")
        self.w_initializer = parameters.initializer(w_initializer, 0.0, "pA")

    w: HiddenState

    def variables(self) -> dict[str, Variable]:
        return {
            "V": Variable(self.V_initializer, self.varshape),
            "w": Variable(self.w_initializer, self.varshape),
        }

    def update(self, x: ArrayLike | None = None) -> jax.Array:
        self.w.value = self._stepped(self.w.value, self.b, 0.0 * self.b if x is None else x)
        return self.get_spike()

    def _potential_drift(self, V: Any, w: Any, x: Any) -> Any:
        current = subtract(self.sum_current_inputs(x, V), w, "w")
        leak = self.g_L * subtract(self.E_L, V, "V")
        upstroke = self.g_L * self.delta_T * jnp.exp(self._exponent(V))
        return add(add(leak, upstroke), current, "the current") / self.C

    def _exponent(self, V: Any) -> Any:
        """``(V - V_T) / Δ_T``, up to where a step goes far beyond any threshold."""
        number, unit = split(V)
        V_T, delta_T = numbers(unit, V_T=self.V_T, delta_T=self.delta_T)
        steps = number_in(self.C / (self.g_L * environ.get_dt()), None, "C / (g_L dt)")
        return jnp.minimum((number - V_T) / delta_T, jnp.log(_FASTEST * steps))

    def _slow_drift(self, w: Any, V: Any) -> Any:
        return subtract(self.a * subtract(V, self.E_L, "E_L"), w, "w") / self.tau_w


class Izhikevich(_UpstrokeNeuron):
    """Izhikevich's simple model of spiking neurons.

    ``τ dV/dt = p1 V² + p2 V + p3 - u + R I`` and ``du/dt = a (b V - u)``. A spike, at `V_th`,
    puts V to V_reset (the paper's c) and adds d to u.

    Left out: a 0.02 /ms, b 0.2, V_reset -65 mV, d 8 mV (a regular spiking neuron), R 1 Ω, tau 1 ms,
    p1 0.04 /mV, p2 5, p3 140 mV, V_th 30 mV; V and u start at -65 mV and -13 mV. If one parameter
    other than b and p2 has no unit, none has.

    E. M. Izhikevich (2003), Simple model of spiking neurons, IEEE Transactions on Neural Networks
    14, 1569-1572.

    >>> import brainstate, brainunit as u
    >>> neuron = brainstate.nn.init_all_states(brainstate.nn.Izhikevich(1))
    >>> def step(_):
    ...     with brainstate.environ.context(dt=0.1 * u.ms):
    ...         return neuron(10.0 * u.mA)
    >>> brainstate.transform.for_loop(step, jnp.arange(2000)).sum().item()
    5.0
    """

    def __init__(
        self,
        in_size: Size,
        a: Callable | ArrayLike | None = None,
        b: Callable | ArrayLike = 0.2,
        V_reset: Callable | ArrayLike | None = None,
        d: Callable | ArrayLike | None = None,
        R: Callable | ArrayLike | None = None,
        tau: Callable | ArrayLike | None = None,
        p1: Callable | ArrayLike | None = None,
        p2: Callable | ArrayLike = 5.0,
        p3: Callable | ArrayLike | None = None,
        V_th: Callable | ArrayLike | None = None,
        V_initializer: Callable | ArrayLike | None = None,
        u_initializer: Callable | ArrayLike | None = None,
        spk_fun: Callable = _RELU,
        spk_reset: str = "soft",
        name: str | None = None,
    ):
        super().__init__(in_size, spk_fun=spk_fun, spk_reset=spk_reset, name=name)
        parameters = StandardParameters(
            self.varshape, a=a, V_reset=V_reset, d=d, R=R, tau=tau, p1=p1, p3=p3, V_th=V_th
        )
        self.a = parameters.read("a", 0.02, "ms^-1")
        self.b = param(b, self.varshape, allow_none=False)
        self.V_reset = parameters.read("V_reset", -65.0, "mV")
        self.d = parameters.read("d", 8.0, "mV")
        self.R = parameters.read("R", 1.0, "ohm")
        self.tau = parameters.read("tau", 1.0, "ms")
        self.p1 = parameters.read("p1", 0.04, "mV^-1")
        self.p2 = param(p2, self.varshape, allow_none=False)
        self.p3 = parameters.read("p3", 140.0, "mV")
        self.V_th = parameters.read("V_th", 30.0, "mV")
        self.V_initializer = parameters.initializer(V_initializer, -65.0, "mV")
        self.u_initializer = parameters.initializer(u_initializer, -13.0, "mV")

    u: HiddenState

    def variables(self) -> dict[str, Variable]:
        return {
            "V": Variable(self.V_initializer, self.varshape),
            "u": Variable(self.u_initializer, self.varshape),
        }

    def update(self, x: ArrayLike | None = None) -> jax.Array:
        x = 0.0 * self.V_th / self.R if x is None else x
        self.u.value = self._stepped(self.u.value, self.d, x)
        return self.get_spike()

    def _potential_drift(self, V: Any, u: Any, x: Any) -> Any:
        drive = add(self.R * self.sum_current_inputs(x, V), self.p3, "R * I")
        upstroke = V * add(self.p1 * V, self.p2, "p2")
        return add(upstroke, subtract(drive, u, "u"), "R * I") / self.tau

    def _slow_drift(self, u: Any, V: Any) -> Any:
        return self.a * subtract(self.b * V, u, "u")
