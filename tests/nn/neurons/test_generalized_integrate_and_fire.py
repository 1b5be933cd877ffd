import brainunit as u
import numpy as np
import pytest

from brainstate import nn
from neuron_steps import one_step, phi, spike_times

STANDARD = {
    "R": 20.0, "tau": 20.0, "V_th": -50.0, "V_reset": -70.0, "V_rest": -70.0, "V_th_reset": -60.0,
    "a": 0.0, "b": 0.01, "k1": 0.2, "k2": 0.02, "R1": 0.0, "R2": 1.0, "A1": 0.0, "A2": 0.0,
}  # fmt: skip
BURSTING = {"a": 0.005, "A1": 10.0, "A2": -0.6, "R1": 0.5, "V_rest": -68.0}
UNITS = {"V": u.mV, "theta": u.mV, "I1": u.mA, "I2": u.mA, "x": u.mA}
OF_PARAMETERS = {"R": u.ohm, "tau": u.ms, "V": u.mV, "a": 1 / u.ms, "A": u.mA}


def gif(y, x, dt, p, hard):
    """One exponential Euler step in NumPy, and the spikes at its end."""
    V, theta, I1, I2 = (np.asarray(y[name], float) for name in ("V", "theta", "I1", "I2"))
    fired = theta <= V
    V = np.where(fired, p["V_reset"] if hard else V - (theta - p["V_reset"]), V)
    I1 = np.where(fired, p["R1"] * I1 + p["A1"], I1)
    I2 = np.where(fired, p["R2"] * I2 + p["A2"], I2)
    theta = np.where(fired, np.maximum(theta, p["V_th_reset"]), theta)
    goal = p["V_rest"] + p["R"] * (x + I1 + I2)
    new_V = goal + (V - goal) * np.exp(-dt / p["tau"])
    slope = p["a"] * (V - p["V_rest"]) - p["b"] * (theta - p["V_th"])
    new = {
        "V": new_V,
        "theta": theta + dt * phi(-p["b"] * dt) * slope,
        "I1": I1 * np.exp(-p["k1"] * dt),
        "I2": I2 * np.exp(-p["k2"] * dt),
    }
    return new, new["theta"] <= new_V


START = {
    "V": [-75.0, -62.0, -52.0, -45.0, -40.0],
    "theta": [-50.0, -55.0, -51.9, -45.0, -65.0],
    "I1": [0.0, 1.0, 2.0, -0.5, 1.5],
    "I2": [0.5, 0.0, -1.0, 0.3, 2.0],
}


@pytest.mark.parametrize("reset", ["soft", "hard"])
@pytest.mark.parametrize("changes", [{}, BURSTING])
def test_one_step_agrees_with_numpy(reset, changes):
    p, x = {**STANDARD, **changes}, np.array([5.0, 0.0, 10.0, -4.0, 3.0])
    expected, fired = gif(START, x, 0.5, p, reset == "hard")
    assert fired.any()
    for units in (UNITS, None):
        given = dict(changes) if units is None else {
            name: value if name == "R1" else value * OF_PARAMETERS[name[0]]
            for name, value in changes.items()
        }  # fmt: skip
        if units is None:
            given["V_th"] = p["V_th"]
        spikes, found = one_step(nn.GIF(5, spk_reset=reset, **given), START, x, 0.5, units)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(spikes, fired)


def test_many_steps_agree_with_numpy():
    p = {**STANDARD, **BURSTING}
    y, expected = {"V": -70.0, "theta": -50.0, "I1": 0.0, "I2": 0.0}, []
    for step in range(400):
        y, fired = gif(y, 1.7, 0.5, p, hard=True)
        if fired:
            expected.append(0.5 * (step + 1))
    found = spike_times(nn.GIF(1, V_th=-50.0, spk_reset="hard", **BURSTING), 1.7, 200.0, 0.5)
    np.testing.assert_allclose(found, expected)
    assert len(expected) > 5


def test_standard_parameters():
    neuron = nn.GIF(2)
    for name, value in STANDARD.items():
        found = getattr(neuron, name)
        np.testing.assert_allclose(getattr(found, "mantissa", found), value)
    assert (neuron.A1.unit, neuron.theta_initializer.value) == (u.mA, -50.0 * u.mV)
    assert nn.GIF(2, R1=0.5).k1 == 0.2 / u.ms
    assert nn.GIF(2, tau=10.0).k1 == 0.2


def test_spikes_at_a_potential_and_a_threshold():
    neuron = nn.init_all_states(nn.GIF(2))
    V = np.array([-55.0, -45.0]) * u.mV
    np.testing.assert_array_equal(neuron.get_spike(V), [0.0, 1.0])
    np.testing.assert_array_equal(neuron.get_spike(V, -60.0 * u.mV), [1.0, 1.0])
