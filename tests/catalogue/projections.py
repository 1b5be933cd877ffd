"""Delays and projections, in modules that write, send, and tell what arrives."""

import brainunit as u
import jax.numpy as jnp

import brainstate
from brainstate import nn
from catalogue.entry import Entry


class Late(nn.Module):
    """Gives each value back one step later, and three of different ages."""

    def __init__(self, **options):
        super().__init__()
        self.delay = nn.Delay(jnp.zeros(3, brainstate.environ.dftype()), 0.2, **options)
        middle = 0.05 if "interpolation" in options else 0.1
        self.delay.register_entry("late", 0.1).register_entry("each", jnp.array([0.0, middle, 0.2]))

    def update(self, x):
        self.delay(x)
        return (
            self.delay.at("late"),
            self.delay.at("each"),
            self.delay.at("late", jnp.array([2, 0])),
        )


class Pair(nn.Module):
    """A neuron that drives another, and what that one's potential becomes."""

    def __init__(self, make):
        super().__init__()
        self.pre, self.post = nn.LIF(3), nn.LIF(2)
        self.proj = make(self.pre, self.post)

    def update(self, x):
        self.proj()
        self.pre(x)
        self.post(20.0 * u.mA)
        return self.post.V.value


def weights(unit):
    return nn.Linear(3, 2, w_init=brainstate.init.Normal(unit=unit), b_init=None)


def aligned(pre, post):
    return nn.AlignPostProj(
        pre.output_delay(), comm=weights(u.siemens), syn=nn.Expon.desc(2),
        out=nn.COBA.desc(5.0 * u.mV), post=post,
    )  # fmt: skip


def current(pre, post):
    return nn.CurrentProj(
        pre.prefetch_delay("V"), comm=weights(u.siemens / u.mV),
        out=nn.CUBA(1.0 * u.mV), post=post,
    )  # fmt: skip


def jumps(pre, post):
    return nn.DeltaProj(pre.prefetch("V"), comm=weights(None), post=post)


def pair(name, make):
    def build():
        with brainstate.environ.context(dt=0.1 * u.ms):
            return Pair(make)

    return Entry(
        name,
        build,
        lambda: (jnp.array([20.0, 60.0, 90.0]) * u.mA,),
        lambda: {"dt": 0.1 * u.ms},
        wrong=(lambda: (jnp.ones(3) * u.mV,), u.UnitMismatchError, r"R \* I"),
    )


def late(name, **options):
    def build():
        with brainstate.environ.context(dt=0.1):
            return Late(**options)

    return Entry(
        name,
        build,
        lambda: (jnp.array([0.5, -1.0, 2.0]),),
        lambda: {"dt": 0.1},
        wrong=(lambda: (jnp.ones(4),), ValueError, r"`part\.delay`.*\(3,\).*\(4,\)"),
    )


ENTRIES = [
    late("Delay"),
    late("Delay, concat, linear", delay_method="concat", interpolation="linear"),
    pair("AlignPostProj", aligned),
    pair("CurrentProj", current),
    pair("DeltaProj", jumps),
]
