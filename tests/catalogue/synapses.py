"""Synapses and what they give to neurons."""

import brainunit as u
import jax.numpy as jnp

from brainstate import nn
from catalogue.entry import Entry


def settings():
    return {"dt": 0.1 * u.ms, "t": 1.0 * u.ms}


def conductance(kind):
    return Entry(
        kind.__name__,
        lambda: kind(3),
        lambda: (jnp.array([0.5, 1.0, 2.0]) * u.mS,),
        settings,
        wrong=(lambda: (jnp.ones(3) * u.mV,), u.UnitMismatchError, "`x` must be .* mS"),
    )


def spiking(kind, differentiable=False):
    return Entry(
        kind.__name__,
        lambda: kind(3),
        lambda: (jnp.array([1.0, 0.0, 1.0]),),
        settings,
        wrong=(lambda: (jnp.ones(4),), ValueError, r"`part`.*spikes that broadcast to \(3,\)"),
        differentiable=differentiable,  # a spike starts a pulse, whatever its size
    )


def output(name, make, wrong="the potential given to .*`part`"):
    """A synaptic output, as a function of conductance and potential."""
    return Entry(
        name,
        lambda: Bound(make()),
        lambda: (jnp.array([0.5, 1.0, 2.0]) * u.mS, jnp.array([-70.0, -50.0, 10.0]) * u.mV),
        wrong=(lambda: (jnp.ones(3) * u.mS, jnp.ones(3)), u.UnitMismatchError, wrong),
    )


class Bound(nn.Module):
    """Binds a conductance and asks for the current."""

    def __init__(self, out):
        super().__init__()
        self.out = out

    def update(self, g, V):
        self.out.bind_cond(g)
        return self.out(V)


ENTRIES = [
    *(conductance(kind) for kind in (nn.Expon, nn.DualExpon, nn.Alpha)),
    *(spiking(kind) for kind in (nn.AMPA, nn.GABAa, nn.NMDA)),
    *(spiking(kind, differentiable=True) for kind in (nn.STP, nn.STD)),
    output("COBA", lambda: nn.COBA(E=-10.0 * u.mV), "the potential given to COBA `part.out`"),
    output("MgBlock", lambda: nn.MgBlock(E=0.0 * u.mV), "the potential"),
    Entry("CUBA", lambda: Bound(nn.CUBA()), lambda: (jnp.ones(3) * u.mS, jnp.ones(3) * u.mV)),
]
