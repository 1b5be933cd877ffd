"""Steps of neuron models, beside the same in NumPy."""

import brainunit as u
import numpy as np

import brainstate
from brainstate import nn


def phi(z):
    """``(eᶻ - 1) / z``, in double precision."""
    z = np.asarray(z, np.float64)
    return np.where(z == 0, 1.0, np.expm1(z) / np.where(z == 0, 1.0, z))


def one_step(neuron, start, x, dt, units=None):
    """The spikes and the States, as numbers, after one step from the States `start`.

    With `units`, by State and for "x", everything is a quantity.
    """
    time = 1.0 if units is None else u.ms

    def unit(name):
        return 1.0 if units is None else units.get(name, 1.0)

    nn.init_all_states(neuron)
    for name, value in start.items():
        getattr(neuron, name).value = np.asarray(value, np.float32) * unit(name)
    with brainstate.environ.context(dt=dt * time):
        spikes = neuron(np.asarray(x, np.float32) * unit("x"))
    found = {name: getattr(neuron, name).value for name in start}
    if units is not None:
        found = {n: v.to_decimal(unit(n)) if n in units else v for n, v in found.items()}
    return np.asarray(spikes), found


def spike_times(neuron, current, duration, dt):
    """When the neuron spikes, in double precision, given `current` all the time."""
    with brainstate.environ.context(dt=dt, precision=64):
        nn.init_all_states(neuron)
        spikes = brainstate.compile.for_loop(
            lambda _: neuron(current), np.arange(round(duration / dt))
        )
        return dt * (1 + np.flatnonzero(np.asarray(spikes)))
