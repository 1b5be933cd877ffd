import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import nn

DT = 0.1
X = np.array([[3.0, 0.0], [0.0, 1.0], [0.0, 0.0], [2.0, 2.0], *([[0.0, 0.0]] * 20)])


def run(synapse, xs, dt=DT * u.ms):
    """What the synapse returns for each input, from one compiled loop."""
    nn.init_all_states(synapse)
    with brainstate.environ.context(dt=dt):
        return brainstate.compile.for_loop(lambda x: synapse(x), xs)


def response(xs, kernel):
    """The sum of the kernels of all inputs, at the time of each."""
    times = DT * np.arange(len(xs))
    lags = times[:, None] - times[None, :]
    return np.where(lags >= 0, kernel(np.maximum(lags, 0)), 0) @ xs


def test_expon_is_a_sum_of_exponentials():
    expected = response(X, lambda t: np.exp(-t / 8))
    np.testing.assert_allclose(run(nn.Expon(2), X * u.mS).to_decimal(u.mS), expected, rtol=1e-5)
    np.testing.assert_allclose(run(nn.Expon(2, tau=8.0), X, DT), expected, rtol=1e-5)
    found = run(nn.Expon(2, tau=np.array([2.0, 5.0])), X, DT)
    for i, tau in enumerate((2.0, 5.0)):
        expected = response(X, lambda t, tau=tau: np.exp(-t / tau))
        np.testing.assert_allclose(found[:, i], expected[:, i], rtol=1e-5)


def test_alpha_rises_to_its_input():
    expected = response(X, lambda t: t / 3 * np.exp(1 - t / 3))
    found = run(nn.Alpha(2, tau=3.0 * u.ms), X * u.mS)
    np.testing.assert_allclose(found.to_decimal(u.mS), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(run(nn.Alpha(2, tau=3.0), X, DT), expected, rtol=1e-5, atol=1e-6)


def test_dualexpon_is_a_difference_of_exponentials():
    decay, rise = 2.0, np.array([0.5, 3.0])
    found = run(nn.DualExpon(2, tau_decay=decay, tau_rise=rise), X, DT)
    for i in range(2):
        times = np.linspace(0, 20, 200_001)
        peak = np.abs(np.exp(-times / decay) - np.exp(-times / rise[i])).max()

        def kernel(t, tau=rise[i], peak=peak):
            return np.abs(np.exp(-t / decay) - np.exp(-t / tau)) / peak

        np.testing.assert_allclose(found[:, i], response(X, kernel)[:, i], rtol=1e-5, atol=2e-6)
    found = run(nn.DualExpon(1, A=2.0), np.ones((3, 1)) * u.mS).to_decimal(u.mS)
    expected = response(np.ones((3, 1)), lambda t: 2 * (np.exp(-t / 10) - np.exp(-t)))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="use Alpha"):
        nn.DualExpon(1, tau_decay=2.0 * u.ms, tau_rise=2e-3 * u.second)


@pytest.mark.parametrize("make", [nn.Alpha, nn.DualExpon])
def test_no_current_inputs_where_the_equation_has_none(make):
    with pytest.raises(TypeError, match=r"delta inputs only.*'a'"):
        make(1).add_current_input("a", 1.0 * u.mS)


@pytest.mark.parametrize("make", [nn.Expon, nn.Alpha, nn.DualExpon])
def test_inputs_add_up(make):
    direct, given, added = (nn.init_all_states(make(1)) for _ in range(3))
    given.add_delta_input("a", 2.0 * u.mS)
    with brainstate.environ.context(dt=DT * u.ms):
        direct(3.0 * u.mS)
        given(1.0 * u.mS)
        added()
        added.align_post_input_add(1.0 * u.mS)
        added.align_post_input_add(2.0 * u.mS)
        found = [synapse().to_decimal(u.mS) for synapse in (direct, given, added)]
    np.testing.assert_allclose(found, found[0] * np.ones((3, 1)), rtol=1e-6)
    assert found[0] > 0


@pytest.mark.parametrize("make", [nn.Expon, nn.Alpha, nn.DualExpon])
def test_inputs_must_fit_the_variables(make):
    synapse = nn.init_all_states(make(3))
    with brainstate.environ.context(dt=DT * u.ms):
        with pytest.raises(ValueError, match=r"\(3,\).*\(2, 3\).*init_all_states"):
            synapse(np.ones((2, 3)) * u.mS)
        assert synapse(1.0 * u.mS).shape == (3,)


def test_a_current_input_drives_towards_itself():
    synapse = nn.init_all_states(nn.Expon(1))
    synapse.add_current_input("b", lambda: 6.0 * u.mS)
    with brainstate.environ.context(dt=100.0 * u.second):
        np.testing.assert_allclose(synapse().to_decimal(u.mS), 6.0)


def test_first_conductances():
    assert nn.init_all_states(nn.Expon(2)).g.value.unit == u.mS
    synapse = nn.init_all_states(nn.Expon(2, g_initializer=jnp.array([1.0, 2.0]) * u.uS), 3)
    np.testing.assert_array_equal(synapse.g.value.to_decimal(u.uS), [[1, 2]] * 3)
    assert nn.Expon(2).tau == 8.0 * u.ms
