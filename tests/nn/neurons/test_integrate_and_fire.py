import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import nn
from brainstate.surrogate import ReluGrad, Sigmoid

DT = 0.1


def simulate(neuron, currents, **settings):
    """Spikes and potentials (as numbers) of one step for each current."""
    nn.init_all_states(neuron)
    spikes, potentials = [], []
    for step, current in enumerate(currents):
        now = {name: value(step) for name, value in settings.items()}
        with brainstate.environ.context(dt=DT * u.ms, **now):
            spikes.append(np.asarray(neuron(current)))
        potentials.append(np.asarray(neuron.V.value.to_decimal(u.mV)))
    return np.array(spikes), np.array(potentials)


def lif(currents, *, tau=5.0, v_th=1.0, v_reset=0.0, v_rest=0.0, soft=True, v=0.0):
    """The same in NumPy and double precision."""
    decay, spikes, potentials = np.exp(-DT / tau), [], []
    for current in currents:
        spike = v >= v_th
        v = np.where(spike, v - (v_th - v_reset) if soft else v_reset, v)
        v = v_rest + current + (v - v_rest - current) * decay
        spikes.append(v >= v_th)
        potentials.append(v)
    return np.array(spikes, float), np.array(potentials)


CURRENTS = np.stack([np.full(60, 5.0), np.linspace(0, 30, 60), 10 * np.sin(np.arange(60))], 1)


@pytest.mark.parametrize("reset", ["soft", "hard"])
@pytest.mark.parametrize(
    "parameters",
    [{}, {"tau": 2.0}, {"v_th": 2.0, "v_reset": -0.5}, {"v_rest": 0.3, "v_reset": 0.2}],
)
def test_lif_agrees_with_numpy(reset, parameters):
    units = {"tau": ("tau", u.ms), "v_th": ("V_th", u.mV), "v_reset": ("V_reset", u.mV),
             "v_rest": ("V_rest", u.mV)}  # fmt: skip
    given = {units[key][0]: value * units[key][1] for key, value in parameters.items()}
    neuron = nn.LIF(3, spk_reset=reset, **given)
    spikes, potentials = simulate(neuron, CURRENTS * u.mA)
    expected = lif(CURRENTS, soft=reset == "soft", **parameters)
    np.testing.assert_array_equal(spikes, expected[0])
    np.testing.assert_allclose(potentials, expected[1], rtol=1e-5, atol=1e-6)
    assert expected[0].any()


def test_reference_values():
    spikes, potentials = simulate(nn.LIF(1), [5.0 * u.mA] * 15)
    assert np.flatnonzero(spikes) == [11]
    np.testing.assert_allclose(potentials[[0, 11], 0], [0.099007, 1.06686], rtol=1e-5)
    _, potentials = simulate(nn.LIF(1, spk_reset="hard"), [5.0 * u.mA] * 13)
    np.testing.assert_allclose(potentials[12, 0], 0.099007, rtol=1e-5)


def test_plain_numbers_need_no_units_at_all():
    neuron = nn.init_all_states(nn.LIF(3, tau=5.0))
    assert isinstance(neuron.V.value, jax.Array)
    with brainstate.environ.context(dt=DT):
        found = np.array([neuron(current) for current in CURRENTS])
    np.testing.assert_array_equal(found, lif(CURRENTS)[0])


def test_standard_parameters():
    neuron = nn.LIF(2)
    for name, value in {"R": 1.0 * u.ohm, "tau": 5.0 * u.ms, "V_th": 1.0 * u.mV}.items():
        assert getattr(neuron, name) == value
    assert neuron.spk_fun == ReluGrad()
    assert nn.LIFRef(2).tau_ref == 5.0 * u.ms
    adaptive = nn.ALIF(2)
    assert (adaptive.tau_a, adaptive.beta) == (100.0 * u.ms, 0.1 * u.mV)
    assert nn.LIFRef(2, tau=3.0).tau_ref == 5.0
    assert nn.ALIF(2, tau=3.0).beta == 0.1


def test_parameters_may_be_arrays_and_functions():
    tau = np.array([2.0, 5.0, 10.0])
    spikes, _ = simulate(nn.LIF(3, tau=tau * u.ms), CURRENTS * u.mA)
    np.testing.assert_array_equal(spikes, lif(CURRENTS, tau=tau)[0])
    neuron = nn.LIF(3, tau=brainstate.init.Uniform(2.0, 5.0, unit=u.ms))
    assert neuron.tau.shape == (3,)
    assert nn.LIF(3, tau=brainstate.init.Uniform(2.0, 5.0)).V_th == 1.0
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        nn.LIF(3, tau=np.ones(2) * u.ms)


def test_first_potentials():
    neuron = nn.LIF(2, V_initializer=brainstate.init.Constant(-1.0 * u.mV))
    np.testing.assert_array_equal(nn.init_all_states(neuron).V.value.mantissa, [-1, -1])
    neuron = nn.LIF(2, V_initializer=np.array([1.0, 2.0]) * u.mV)
    nn.init_all_states(neuron, 3)
    np.testing.assert_array_equal(neuron.V.value.mantissa, [[1, 2]] * 3)
    neuron.V.value = neuron.V.value * 0
    nn.reset_all_states(neuron, batch_size=3)
    np.testing.assert_array_equal(neuron.V.value.mantissa, [[1, 2]] * 3)
    with pytest.raises(AttributeError, match="init_all_states"):
        nn.reset_all_states(nn.LIF(2))


@pytest.mark.parametrize("make", [nn.IF, nn.LIF, nn.LIFRef, nn.ALIF])
def test_batches_are_lanes_of_their_own(make):
    single, batched = make((3,)), nn.init_all_states(make((3,)), batch_size=2)
    settings = {"t": lambda step: step * DT * u.ms}
    spikes, _ = simulate(single, 2 * CURRENTS * u.mA, **settings)
    assert spikes.any()
    for step, current in enumerate(2 * CURRENTS):
        with brainstate.environ.context(dt=DT * u.ms, t=step * DT * u.ms):
            out = batched(np.stack([0 * current, current]) * u.mA)
        np.testing.assert_array_equal(out[1], spikes[step])


def test_no_input_is_no_current():
    spikes, potentials = simulate(
        nn.LIF(2, V_initializer=brainstate.init.Constant(0.5 * u.mV)), [None] * 5
    )
    np.testing.assert_allclose(potentials[:, 0], 0.5 * np.exp(-DT * np.arange(1, 6) / 5), rtol=1e-5)
    assert not spikes.any()


def test_resistance():
    spikes, _ = simulate(nn.LIF(3, R=0.5 * u.ohm), 2 * CURRENTS * u.mA)
    np.testing.assert_array_equal(spikes, lif(CURRENTS)[0])
    spikes, _ = simulate(nn.LIF(3, R=1.0 * u.kohm), CURRENTS * u.uA)
    np.testing.assert_array_equal(spikes, lif(CURRENTS)[0])


@pytest.mark.parametrize("reset", ["soft", "hard"])
def test_if_rests_at_zero(reset):
    neuron = nn.IF(3, V_th=2.0 * u.mV, spk_reset=reset)
    spikes, potentials = simulate(neuron, CURRENTS * u.mA)
    expected = lif(CURRENTS, v_th=2.0, soft=reset == "soft")
    np.testing.assert_array_equal(spikes, expected[0])
    np.testing.assert_allclose(potentials, expected[1], rtol=1e-5, atol=1e-6)


def test_lifref_rests_after_a_spike():
    neuron = nn.LIFRef(1, tau_ref=2.0 * u.ms)
    spikes, potentials = simulate(neuron, [20.0 * u.mA] * 60, t=lambda step: step * DT * u.ms)
    assert np.flatnonzero(spikes).tolist() == [2, 24, 45]
    first = lif([20.0] * 3)[1][2]
    np.testing.assert_allclose(potentials[3:22, 0], first - 1, rtol=1e-5)


def test_lifref_uses_up_inputs_while_it_rests():
    neuron = nn.init_all_states(nn.LIFRef(1, tau_ref=2.0 * u.ms))
    neuron.last_spike_time.value = jnp.zeros(1) * u.ms
    neuron.add_delta_input("kick", 10.0 * u.mV)
    with brainstate.environ.context(dt=DT * u.ms, t=1.0 * u.ms):
        assert neuron() == 0.0
    assert not neuron.delta_inputs
    with brainstate.environ.context(dt=DT * u.ms, t=2.5 * u.ms):
        assert neuron(100.0 * u.mA) == 1.0
    assert neuron.last_spike_time.value == 2.5 * u.ms
    with brainstate.environ.context(dt=DT * u.ms), pytest.raises(KeyError, match="'t'"):
        neuron()


def test_alif_adapts():
    neuron = nn.ALIF(1, tau_a=20.0 * u.ms, beta=0.5 * u.mV)
    spikes, potentials = simulate(neuron, [15.0 * u.mA] * 100)
    v = a = 0.0
    for step in range(100):
        spike = float(v >= 1 + 0.5 * a)
        v, a = v - spike, a + spike
        v, a = 15 + (v - 15) * np.exp(-DT / 5), a * np.exp(-DT / 20)
        np.testing.assert_allclose(potentials[step], v, rtol=1e-5)
        assert spikes[step] == float(v >= 1 + 0.5 * a)
    np.testing.assert_allclose(neuron.a.value, a, rtol=1e-5)
    intervals = np.diff(np.flatnonzero(spikes))
    assert intervals[-1] > intervals[0]


def test_inputs_by_conductance():
    """A current that depends on the potential changes the slope of the equation."""
    neuron = nn.LIF(1, V_th=1000.0 * u.mV)
    g, reversal = 2.0 * u.siemens, 100.0 * u.mV
    neuron.add_current_input("synapse", lambda V: g * (reversal - V))
    _, potentials = simulate(neuron, [1.0 * u.mA] * 10)
    # tau dV/dt = -V + 2 (100 - V) + 1, in mV and mA through 1 ohm
    expected = 67 * (1 - np.exp(-3 * DT * np.arange(1, 11) / 5))
    np.testing.assert_allclose(potentials[:, 0], expected, rtol=1e-5)


def test_delta_inputs_come_after_the_step():
    neuron = nn.init_all_states(nn.LIF(1))
    neuron.add_delta_input("kick", 3.0 * u.mV)
    with brainstate.environ.context(dt=DT * u.ms):
        assert neuron(0.0 * u.mA) == 1.0
    assert neuron.V.value == 3.0 * u.mV


def test_spikes_at_a_potential():
    neuron = nn.init_all_states(nn.LIF(2))
    np.testing.assert_array_equal(neuron.get_spike(np.array([0.5, 1.0]) * u.mV), [0.0, 1.0])
    np.testing.assert_array_equal(neuron.get_spike(np.array([0.5, 1.0]) * 1e-3 * u.volt), [0, 1])
    adaptive = nn.init_all_states(nn.ALIF(2))
    above = np.array([1.05, 1.2]) * u.mV
    np.testing.assert_array_equal(adaptive.get_spike(above, np.ones(2)), [0.0, 1.0])


def test_wrong_units_are_named():
    neuron = nn.init_all_states(nn.LIF(1))
    with brainstate.environ.context(dt=DT * u.ms), pytest.raises(u.UnitMismatchError, match="R"):
        neuron(1.0 * u.mV)
    with brainstate.environ.context(dt=DT), pytest.raises(u.UnitMismatchError, match="drift"):
        neuron(1.0 * u.mA)


@pytest.mark.parametrize("make", [nn.IF, nn.LIF, nn.LIFRef, nn.ALIF])
def test_resets_are_soft_or_hard(make):
    with pytest.raises(ValueError, match=r"spk_reset.*'sharp'"):
        make(2, spk_reset="sharp")


def test_gradient_through_time():
    """Against plain JAX with the same surrogate, in double precision: second derivatives cancel."""

    def ours(w):
        nn.reset_all_states(neuron)
        with brainstate.environ.context(dt=DT):
            return brainstate.compile.for_loop(lambda x: neuron(w * x), xs).sum()

    def plain(w):
        def step(v, x):
            v = v - Sigmoid()(v - 1)
            v = w * x + (v - w * x) * jnp.exp(-DT / 5)
            return v, Sigmoid()(v - 1)

        return jax.lax.scan(step, jnp.zeros(2), xs)[1].sum()

    with brainstate.environ.context(precision=64):
        neuron = nn.init_all_states(nn.LIF(2, spk_fun=Sigmoid(), tau=5.0))
        xs = jnp.linspace(0, 20, 40).reshape(20, 2)
        assert ours(1.3) == plain(1.3)
        found = brainstate.augment.grad(ours)(1.3)
        np.testing.assert_allclose(found, jax.grad(plain)(1.3), rtol=1e-9)
        hessian = brainstate.augment.hessian(ours)(1.3)
        np.testing.assert_allclose(hessian, jax.hessian(plain)(1.3), rtol=1e-9)


def test_hard_reset_passes_no_gradient_of_the_peak():
    neuron = nn.init_all_states(nn.LIF(1, spk_reset="hard", tau=5.0))

    def after_reset(v):
        neuron.V.value = jnp.full(1, v)
        with brainstate.environ.context(dt=DT):
            neuron(0.0)
        return neuron.V.value[0]

    def plain(v):
        low = v - jax.lax.stop_gradient(v) * ReluGrad()(v - 1)
        return low * jnp.exp(-DT / 5)

    np.testing.assert_allclose(after_reset(1.5), 0.0, atol=1e-6)
    found = brainstate.augment.grad(after_reset)(1.5)
    np.testing.assert_allclose(found, jax.grad(plain)(1.5), rtol=1e-5)


@pytest.mark.parametrize("make", [nn.LIF, nn.LIFRef, nn.ALIF])
def test_compiled_steps_are_traced_once(make):
    neuron = nn.init_all_states(make(3))
    traces = []

    @brainstate.compile.jit
    def step(x, t):
        traces.append(1)
        with brainstate.environ.context(dt=DT * u.ms, t=t):
            return neuron(x)

    compiled = [step(x * u.mA, i * DT * u.ms) for i, x in enumerate(CURRENTS)]
    assert len(traces) == 1
    eager, _ = simulate(make(3), CURRENTS * u.mA, t=lambda i: i * DT * u.ms)
    np.testing.assert_array_equal(compiled, eager)
