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


@pytest.mark.parametrize("make", [nn.Expon])
def test_inputs_of_a_synapse(make):
    """Delta inputs and arguments add up after the decay; a current input drives towards itself."""
    synapse = nn.init_all_states(make(1))
    synapse.add_delta_input("a", 2.0 * u.mS)
    with brainstate.environ.context(dt=DT * u.ms):
        np.testing.assert_allclose(synapse(1.0 * u.mS).to_decimal(u.mS), 3.0)
        synapse.align_post_input_add(1.0 * u.mS)
        np.testing.assert_allclose(synapse.g.value.to_decimal(u.mS), 4.0)
    synapse.add_current_input("b", lambda: 6.0 * u.mS)
    with brainstate.environ.context(dt=100.0 * u.second):
        np.testing.assert_allclose(synapse().to_decimal(u.mS), 6.0)


def test_first_conductances():
    assert nn.init_all_states(nn.Expon(2)).g.value.unit == u.mS
    synapse = nn.init_all_states(nn.Expon(2, g_initializer=jnp.array([1.0, 2.0]) * u.uS), 3)
    np.testing.assert_array_equal(synapse.g.value.to_decimal(u.uS), [[1, 2]] * 3)
    assert nn.Expon(2).tau == 8.0 * u.ms
