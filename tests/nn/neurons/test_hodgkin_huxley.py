import brainunit as u
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import brainstate
from brainstate import nn
from neuron_steps import one_step, spike_times

P = {
    "E_Na": 50.0, "g_Na": 120.0, "E_K": -77.0, "g_K": 36.0, "E_L": -54.387, "g_L": 0.3, "C": 1.0,
    "V_th": 20.0,
}  # fmt: skip
UNITS = {"V": u.mV, "x": u.uA}


def rates(V):
    """Those of the paper, where V counts from the rest, and down: v = -(V + 65)."""
    v = -(V + 65)
    return {
        "m": (0.1 * (v + 25) / (np.exp((v + 25) / 10) - 1), 4 * np.exp(v / 18)),
        "h": (0.07 * np.exp(v / 20), 1 / (np.exp((v + 30) / 10) + 1)),
        "n": (0.01 * (v + 10) / (np.exp((v + 10) / 10) - 1), 0.125 * np.exp(v / 80)),
    }


def conductances(m, h, n):
    return P["g_Na"] * m**3 * h, P["g_K"] * n**4, P["g_L"]


def slopes(t, y, x):
    V, *gates = y
    na, k, leak = conductances(*gates)
    current = na * (P["E_Na"] - V) + k * (P["E_K"] - V) + leak * (P["E_L"] - V) + x
    opening = [a * (1 - g) - b * g for g, (a, b) in zip(gates, rates(V).values(), strict=True)]
    return [current / P["C"], *opening]


def resting(V=-65.0):
    return {name: a / (a + b) for name, (a, b) in rates(V).items()}


START = {
    "V": np.array([-65.0, -80.0, -41.0, 15.0, 30.0]),
    "m": np.array([0.05, 0.01, 0.5, 0.9, 0.99]),
    "h": np.array([0.6, 0.7, 0.4, 0.2, 0.1]),
    "n": np.array([0.32, 0.2, 0.4, 0.5, 0.7]),
}


@pytest.mark.parametrize("units", [UNITS, None])
def test_one_step_agrees_with_numpy(units):
    x, dt = np.array([10.0, 0.0, -5.0, 800.0, 3.0]), 0.05
    neuron = nn.HH(5) if units else nn.HH(5, C=1.0)
    spikes, found = one_step(neuron, START, x, dt, units)
    V, gates = START["V"], {name: START[name] for name in "mhn"}
    na, k, leak = conductances(**gates)
    total = na + k + leak
    goal = (na * P["E_Na"] + k * P["E_K"] + leak * P["E_L"] + x) / total
    expected = goal + (V - goal) * np.exp(-total * dt / P["C"])
    np.testing.assert_allclose(found["V"], expected, rtol=1e-5)
    for name, (opening, closing) in rates(V).items():
        goal = opening / (opening + closing)
        value = goal + (gates[name] - goal) * np.exp(-(opening + closing) * dt)
        np.testing.assert_allclose(found[name], value, rtol=1e-5)
    np.testing.assert_array_equal(spikes, (P["V_th"] > V) & (P["V_th"] <= expected))
    np.testing.assert_array_equal(spikes, [0, 0, 0, 1, 0])


def test_spikes_agree_with_a_fine_integration():
    start = [-65.0, *resting().values()]

    def rises(t, y, x):
        return y[0] - P["V_th"]

    rises.direction = 1
    expected = solve_ivp(
        slopes, (0, 50.0), start, args=(10.0,), events=rises, rtol=1e-8, atol=1e-10, method="LSODA"
    ).t_events[0]
    coarse, fine = (spike_times(nn.HH(1, C=1.0), 10.0, 50.0, dt) for dt in (0.01, 0.0025))
    assert len(coarse) == len(fine) == len(expected) > 3
    np.testing.assert_allclose(fine, expected, rtol=3e-3, atol=0.02)
    assert abs(fine[-1] - expected[-1]) < 0.3 * abs(coarse[-1] - expected[-1])


def test_rest_is_where_the_currents_balance():
    neuron = nn.init_all_states(nn.HH(2))
    for name, value in resting().items():
        np.testing.assert_allclose(getattr(neuron, name).value, value, rtol=1e-6)
    with brainstate.environ.context(dt=0.05 * u.ms):
        spikes = brainstate.compile.for_loop(lambda _: neuron(), np.arange(400))
    assert not spikes.any()
    np.testing.assert_allclose(neuron.V.value.to_decimal(u.mV), -65.0, atol=0.05)


def test_gates_at_the_gaps_of_the_rates():
    """The rates of the paper are 0 / 0 at -40 and -55 mV; between their neighbours they are not."""
    gates = {name: np.zeros(3) for name in "mhn"}
    for gap, gate in ((-40.0, "m"), (-55.0, "n")):
        _, found = one_step(
            nn.HH(3, C=1.0), {"V": gap + np.array([-1e-2, 0, 1e-2]), **gates}, 0, 0.1
        )
        low, middle, high = np.asarray(found[gate], float)
        np.testing.assert_allclose(middle, (low + high) / 2, rtol=1e-4)


def test_standard_parameters():
    neuron = nn.HH(2)
    units = {"E": u.mV, "V": u.mV, "g": u.mS, "C": u.uF}
    for name, value in P.items():
        assert getattr(neuron, name) == value * units[name[0]]
    assert nn.HH(2, C=1.0).g_L == 0.3
    assert nn.init_all_states(nn.HH(2, m_initializer=0.5)).m.value.tolist() == [0.5, 0.5]


def test_spikes_of_a_step():
    neuron = nn.init_all_states(nn.HH(3))
    spikes = neuron.get_spike(
        np.array([19.0, 20.0, 25.0]) * u.mV, np.array([0.0, 19.0, 21.0]) * u.mV
    )
    np.testing.assert_array_equal(spikes, [0.0, 1.0, 0.0])
    np.testing.assert_array_equal(neuron.get_spike(), np.zeros(3))
