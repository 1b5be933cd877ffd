import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate.nn import exp_euler_step
from brainstate.nn.dynamics.exp_euler import _phi


def phi(z):
    z = np.asarray(z, np.float64)
    return np.where(z == 0, 1.0, np.expm1(z) / np.where(z == 0, 1.0, z))


@pytest.mark.parametrize("dt", [0.1, 1.0, 50.0])
def test_linear_equations_are_solved_exactly(dt):
    x = jnp.array([1.0, -2.0, 0.5])
    inf, tau = np.array([3.0, 0.0, -1.0]), np.array([10.0, 5.0, 0.1])
    with brainstate.environ.context(dt=dt):
        found = exp_euler_step(lambda x: (inf - x) / tau, x)
    np.testing.assert_allclose(found, inf + (x - inf) * np.exp(-dt / tau), rtol=1e-5, atol=1e-6)


def test_nonlinear_equations():
    x = jnp.linspace(-2, 2, 9)
    with brainstate.environ.context(dt=0.3):
        found = exp_euler_step(lambda x, a, b=0.0: a * x - x**3 + b, x, 2.0, b=0.5)
    f, slope = 2 * x - x**3 + 0.5, 2 - 3 * x**2
    np.testing.assert_allclose(found, x + 0.3 * phi(0.3 * slope) * f, rtol=1e-5, atol=1e-6)


def test_a_drift_without_slope_is_an_euler_step():
    with brainstate.environ.context(dt=0.5):
        np.testing.assert_allclose(exp_euler_step(lambda x: 3.0 + 0 * x, 1.0), 2.5)


def test_reference_value():
    with brainstate.environ.context(dt=0.1 * u.ms):
        out = exp_euler_step(lambda x: -x / (10.0 * u.ms), 1.0)
    np.testing.assert_allclose(out, 0.99004984, rtol=1e-6)


@pytest.mark.parametrize("time", [u.ms, u.second])
def test_units(time):
    tau, v = 10.0 * u.ms, jnp.array([1.0, 2.0]) * u.mV
    with brainstate.environ.context(dt=(0.1 * u.ms).in_unit(time)):
        out = exp_euler_step(lambda v: (-v + 1.0 * u.volt) / tau, v)
    assert out.unit == u.mV
    expected = 1000 + (v.mantissa - 1000) * np.exp(-0.01)
    np.testing.assert_allclose(out.mantissa, expected, rtol=1e-5)


def test_wrong_units_are_named():
    neuron = brainstate.nn.init_all_states(brainstate.nn.LIF(1))
    wrong_dt = pytest.raises(u.UnitMismatchError, match="the drift for a dt without a unit")
    with brainstate.environ.context(dt=0.1), wrong_dt:
        neuron(1.0 * u.mA)
    with brainstate.environ.context(dt=0.1 * u.ms):
        with pytest.raises(u.UnitMismatchError, match="the drift"):
            exp_euler_step(lambda v: -v, 1.0 * u.mV)
        with pytest.raises(u.UnitMismatchError, match="the drift"):
            exp_euler_step(lambda v: -v, 1.0)
        with pytest.raises(u.UnitMismatchError, match="the diffusion for a dt in ms"):
            exp_euler_step(lambda v: -v / u.ms, lambda v: 1.0 * u.mV, 1.0 * u.mV)


@pytest.mark.parametrize("x", [1, True, np.arange(3), jnp.arange(2)])
def test_integers_are_refused(x):
    with brainstate.environ.context(dt=0.1), pytest.raises(ValueError, match="floating-point"):
        exp_euler_step(lambda x: -x, x)


def test_missing_arguments_and_settings():
    with pytest.raises(KeyError, match="dt"):
        exp_euler_step(lambda x: -x, 1.0)
    with brainstate.environ.context(dt=0.1), pytest.raises(TypeError, match="value x"):
        exp_euler_step(lambda x: -x)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float16, jnp.bfloat16])
def test_types_are_kept(dtype):
    with brainstate.environ.context(dt=jnp.float32(0.1)):
        out = exp_euler_step(lambda x: -x / jnp.float32(5.0), jnp.ones(2, dtype))
    assert out.dtype == dtype
    np.testing.assert_allclose(out.astype(float), np.exp(-0.02), rtol=1e-2)


def test_diffusion_has_the_variance_of_brownian_motion():
    brainstate.random.seed(0)
    x = jnp.zeros(100_000) * u.mV
    sigma = 2.0 * u.mV / u.ms**0.5
    with brainstate.environ.context(dt=0.25 * u.ms):
        a = exp_euler_step(lambda x: 0.0 * x / u.ms, lambda x: sigma, x).mantissa
        b = exp_euler_step(lambda x: 0.0 * x / u.ms, lambda x: sigma, x).mantissa
    np.testing.assert_allclose(np.std(a), 2.0 * 0.5, rtol=0.02)
    assert abs(np.mean(a)) < 0.02
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.02


def test_diffusion_sees_the_value_and_the_arguments():
    brainstate.random.seed(0)
    with brainstate.environ.context(dt=1.0):
        out = exp_euler_step(lambda x, k: 0.0 * x, lambda x, k: x * k, jnp.ones(100_000), 3.0)
    np.testing.assert_allclose(np.std(out), 3.0, rtol=0.02)


@pytest.mark.parametrize("z", [-5.0, -1.1e-3, -0.9e-3, -1e-5, 0.0, 1e-5, 0.9e-3, 1.1e-3, 2.0])
def test_phi_and_its_derivatives(z):
    def derivative(z, order):  # the integral of s**order * exp(z s) over [0, 1]
        s = (np.arange(2000) + 0.5) / 2000
        return np.mean(s**order * np.exp(z * s))

    np.testing.assert_allclose(_phi(jnp.float32(z)), derivative(z, 0), rtol=1e-5)
    np.testing.assert_allclose(jax.grad(_phi)(jnp.float32(z)), derivative(z, 1), rtol=1e-3)
    with brainstate.environ.context(precision=64):
        found = jax.grad(_phi)(jnp.float64(z))
        np.testing.assert_allclose(found, derivative(z, 1), rtol=1e-6)
        found = jax.grad(jax.grad(_phi))(jnp.float64(z))
        np.testing.assert_allclose(found, derivative(z, 2), rtol=1e-5)


def test_gradients_through_steps():
    def ours(tau, x):
        with brainstate.environ.context(dt=0.1):
            for _ in range(20):
                x = exp_euler_step(lambda x: (1.0 - x) / tau, x)
        return x

    def exact(tau, x):
        return 1.0 + (x - 1.0) * jnp.exp(-2.0 / tau)

    for wrt in (0, 1):
        found = jax.grad(ours, wrt)(5.0, 0.2)
        np.testing.assert_allclose(found, jax.grad(exact, wrt)(5.0, 0.2), rtol=1e-4)


def test_the_drift_may_use_states():
    gain, calls = brainstate.State(2.0), brainstate.State(0)

    def drift(x):
        calls.value += 1
        return gain.value - x

    @brainstate.compile.jit
    def step(x):
        return exp_euler_step(drift, x)

    with brainstate.environ.context(dt=0.1):
        np.testing.assert_allclose(step(1.0), 2 - np.exp(-0.1), rtol=1e-6)
        gain.value = 3.0
        np.testing.assert_allclose(step(1.0), 3 - 2 * np.exp(-0.1), rtol=1e-6)
    assert calls.value == 2
