"""`get_spike` is evaluated once in a body for the same States, and anew for all others."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import nn
from brainstate.augment import grad
from brainstate.compile import for_loop, jit
from brainstate.surrogate import ReluGrad, Surrogate


class Counting(Surrogate):
    def __init__(self):
        self.slopes = []

    def surrogate_grad(self, x):
        self.slopes.append(x.shape)
        return jnp.maximum(1 - jnp.abs(x), 0)


def lif(**options):
    plain = {"R": 1.0, "tau": 5.0, "V_th": 1.0, "V_reset": 0.0, "V_rest": 0.0}
    return nn.init_all_states(nn.LIF(3, **plain, **options))


KINDS = {
    "LIF": lif,
    "ALIF": lambda **o: nn.init_all_states(
        nn.ALIF(3, R=1.0, tau=5.0, tau_a=9.0, V_th=1.0, V_reset=0.0, V_rest=0.0, beta=0.1, **o)
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_two_slopes_a_step(kind):
    spike = Counting()
    neuron, w = KINDS[kind](spk_fun=spike), brainstate.ParamState(jnp.ones(3))

    def step(x):
        return neuron(x + w.value * neuron.get_spike()) * neuron.get_spike()

    with brainstate.environ.context(dt=1.0):
        jit(grad(lambda: for_loop(step, jnp.ones((4, 3))).sum(), w))()
    assert len(spike.slopes) == 2  # of the potential before, and after


def test_what_changes_in_the_body_is_seen():
    neuron = lif()

    @jit
    def body():
        found = [neuron.get_spike()]
        neuron.V.value = jnp.array([0.0, 1.0, 2.0])
        found.append(neuron.get_spike())
        neuron.V_th = 1.5
        found.append(neuron.get_spike())
        neuron.V_th = 1.0
        found.append(neuron.get_spike(jnp.full(3, 5.0)))
        return found

    expected = [[0, 0, 0], [0, 1, 1], [0, 0, 1], [1, 1, 1]]
    np.testing.assert_array_equal(np.array(body()), expected)


def test_arrays_that_can_be_edited_are_looked_at_again():
    neuron = lif()

    def body(x):
        V = np.zeros(3, np.float32)
        neuron.V.value = V
        before = neuron.get_spike()
        V[1] = 2.0
        return before, neuron.get_spike(), x

    before, after, _ = jit(body)(0.0)
    np.testing.assert_array_equal((before, after), [[0, 0, 0], [0, 1, 0]])


def test_functions_that_may_draw_are_called_each_time():
    calls = []

    def spike(x):
        calls.append(x)
        return ReluGrad()(x)

    neuron = lif(spk_fun=spike)
    jit(lambda: (neuron.get_spike(), neuron.get_spike()))()
    assert len(calls) == 2


def test_nothing_is_kept_from_a_plain_jax_transformation():
    neuron = lif()

    @jit
    def body(xs):
        inner = jax.lax.map(lambda x: x * neuron.get_spike(), xs)
        return inner, neuron.get_spike(), jax.vmap(lambda x: x + neuron.get_spike())(xs)

    neuron.V.value = jnp.array([0.0, 1.0, 2.0])
    inner, spikes, lanes = body(jnp.arange(2.0))
    np.testing.assert_array_equal(inner, [[0, 0, 0], [0, 1, 1]])
    np.testing.assert_array_equal(spikes, [0, 1, 1])
    np.testing.assert_array_equal(lanes, [[0, 1, 1], [1, 2, 2]])
