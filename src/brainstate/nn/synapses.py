"""Synapses: conductances that follow the spikes of the neurons before them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._state import HiddenState
from ..mixin import AlignPost
from ..typing import ArrayLike, Size
from .dynamics import Dynamics
from .exp_euler import exp_euler_step
from .standard_parameters import StandardParameters
from .unit_arithmetic import add
from .variable import Variable


class Synapse(Dynamics):
    """Base of synapses."""


class Expon(Synapse, AlignPost):
    """A conductance that decays exponentially: ``τ dg/dt = -g``.

    Delta inputs and ``synapse(x)`` add to `g` after the decay; current inputs stand beside ``-g``.
    Left out, tau is 8 ms, and `g` starts at 0 mS, or at 0 if tau has no unit.

    P. Dayan and L. F. Abbott (2001), Theoretical Neuroscience, chapter 5.8, MIT Press.

    >>> import brainstate, brainunit as u
    >>> synapse = brainstate.nn.init_all_states(brainstate.nn.Expon(1))
    >>> with brainstate.environ.context(dt=0.1 * u.ms):
    ...     g = [synapse(3.0 * u.mS), synapse()]
    >>> [round(x.to_decimal(u.mS).item(), 3) for x in g]
    [3.0, 2.963]
    """

    def __init__(
        self,
        in_size: Size,
        name: str | None = None,
        tau: Callable | ArrayLike | None = None,
        g_initializer: Callable | ArrayLike | None = None,
    ):
        super().__init__(in_size, name=name)
        parameters = StandardParameters(self.varshape, tau=tau)
        self.tau = parameters.read("tau", 8.0, "ms")
        self.g_initializer = parameters.initializer(g_initializer, 0.0, "mS")

    g: HiddenState

    def variables(self) -> dict[str, Variable]:
        return {"g": Variable(self.g_initializer, self.varshape)}

    def align_post_input_add(self, x: ArrayLike) -> None:
        """Add to the conductance, as the spikes of one presynaptic group do."""
        self.g.value = add(self.g.value, x, "x")

    def update(self, x: ArrayLike | None = None) -> Any:
        self.g.value = self.sum_delta_inputs(exp_euler_step(self._drift, self.g.value))
        if x is not None:
            self.align_post_input_add(x)
        return self.g.value

    def _drift(self, g: Any) -> Any:
        return self.sum_current_inputs(-g) / self.tau
