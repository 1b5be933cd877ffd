"""Synaptic outputs: from a conductance and a membrane potential to a current."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from ..._engine.names import describe
from ..._units import is_quantity, number_in, unit_of
from ...mixin import BindCondData
from ...typing import ArrayLike
from ..dynamics.standard_parameters import standard_value
from ..dynamics.unit_arithmetic import subtract
from ..module import Module


class SynOut(Module, BindCondData):
    """Base of synaptic outputs: a current, from a conductance that is bound and a potential.

    ``out.bind_cond(g)`` sets the conductance; then ``out(V)`` gives the current at `V`, which is
    what the current inputs of a neuron are made of. Subclasses define ``update(g, V)``.

    >>> import brainstate
    >>> out = brainstate.nn.COBA(E=0.0)
    >>> out.bind_cond(2.0)
    >>> out(-60.0)
    120.0
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        conductance = self._conductance
        if conductance is None:
            raise ValueError(
                f"{describe(self)} has no conductance here; call bind_cond(conductance) in the "
                "same step, before it is called with a potential. [BST-P06]"
            )
        return self.update(conductance, *args, **kwargs)


class COBA(SynOut):
    """A conductance with a reversal potential: ``I = g (E - V)``.

    >>> import brainstate, brainunit as u
    >>> out = brainstate.nn.COBA(E=0.0 * u.mV)
    >>> out.update(2.0 * u.mS, -60.0 * u.mV).to_decimal(u.uA)
    120.0
    """

    def __init__(self, E: ArrayLike):
        super().__init__()
        self.E = E

    def update(self, conductance: ArrayLike, potential: ArrayLike) -> Any:
        return conductance * _driving_force(self, potential)


class CUBA(SynOut):
    """A current whatever the potential: ``I = g · scale``.

    Left out, `scale` is 1 V; without units, give ``scale=1.0``.

    >>> import brainstate, brainunit as u
    >>> brainstate.nn.CUBA().update(2.0 * u.mS).to_decimal(u.mA)
    2.0
    """

    def __init__(self, scale: ArrayLike | None = None):
        super().__init__()
        self.scale = standard_value(1.0, "volt") if scale is None else scale

    def update(self, conductance: ArrayLike, potential: ArrayLike | None = None) -> Any:
        return conductance * self.scale


class MgBlock(SynOut):
    """An NMDA conductance, blocked by magnesium at low potentials.

    ``I = g (E - V) / (1 + cc_Mg / β · exp(α (V_offset - V)))``, with the concentration `cc_Mg` of
    magnesium and `beta` in mM. Where the reversal potential `E` has a unit, plain numbers for
    alpha and V_offset are per mV and in mV.

    C. E. Jahr and C. F. Stevens (1990), Voltage dependence of NMDA-activated macroscopic
    conductances predicted by single-channel kinetics, Journal of Neuroscience 10, 3178-3182.

    >>> import brainstate, brainunit as u
    >>> round(brainstate.nn.MgBlock().update(1.0, -60.0).item(), 4)
    4.0349
    >>> current = brainstate.nn.MgBlock(E=0.0 * u.mV).update(1.0 * u.mS, -60.0 * u.mV)
    >>> round(current.to_decimal(u.uA).item(), 4)
    4.0349
    """

    def __init__(
        self,
        E: ArrayLike = 0.0,
        cc_Mg: ArrayLike = 1.2,
        alpha: ArrayLike = 0.062,
        beta: ArrayLike = 3.57,
        V_offset: ArrayLike = 0.0,
    ):
        super().__init__()
        self.E, self.cc_Mg, self.beta = E, cc_Mg, beta
        plain = unit_of(E) is None
        self.alpha = standard_value(alpha, "mV^-1", plain or is_quantity(alpha))
        self.V_offset = standard_value(V_offset, "mV", plain or is_quantity(V_offset))

    def update(self, conductance: ArrayLike, potential: ArrayLike) -> Any:
        below = subtract(self.V_offset, potential, "the potential")
        exponent = number_in(self.alpha * below, None, "alpha * (V_offset - V)")
        blocked = number_in(self.cc_Mg / self.beta, None, "cc_Mg / beta") * jnp.exp(exponent)
        return conductance * _driving_force(self, potential) / (1 + blocked)


def _driving_force(out: COBA | MgBlock, potential: Any) -> Any:
    return subtract(out.E, potential, f"the potential given to {describe(out)}")
