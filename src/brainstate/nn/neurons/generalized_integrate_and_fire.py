"""Generalized integrate-and-fire neurons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..._state import HiddenState
from ..._units import attach, split
from ...init import param
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


class GIF(ThresholdNeuron):
    """Generalized integrate-and-fire: two currents and the threshold follow from the spikes.

    ``τ dV/dt = V_rest - V + R (I + I1 + I2)``, ``dI1/dt = -k1 I1``, ``dI2/dt = -k2 I2`` and
    ``dθ/dt = a (V - V_rest) - b (θ - V_th)``. A spike, at ``V = θ``, resets V, sets each current to
    ``Rj Ij + Aj``, and lifts θ to V_th_reset if it is lower. The paper has ``spk_reset="hard"``.

    Left out: R 20 Ω, tau 20 ms, V_th -50 mV, V_reset and V_rest -70 mV, V_th_reset -60 mV, a 0 /ms,
    b 0.01 /ms, k1 0.2 /ms, k2 0.02 /ms, R1 0, R2 1, A1 and A2 0 mA (a tonic neuron); V starts at
    -70 mV, I1 and I2 at 0 mA, θ at -50 mV. If one parameter other than R1 and R2 has no unit, none
    has.

    S. Mihalas and E. Niebur (2009), A generalized linear integrate-and-fire neural model produces
    diverse spiking behaviors, Neural Computation 21, 704-718.

    >>> import brainstate, brainunit as u
    >>> neuron = brainstate.nn.init_all_states(brainstate.nn.GIF(1, A1=5.0 * u.mA, R2=0.0))
    >>> def step(_):
    ...     with brainstate.environ.context(dt=0.1 * u.ms):
    ...         return neuron(1.5 * u.mA)
    >>> brainstate.transform.for_loop(step, jnp.arange(1000)).sum().item() > 5
    True
    """

    def __init__(
        self,
        in_size: Size,
        R: Callable | ArrayLike | None = None,
        tau: Callable | ArrayLike | None = None,
        V_th: Callable | ArrayLike | None = None,
        V_reset: Callable | ArrayLike | None = None,
        V_rest: Callable | ArrayLike | None = None,
        V_th_reset: Callable | ArrayLike | None = None,
        a: Callable | ArrayLike | None = None,
        b: Callable | ArrayLike | None = None,
        k1: Callable | ArrayLike | None = None,
        k2: Callable | ArrayLike | None = None,
        R1: Callable | ArrayLike = 0.0,
        R2: Callable | ArrayLike = 1.0,
        A1: Callable | ArrayLike | None = None,
        A2: Callable | ArrayLike | None = None,
        V_initializer: Callable | ArrayLike | None = None,
        I1_initializer: Callable | ArrayLike | None = None,
        I2_initializer: Callable | ArrayLike | None = None,
        theta_initializer: Callable | ArrayLike | None = None,
        spk_fun: Callable = _RELU,
        spk_reset: str = "soft",
        name: str | None = None,
    ):
        super().__init__(in_size, spk_fun=spk_fun, spk_reset=spk_reset, name=name)
        parameters = StandardParameters(
            self.varshape, R=R, tau=tau, V_th=V_th, V_reset=V_reset, V_rest=V_rest,
            V_th_reset=V_th_reset, a=a, b=b, k1=k1, k2=k2, A1=A1, A2=A2,
        )  # fmt: skip
        self.R = parameters.read("R", 20.0, "ohm")
        self.tau = parameters.read("tau", 20.0, "ms")
        self.V_th = parameters.read("V_th", -50.0, "mV")
        self.V_reset = parameters.read("V_reset", -70.0, "mV")
        self.V_rest = parameters.read("V_rest", -70.0, "mV")
        self.V_th_reset = parameters.read("V_th_reset", -60.0, "mV")
        self.a = parameters.read("a", 0.0, "ms^-1")
        self.b = parameters.read("b", 0.01, "ms^-1")
        self.k1 = parameters.read("k1", 0.2, "ms^-1")
        self.k2 = parameters.read("k2", 0.02, "ms^-1")
        self.A1 = parameters.read("A1", 0.0, "mA")
        self.A2 = parameters.read("A2", 0.0, "mA")
        self.R1 = param(R1, self.varshape, allow_none=False)
        self.R2 = param(R2, self.varshape, allow_none=False)
        self.V_initializer = parameters.initializer(V_initializer, -70.0, "mV")
        self.I1_initializer = parameters.initializer(I1_initializer, 0.0, "mA")
        self.I2_initializer = parameters.initializer(I2_initializer, 0.0, "mA")
        self.theta_initializer = parameters.initializer(theta_initializer, -50.0, "mV")

    I1: HiddenState
    I2: HiddenState
    theta: HiddenState

    def variables(self) -> dict[str, Variable]:
        names = "V", "I1", "I2", "theta"
        return {
            name: Variable(getattr(self, f"{name}_initializer"), self.varshape) for name in names
        }

    @once_in_a_body("V", "theta")
    def get_spike(self, V: ArrayLike | None = None, theta: ArrayLike | None = None) -> jax.Array:
        """The spikes at the potential `V` and the threshold `theta`, or at the present ones."""
        V = self.V.value if V is None else V
        return self._spike_above(V, self.theta.value if theta is None else theta)

    def update(self, x: ArrayLike | None = None) -> jax.Array:
        spike, theta = self.get_spike(), self.theta.value
        V = self._lowered(self.V.value, spike, theta)
        I1 = _jumped(self.I1.value, spike, self.R1, self.A1)
        I2 = _jumped(self.I2.value, spike, self.R2, self.A2)
        theta = self._lifted(theta, spike)
        x = 0.0 * self.V_th / self.R if x is None else x
        check_fits(self, x, V, "currents")
        own = add(I1, I2, "I2")
        self.V.value = self.sum_delta_inputs(exp_euler_step(self._potential_drift, V, x, own))
        self.theta.value = exp_euler_step(self._threshold_drift, theta, V)
        self.I1.value = exp_euler_step(lambda current: -self.k1 * current, I1)
        self.I2.value = exp_euler_step(lambda current: -self.k2 * current, I2)
        return self.get_spike()

    def _potential_drift(self, V: Any, x: Any, own: Any) -> Any:
        current = add(own, self.sum_current_inputs(x, V), "the current")
        return add(subtract(self.V_rest, V, "V"), self.R * current, "R * I") / self.tau

    def _threshold_drift(self, theta: Any, V: Any) -> Any:
        pulled = self.b * subtract(theta, self.V_th, "V_th")
        return subtract(self.a * subtract(V, self.V_rest, "V_rest"), pulled, "b")

    def _lifted(self, theta: Any, spike: Any) -> Any:
        theta, unit = split(theta)
        (lowest,) = numbers(unit, V_th_reset=self.V_th_reset)
        return attach(theta + spike * jnp.maximum(lowest - theta, 0.0), unit)


def _jumped(current: Any, spike: Any, factor: Any, addend: Any) -> Any:
    """``factor · current + addend`` where there is a spike."""
    return add(current, spike * add((factor - 1) * current, addend), "the jump at a spike")
