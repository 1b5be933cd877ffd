import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import init, nn
from brainstate import transform as bt

RNG = np.random.default_rng(0)
STEPS = 40


def run(model, xs, dt):
    with brainstate.environ.context(dt=dt):
        return np.asarray(bt.for_loop(model, jnp.asarray(xs, jnp.float32)))


def test_rate_readout_agrees_with_numpy():
    tau, w = np.array([2.0, 5.0]), RNG.normal(size=(3, 2))
    model = nn.init_all_states(nn.LeakyRateReadout(3, 2, tau=tau * u.ms, w_init=w), 4)
    assert isinstance(model.weight, brainstate.ParamState)
    assert isinstance(model.r, brainstate.HiddenState)
    xs = RNG.normal(size=(STEPS, 4, 3))
    found = run(model, xs, 100.0 * u.us)
    r, expected = np.zeros((4, 2)), []
    for x in xs:
        r = np.exp(-0.1 / tau) * r + x @ w
        expected.append(r)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_rate_readout_follows_dt_and_units():
    model = nn.init_all_states(nn.LeakyRateReadout(1, 1, w_init=3.0 * u.mV))
    assert model.tau == 5.0 * u.ms
    for dt in (1.0, 5.0):
        model.r.value = jnp.ones(1) * u.mV
        with brainstate.environ.context(dt=dt * u.ms):
            out = bt.jit(model)(jnp.ones(1))
        np.testing.assert_allclose(out.to_decimal(u.mV), np.exp(-dt / 5) + 3, rtol=1e-5)
    with (
        brainstate.environ.context(dt=0.1),
        pytest.raises(u.UnitMismatchError, match=r"`dt`.*such as ms; found the plain 0.1"),
    ):
        model(jnp.ones(1))
    with (
        brainstate.environ.context(dt=0.1 * u.ms),
        pytest.raises(u.UnitMismatchError, match="`x @ weight`"),
    ):
        model(jnp.ones(1) * u.mA)


def test_spike_readout_agrees_with_numpy():
    tau, v_th, w = (
        np.array([5.0, 8.0, 3.0]),
        np.array([1.0, 0.5, 2.0]),
        30 * RNG.normal(size=(3, 3)),
    )
    spikes_in = RNG.random((STEPS, 2, 3)) < 0.5
    extra = 12.0  # a current input, which is a potential here
    for soft in (True, False):
        model = nn.LeakySpikeReadout(
            3,
            tau=tau * u.ms,
            V_th=v_th * u.mV,
            w_init=w * u.mV,
            spk_reset="soft" if soft else "hard",
        )
        nn.init_all_states(model, 2)
        model.add_current_input("extra", lambda V: extra * u.mV)
        found = run(model, spikes_in, 0.1 * u.ms)
        V, decay, expected = np.zeros((2, 3)), np.exp(-0.1 / tau), []
        for x in spikes_in:
            V = np.where(v_th <= V, V - v_th if soft else 0.0, V)
            drive = x @ w + extra
            V = drive + (V - drive) * decay
            expected.append(v_th <= V)
        np.testing.assert_array_equal(found, expected)
        assert 0 < np.mean(expected) < 1
        np.testing.assert_allclose(model.V.value.to_decimal(u.mV), V, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(model.spike, expected[-1])


def test_spike_readout_standard_parameters():
    brainstate.random.seed(0)
    model = nn.init_all_states(nn.LeakySpikeReadout(100))
    assert isinstance(model, nn.Neuron)
    assert (model.tau, model.V_th) == (5.0 * u.ms, 1.0 * u.mV)
    assert model.V.value.unit == u.mV
    weight = model.weight.value
    assert weight.unit == u.mV
    np.testing.assert_allclose(np.std(weight.mantissa), (2 / 100) ** 0.5, rtol=0.05)
    plain = nn.init_all_states(nn.LeakySpikeReadout(2, tau=5.0))
    with brainstate.environ.context(dt=0.1):
        assert plain(jnp.ones(2)).shape == (2,)
    assert nn.LeakySpikeReadout(2, w_init=init.Constant(1.0 * u.mV)).weight.value.shape == (2, 2)
