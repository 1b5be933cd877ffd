import brainunit as u
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import brainstate
from brainstate import nn
from neuron_steps import one_step, phi, spike_times

ADEX = {
    "C": 281.0, "g_L": 30.0, "E_L": -70.6, "V_T": -50.4, "delta_T": 2.0, "a": 4.0, "tau_w": 144.0,
    "b": 80.5, "V_th": 0.0, "V_reset": -70.6,
}  # fmt: skip
IZHIKEVICH = {
    "a": 0.02, "b": 0.2, "V_reset": -65.0, "d": 8.0, "R": 1.0, "tau": 1.0, "p1": 0.04, "p2": 5.0,
    "p3": 140.0, "V_th": 30.0,
}  # fmt: skip


def adex_slopes(V, w, x, p):
    upstroke = p["g_L"] * p["delta_T"] * np.exp((V - p["V_T"]) / p["delta_T"])
    dV = (p["g_L"] * (p["E_L"] - V) + upstroke - w + x) / p["C"]
    slope = (-p["g_L"] + upstroke / p["delta_T"]) / p["C"]
    return dV, slope, (p["a"] * (V - p["E_L"]) - w) / p["tau_w"], -1 / p["tau_w"]


def izhikevich_slopes(V, w, x, p):
    dV = (p["p1"] * V**2 + p["p2"] * V + p["p3"] - w + p["R"] * x) / p["tau"]
    return dV, (2 * p["p1"] * V + p["p2"]) / p["tau"], p["a"] * (p["b"] * V - w), -p["a"]


MODELS = {
    nn.AdEx: (ADEX, adex_slopes, "w", "b", {"V": u.mV, "w": u.pA, "x": u.pA}),
    nn.Izhikevich: (IZHIKEVICH, izhikevich_slopes, "u", "d", {"V": u.mV, "u": u.mV, "x": u.mA}),
}
every = pytest.mark.parametrize("kind", MODELS)


@every
@pytest.mark.parametrize("reset", ["soft", "hard"])
@pytest.mark.parametrize("with_units", [True, False])
def test_one_step_agrees_with_numpy(kind, reset, with_units):
    p, slopes, slow, jump, units = MODELS[kind]
    V = np.array([-75.0, -62.0, -52.0, -47.0, p["V_th"]])
    w, x, dt = np.array([0.0, 5.0, -3.0, 20.0, 7.0]), np.array([5.0, 0.0, 10.0, -4.0, 3.0]), 0.1
    given = {} if with_units else {"V_th": p["V_th"]}
    spikes, found = one_step(
        kind(5, spk_reset=reset, **given), {"V": V, slow: w}, x, dt, units if with_units else None
    )
    fired = p["V_th"] <= V
    V, w = np.where(fired, p["V_reset"], V), w + fired * p[jump]
    dV, slope, dw, slow_slope = slopes(V, w, x, p)
    V = np.minimum(V + dt * phi(dt * slope) * dV, p["V_th"])
    np.testing.assert_allclose(found["V"], V, rtol=1e-5)
    expected = w + dt * phi(dt * slow_slope) * dw
    np.testing.assert_allclose(found[slow], expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(spikes, p["V_th"] <= V)


@every
@pytest.mark.parametrize(("current", "count"), [(1.0, 3), (None, 0)])
def test_spikes_agree_with_a_fine_integration(kind, current, count):
    """Times of spikes, which the step width blurs, and the slow variable after each of them."""
    p, slopes, slow, jump, _ = MODELS[kind]
    x = 0.0 if current is None else {nn.AdEx: 1000.0, nn.Izhikevich: 10.0}[kind]

    def reaches(t, y):
        return y[0] - p["V_th"]

    reaches.terminal = True
    time, y, expected = 0.0, [p.get("E_L", -65.0), {"w": 0.0, "u": -13.0}[slow]], []
    while True:
        run = solve_ivp(
            lambda t, y: [slopes(y[0], y[1], x, p)[i] for i in (0, 2)],
            (time, 200.0), y, method="LSODA", events=reaches, rtol=1e-8, atol=1e-8,
        )  # fmt: skip
        if not run.t_events[0].size:
            break
        time, y = run.t[-1], [p["V_reset"], run.y[1, -1] + p[jump]]
        expected.append(time)
    found = spike_times(kind(1, V_th=p["V_th"]), x, 200.0, 0.02)
    assert len(found) == len(expected) >= count
    np.testing.assert_allclose(found, expected, rtol=5e-3, atol=0.05)
    # As many at the step of the examples.
    assert len(spike_times(kind(1, V_th=p["V_th"]), x, 200.0, 0.1)) == len(expected)


@every
def test_standard_parameters(kind):
    p, _, _, _, units = MODELS[kind]
    neuron = kind(2)
    for name, value in p.items():
        found = getattr(neuron, name)
        np.testing.assert_allclose(getattr(found, "mantissa", found), value)
    assert neuron.V_th.unit == units["V"]
    assert kind(2, V_th=1.0).V_reset == p["V_reset"]


@every
@pytest.mark.parametrize("threshold", [30.0, 1e4])
def test_the_upstroke_stays_finite(kind, threshold):
    """Forward and backward, at any threshold, in float32 and long steps."""
    neuron = nn.init_all_states(kind(1, V_th=threshold))

    def run(x):
        nn.reset_all_states(neuron)
        with brainstate.environ.context(dt=0.5):
            spikes = brainstate.compile.for_loop(lambda _: neuron(x), np.arange(300))
        return spikes.sum() + neuron.V.value.sum()

    gradient, value = brainstate.augment.grad(run, return_value=True)(1000.0)
    assert np.isfinite([gradient, value]).all()
    assert (neuron.V.value <= threshold).all()


def test_adaptation_lengthens_the_intervals():
    intervals = np.diff(spike_times(nn.AdEx(1, V_th=0.0), 800.0, 300.0, 0.1))
    assert len(intervals) > 3
    assert intervals[-1] > 1.5 * intervals[0]
    fast = nn.Izhikevich(1, V_th=30.0, a=0.1, d=2.0)
    assert len(spike_times(fast, 10.0, 200.0, 0.1)) > len(
        spike_times(nn.Izhikevich(1, V_th=30.0), 10.0, 200.0, 0.1)
    )


@every
def test_inputs(kind):
    """Current inputs are summed with the argument, delta inputs come after the step."""
    units = MODELS[kind][-1]
    direct, given = (nn.init_all_states(kind(2)) for _ in range(2))
    given.add_current_input("a", 3.0 * units["x"])
    given.add_delta_input("b", 2.0 * u.mV)
    with brainstate.environ.context(dt=0.1 * u.ms):
        direct(5.0 * units["x"])
        given(2.0 * units["x"])
        np.testing.assert_allclose(
            given.V.value.to_decimal(u.mV), direct.V.value.to_decimal(u.mV) + 2.0, rtol=1e-6
        )
        with pytest.raises(ValueError, match=r"currents.*\(2,\).*\(3,\)"):
            direct(np.ones(3) * units["x"])
        with pytest.raises(u.UnitMismatchError):
            direct(1.0 * u.mV)
