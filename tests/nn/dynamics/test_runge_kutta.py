import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate.nn import rk2_step, rk4_step

METHODS = [(rk2_step, 2), (rk4_step, 4)]
both = pytest.mark.parametrize(("step", "order"), METHODS)


@both
@pytest.mark.parametrize("dt", [0.1, 0.7])
def test_linear_equations_follow_the_series_of_the_exponential(step, order, dt):
    x, rate = jnp.array([1.0, -2.0]), np.array([-1.5, 0.4])
    with brainstate.environ.context(dt=dt):
        found = step(lambda x: rate * x, x)
    series = sum((rate * dt) ** n / np.prod(np.arange(1, n + 1)) for n in range(order + 1))
    np.testing.assert_allclose(found, series * x, rtol=1e-5)


@both
def test_order_of_convergence(step, order):
    """A rotation whose speed depends on the time, as a variable of its own."""

    def drift(x, speed):
        return {"t": jnp.ones(()), "z": speed * x["t"] * jnp.stack([-x["z"][1], x["z"][0]])}

    def error(steps):
        with brainstate.environ.context(dt=1 / steps, precision=64):
            x = {"t": jnp.zeros(()), "z": jnp.array([1.0, 0.0])}
            x = jax.lax.fori_loop(0, steps, lambda _, x: step(drift, x, speed=3.0), x)
        return np.abs(np.asarray(x["z"]) - np.array([np.cos(1.5), np.sin(1.5)])).max()

    np.testing.assert_allclose(np.log2(error(10) / error(20)), order, atol=0.35)


@both
def test_units_of_each_variable(step, order):
    tau, x = 10.0 * u.ms, {"V": jnp.array([1.0, 2.0]) * u.mV, "g": 3.0}

    def drift(x, target):
        return {"V": (target - x["V"]) / tau, "g": -x["g"] / tau}

    with brainstate.environ.context(dt=1e-4 * u.second):
        out = step(drift, x, 1.0 * u.volt)
    assert out["V"].unit == u.mV
    expected = 1000 + np.array([-999, -998]) * np.exp(-0.01)
    np.testing.assert_allclose(out["V"].mantissa, expected, rtol=2e-5)
    np.testing.assert_allclose(out["g"], 3 * np.exp(-0.01), rtol=1e-6)
    with brainstate.environ.context(dt=0.1), pytest.raises(u.UnitMismatchError, match="the drift"):
        step(drift, x, 1.0 * u.volt)


@both
def test_wrong_calls_are_refused(step, order):
    with brainstate.environ.context(dt=0.1):
        with pytest.raises(TypeError, match=f"{step.__name__}.*no diffusion"):
            step(lambda x: -x, lambda x: x, 1.0)
        with pytest.raises(TypeError, match="one derivative for each variable"):
            step(lambda x: x["a"], {"a": 1.0})
        with pytest.raises(ValueError, match=f"{step.__name__}.*int32"):
            step(lambda x: -x, 1)


@both
def test_gradients_and_types(step, order):
    def end(rate):
        with brainstate.environ.context(dt=0.1):
            return step(lambda x: rate * x, 2.0)

    exact = 2 * sum(n * 0.1**n / np.prod(np.arange(1, n + 1)) for n in range(1, order + 1))
    np.testing.assert_allclose(jax.grad(end)(1.0), exact, rtol=1e-6)
    with brainstate.environ.context(dt=jnp.float32(0.1)):
        assert step(lambda x: -x, jnp.ones(2, jnp.bfloat16)).dtype == jnp.bfloat16
