"""The neuron of Hodgkin and Huxley."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..._state import HiddenState
from ..._units import attach, number_in, split, unit_of
from ...init import Constant
from ...surrogate import ReluGrad
from ...typing import ArrayLike, Size
from ..checks import check_fits
from ..dynamics.exp_euler import _phi, exp_euler_step
from ..dynamics.standard_parameters import StandardParameters
from ..dynamics.unit_arithmetic import add, numbers, subtract
from ..variable import Variable
from .neuron import Neuron

_RELU = ReluGrad()
_GATES = "m", "h", "n"
_START = -65.0  # mV


class HH(Neuron):
    """The neuron of Hodgkin and Huxley, with sodium, potassium and leak conductances.

    ``C dV/dt = g_Na m³ h (E_Na - V) + g_K n⁴ (E_K - V) + g_L (E_L - V) + I``; each gate follows
    ``dm/dt = α_m(V) (1 - m) - β_m(V) m``, with the rates of the paper for a rest at -65 mV. Each
    step is exponential Euler, from the same moment for all. A spike is where V comes up to `V_th`.

    Left out: E_Na 50 mV, g_Na 120 mS, E_K -77 mV, g_K 36 mS, E_L -54.387 mV, g_L 0.3 mS, C 1 µF,
    those of 1 cm² of membrane, and V_th 20 mV. V starts at -65 mV and the gates where they rest at
    it. If one parameter has no unit, none has.

    A. L. Hodgkin and A. F. Huxley (1952), A quantitative description of membrane current and its
    application to conduction and excitation in nerve, Journal of Physiology 117, 500-544.

    >>> import brainstate, brainunit as u
    >>> neuron = brainstate.nn.init_all_states(brainstate.nn.HH(1))
    >>> def step(_):
    ...     with brainstate.environ.context(dt=0.01 * u.ms):
    ...         return neuron(10.0 * u.uA)
    >>> brainstate.transform.for_loop(step, jnp.arange(5000)).sum().item()
    4.0
    """

    def __init__(
        self,
        in_size: Size,
        E_Na: Callable | ArrayLike | None = None,
        g_Na: Callable | ArrayLike | None = None,
        E_K: Callable | ArrayLike | None = None,
        g_K: Callable | ArrayLike | None = None,
        E_L: Callable | ArrayLike | None = None,
        g_L: Callable | ArrayLike | None = None,
        C: Callable | ArrayLike | None = None,
        V_th: Callable | ArrayLike | None = None,
        V_initializer: Callable | ArrayLike | None = None,
        m_initializer: Callable | ArrayLike | None = None,
        h_initializer: Callable | ArrayLike | None = None,
        n_initializer: Callable | ArrayLike | None = None,
        spk_fun: Callable = _RELU,
        name: str | None = None,
    ):
        super().__init__(in_size, spk_fun=spk_fun, name=name)
        parameters = StandardParameters(
            self.varshape, E_Na=E_Na, g_Na=g_Na, E_K=E_K, g_K=g_K, E_L=E_L, g_L=g_L, C=C, V_th=V_th
        )
        self.E_Na = parameters.read("E_Na", 50.0, "mV")
        self.g_Na = parameters.read("g_Na", 120.0, "mS")
        self.E_K = parameters.read("E_K", -77.0, "mV")
        self.g_K = parameters.read("g_K", 36.0, "mS")
        self.E_L = parameters.read("E_L", -54.387, "mV")
        self.g_L = parameters.read("g_L", 0.3, "mS")
        self.C = parameters.read("C", 1.0, "uF")
        self.V_th = parameters.read("V_th", 20.0, "mV")
        self.V_initializer = parameters.initializer(V_initializer, _START, "mV")
        self.m_initializer = m_initializer if m_initializer is not None else _at_rest("m")
        self.h_initializer = h_initializer if h_initializer is not None else _at_rest("h")
        self.n_initializer = n_initializer if n_initializer is not None else _at_rest("n")
        self._potential_unit = unit_of(parameters.standard(1.0, "mV"))  # those of the rates
        self._rate_unit = unit_of(parameters.standard(1.0, "ms^-1"))

    V: HiddenState
    V_before: HiddenState

    def variables(self) -> dict[str, Variable]:
        start = Variable(self.V_initializer, self.varshape)
        gates = {
            name: Variable(getattr(self, f"{name}_initializer"), self.varshape) for name in _GATES
        }
        return {"V": start, "V_before": start, **gates}

    def get_spike(self, V: ArrayLike | None = None, V_before: ArrayLike | None = None) -> jax.Array:
        """The spikes of a step from `V_before` to `V`, or of the last step."""
        before = self._above(self.V_before.value if V_before is None else V_before)
        return self._above(self.V.value if V is None else V) * (1 - before)

    def update(self, x: ArrayLike | None = None) -> jax.Array:
        V = self.V.value
        gates = {name: getattr(self, name).value for name in _GATES}
        x = 0.0 * self.g_L * self.E_L if x is None else x
        check_fits(self, x, V, "currents")
        stepped = self.sum_delta_inputs(exp_euler_step(self._potential_drift, V, gates, x))
        rates = _rates(number_in(V, self._potential_unit, "V"))
        for name, gate in gates.items():
            getattr(self, name).value = exp_euler_step(self._gate_drift, gate, *rates[name])
        self.V_before.value, self.V.value = V, stepped
        return self.get_spike()

    def _above(self, V: Any) -> jax.Array:
        V, unit = split(V)
        V_th, E_L = numbers(unit, V_th=self.V_th, E_L=self.E_L)
        return self.spk_fun((V - V_th) / (V_th - E_L))

    def _potential_drift(self, V: Any, gates: dict[str, Any], x: Any) -> Any:
        sodium = self.g_Na * gates["m"] ** 3 * gates["h"] * subtract(self.E_Na, V, "V")
        potassium = self.g_K * gates["n"] ** 4 * subtract(self.E_K, V, "V")
        leak = self.g_L * subtract(self.E_L, V, "V")
        current = add(add(sodium, potassium), leak)
        return add(current, self.sum_current_inputs(x, V), "the current") / self.C

    def _gate_drift(self, gate: Any, opening: Any, closing: Any) -> Any:
        return attach(opening * (1 - gate) - closing * gate, self._rate_unit)


def _rates(V: Any) -> dict[str, tuple]:
    """The rates, per ms, at which each gate opens and closes at `V` in mV."""
    return {
        # (V + 40) / 10 / (1 - exp(-(V + 40) / 10)), and so on, without a gap at -40
        "m": (1 / _phi(-(V + 40) / 10), 4 * jnp.exp(-(V + 65) / 18)),
        "h": (0.07 * jnp.exp(-(V + 65) / 20), jax.nn.sigmoid((V + 35) / 10)),
        "n": (0.1 / _phi(-(V + 55) / 10), 0.125 * jnp.exp(-(V + 65) / 80)),
    }


def _at_rest(gate: str) -> Callable:
    def initializer(shape: tuple[int, ...]) -> Any:
        opening, closing = _rates(_START)[gate]
        return Constant(opening / (opening + closing))(shape)

    return initializer
