"""Short-term plasticity: synapses whose strength depends on the spikes just before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._state import HiddenState
from ...init import Constant, param
from ...typing import ArrayLike, Size
from ..checks import check_fits
from ..dynamics.exp_euler import exp_euler_step
from ..dynamics.standard_parameters import StandardParameters
from ..variable import Variable
from .exponential import Synapse

_ONE = Constant(1.0)


class STP(Synapse):
    """Short-term facilitation and depression; ``synapse(spike)`` gives ``u x``, its strength.

    Between spikes ``τ_f du/dt = U - u`` and ``τ_d dx/dt = 1 - x``; a spike adds ``U (1 - u)`` to
    the release probability `u` and then takes ``u x`` from the resources `x`. They start at `U`
    (0.15) and 1. Left out, tau_f is 1500 ms and tau_d 200 ms; if one has no unit, neither has.

    M. Tsodyks, K. Pawelzik and H. Markram (1998), Neural networks with dynamic synapses, Neural
    Computation 10, 821-835.

    >>> import brainstate, brainunit as u
    >>> synapse = brainstate.nn.init_all_states(brainstate.nn.STP(1))
    >>> with brainstate.environ.context(dt=0.1 * u.ms):
    ...     [round(synapse(spike).item(), 4) for spike in (False, True)]
    [0.15, 0.2005]
    """

    def __init__(
        self,
        in_size: Size,
        name: str | None = None,
        U: Callable | ArrayLike = 0.15,
        tau_f: Callable | ArrayLike | None = None,
        tau_d: Callable | ArrayLike | None = None,
    ):
        super().__init__(in_size, name=name)
        parameters = StandardParameters(self.varshape, tau_f=tau_f, tau_d=tau_d)
        self.U = param(U, self.varshape, allow_none=False)
        self.tau_f = parameters.read("tau_f", 1500.0, "ms")
        self.tau_d = parameters.read("tau_d", 200.0, "ms")

    u: HiddenState
    x: HiddenState

    def variables(self) -> dict[str, Variable]:
        return {"u": Variable(self.U, self.varshape), "x": Variable(_ONE, self.varshape)}

    def update(self, pre_spike: ArrayLike) -> Any:
        u, x = self.u.value, self.x.value
        check_fits(self, pre_spike, x, "spikes")
        facilitated = exp_euler_step(lambda u: (self.U - u) / self.tau_f, u)
        self.u.value = facilitated + pre_spike * (self.U * (1 - u))
        self.x.value = exp_euler_step(_recovery, x, self.tau_d) - pre_spike * (self.u.value * x)
        return self.u.value * self.x.value


class STD(Synapse):
    """Short-term depression; ``synapse(spike)`` gives the resources `x` that are left.

    Between spikes ``τ dx/dt = 1 - x``; a spike takes the fraction `U` (0.07). They start at 1.
    Left out, tau is 200 ms.

    L. F. Abbott, J. A. Varela, K. Sen and S. B. Nelson (1997), Synaptic depression and cortical
    gain control, Science 275, 220-224.

    >>> import brainstate, brainunit as u
    >>> synapse = brainstate.nn.init_all_states(brainstate.nn.STD(1))
    >>> with brainstate.environ.context(dt=0.1 * u.ms):
    ...     [round(synapse(spike).item(), 4) for spike in (True, False)]
    [0.93, 0.93]
    """

    def __init__(
        self,
        in_size: Size,
        name: str | None = None,
        tau: Callable | ArrayLike | None = None,
        U: Callable | ArrayLike = 0.07,
    ):
        super().__init__(in_size, name=name)
        self.tau = StandardParameters(self.varshape, tau=tau).read("tau", 200.0, "ms")
        self.U = param(U, self.varshape, allow_none=False)

    x: HiddenState

    def variables(self) -> dict[str, Variable]:
        return {"x": Variable(_ONE, self.varshape)}

    def update(self, pre_spike: ArrayLike) -> Any:
        x = self.x.value
        check_fits(self, pre_spike, x, "spikes")
        self.x.value = exp_euler_step(_recovery, x, self.tau) - pre_spike * (self.U * x)
        return self.x.value


def _recovery(x: Any, tau: Any) -> Any:
    return (1 - x) / tau
