"""Synapses: conductances that follow the spikes of the neurons before them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from ... import environ
from ..._engine.jax_api import is_tracer
from ..._engine.names import describe
from ..._state import HiddenState
from ..._units import number_in
from ...init import param
from ...mixin import AlignPost
from ...typing import ArrayLike, Size
from ..checks import check_fits
from ..dynamics.base import Dynamics
from ..dynamics.exp_euler import exp_euler_step
from ..dynamics.standard_parameters import StandardParameters
from ..dynamics.unit_arithmetic import add, subtract
from ..variable import Variable


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
            check_fits(self, x, self.g.value)
            self.align_post_input_add(x)
        return self.g.value

    def _drift(self, g: Any) -> Any:
        return self.sum_current_inputs(-g) / self.tau


class _RisingSynapse(Synapse, AlignPost):
    """A conductance made of two variables, which rises to a peak after a spike."""

    def add_current_input(
        self, key: str, inp: Callable | ArrayLike, label: str | None = None
    ) -> None:
        """Refused: the equation has no place for one."""
        raise TypeError(
            f"{describe(self)} takes delta inputs only; found a current input {key!r}. Give it by "
            "add_delta_input(). [BST-P08]"
        )

    def _evolve(self) -> Any:
        """Take a step without inputs; returns a zero in the unit of the conductance."""
        raise NotImplementedError(f"{type(self).__name__} must define _evolve(). [BST-A14]")

    def _value(self) -> Any:
        """The conductance."""
        raise NotImplementedError(f"{type(self).__name__} must define _value(). [BST-A14]")

    def update(self, x: ArrayLike | None = None) -> Any:
        inputs = self._evolve()
        if x is not None:
            check_fits(self, x, inputs)
            inputs = add(inputs, x, "x")
        self.align_post_input_add(self.sum_delta_inputs(inputs))
        return self._value()


class DualExpon(_RisingSynapse):
    """A conductance that rises and decays exponentially: ``g = A (g_decay - g_rise)``.

    ``τ_decay dg_decay/dt = -g_decay`` and ``τ_rise dg_rise/dt = -g_rise``; delta inputs and
    ``synapse(x)`` add to both. Left out, tau_decay is 10 ms and tau_rise 1 ms; `A` is such that the
    response to one input `x` has the peak `x`; the variables start at 0 mS, or at 0 without units.

    P. Dayan and L. F. Abbott (2001), Theoretical Neuroscience, chapter 5.8, MIT Press.

    >>> import brainstate
    >>> synapse = brainstate.nn.init_all_states(brainstate.nn.DualExpon(1, tau_decay=10.0))
    >>> with brainstate.environ.context(dt=0.1):
    ...     g = [synapse(3.0 if step == 0 else None).item() for step in range(60)]
    >>> round(max(g), 3)
    3.0
    """

    def __init__(
        self,
        in_size: Size,
        name: str | None = None,
        tau_decay: Callable | ArrayLike | None = None,
        tau_rise: Callable | ArrayLike | None = None,
        A: Callable | ArrayLike | None = None,
        g_initializer: Callable | ArrayLike | None = None,
    ):
        super().__init__(in_size, name=name)
        parameters = StandardParameters(self.varshape, tau_decay=tau_decay, tau_rise=tau_rise)
        self.tau_decay = parameters.read("tau_decay", 10.0, "ms")
        self.tau_rise = parameters.read("tau_rise", 1.0, "ms")
        self.A = param(A, self.varshape)
        if A is None:
            self.A = 1 / _peak(number_in(self.tau_rise / self.tau_decay, None, "tau_rise"))
        self.g_initializer = parameters.initializer(g_initializer, 0.0, "mS")

    g_decay: HiddenState
    g_rise: HiddenState

    def variables(self) -> dict[str, Variable]:
        start = Variable(self.g_initializer, self.varshape)
        return {"g_decay": start, "g_rise": start}

    @property
    def g(self) -> Any:
        """The conductance."""
        return self.A * subtract(self.g_decay.value, self.g_rise.value)

    def align_post_input_add(self, x: ArrayLike) -> None:
        """Add to both variables, as the spikes of one presynaptic group do."""
        self.g_decay.value = add(self.g_decay.value, x, "x")
        self.g_rise.value = add(self.g_rise.value, x, "x")

    def _evolve(self) -> Any:
        self.g_decay.value = exp_euler_step(lambda g: -g / self.tau_decay, self.g_decay.value)
        self.g_rise.value = exp_euler_step(lambda g: -g / self.tau_rise, self.g_rise.value)
        return 0.0 * self.g_rise.value

    def _value(self) -> Any:
        return self.g


class Alpha(_RisingSynapse):
    """A conductance that follows one input `x` as ``x (t/τ) exp(1 - t/τ)``, with the peak `x`.

    ``τ dg/dt = h - g`` and ``τ dh/dt = -h``, solved exactly; delta inputs and ``synapse(x)`` add
    ``e x`` to `h`. Left out, tau is 8 ms; `g` and `h` start at 0 mS, or at 0 without units.

    W. Rall (1967), Distinguishing theoretical synaptic potentials computed for different
    soma-dendritic distributions of synaptic input, Journal of Neurophysiology 30, 1138-1168.

    >>> import brainstate
    >>> synapse = brainstate.nn.init_all_states(brainstate.nn.Alpha(1, tau=2.0))
    >>> with brainstate.environ.context(dt=1.0):
    ...     [round(synapse(x).item(), 3) for x in (3.0, None, None, None)]
    [0.0, 2.473, 3.0, 2.729]
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
    h: HiddenState

    def variables(self) -> dict[str, Variable]:
        start = Variable(self.g_initializer, self.varshape)
        return {"g": start, "h": start}

    def align_post_input_add(self, x: ArrayLike) -> None:
        """Start the response to `x`, as the spikes of one presynaptic group do."""
        self.h.value = add(self.h.value, math.e * x, "x")

    def _evolve(self) -> Any:
        steps = number_in(environ.get_dt() / self.tau, None, "dt / tau")
        decay, h = jnp.exp(-steps), self.h.value
        self.g.value = decay * add(self.g.value, steps * h)
        self.h.value = decay * h
        return 0.0 * h

    def _value(self) -> Any:
        return self.g.value


def _peak(ratio: Any) -> Any:
    """The peak of ``exp(-t / τ_decay) - exp(-t / τ_rise)``, from ``τ_rise / τ_decay``."""
    if not is_tracer(ratio) and np.any(np.equal(ratio, 1)):
        raise ValueError(
            "DualExpon needs a tau_rise that differs from tau_decay; for equal ones use Alpha. "
            "[BST-A02]"
        )
    return ratio ** (ratio / (1 - ratio)) - ratio ** (1 / (1 - ratio))
