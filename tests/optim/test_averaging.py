"""Running means of weights."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import graph, optim


def test_the_mean_is_that_of_the_formula():
    weight = brainstate.ParamState({"q": jnp.zeros(2) * u.mV, "b": jnp.ones(1)})
    ema = optim.ExponentialMovingAverage({"w": weight}, decay=0.75)

    @brainstate.compile.jit
    def train():
        weight.value = {"q": weight.value["q"] + 1.0 * u.mV, "b": 2 * weight.value["b"]}
        ema.update()
        with ema.swap():
            return weight.value

    q, b, mean_q, mean_b = 0.0, 1.0, 0.0, 1.0
    for _ in range(5):
        inside = train()
        q, b = q + 1, 2 * b
        mean_q, mean_b = 0.75 * mean_q + 0.25 * q, 0.75 * mean_b + 0.25 * b
    np.testing.assert_allclose(inside["q"].to_decimal(u.mV), mean_q, rtol=1e-6)
    np.testing.assert_allclose(inside["b"], mean_b, rtol=1e-6)
    np.testing.assert_allclose(weight.value["q"].to_decimal(u.mV), q)
    np.testing.assert_allclose(weight.value["b"], b)


def test_swapped_weights_come_back_after_an_error():
    weight = brainstate.ParamState(jnp.float32(1.0))
    ema = optim.ExponentialMovingAverage({"w": weight}, decay=0.5)
    weight.value = jnp.float32(5.0)

    def fail():
        with ema.swap():
            assert weight.value == 1.0
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert weight.value == 5.0


def test_means_of_coarse_types_are_precise():
    weight = brainstate.ParamState(jnp.ones(1, jnp.bfloat16))
    count = brainstate.LongTermState(jnp.int32(0))
    ema = optim.ExponentialMovingAverage({"w": weight, "n": count}, decay=0.999)
    weight.value, count.value = jnp.full(1, 2.0, jnp.bfloat16), jnp.int32(7)
    brainstate.compile.for_loop(lambda _: ema.update(), jnp.arange(100))
    np.testing.assert_allclose(ema.averages["w"].value, 2 - 0.999**100, rtol=1e-5)
    with ema.swap():
        assert (weight.value.dtype, count.value) == (jnp.bfloat16, 7)


def test_means_are_states_of_the_node_and_weights_are_not():
    weight = brainstate.ParamState(jnp.ones(2))
    ema = optim.ExponentialMovingAverage({("l", "weight"): weight})
    assert list(graph.states(ema)) == [("averages", ("l", "weight"))]
    ema.averages["l", "weight"].value = jnp.full(2, 3.0)
    copied = graph.clone(ema)
    with pytest.raises(ValueError, match=r"copy.*register_trainable_weights"):
        copied.update()
    other = brainstate.ParamState(jnp.zeros(2))
    copied.register_trainable_weights({("l", "weight"): other})
    with copied.swap():
        np.testing.assert_array_equal(other.value, 3.0)
    assert jax.tree.leaves(ema.param_states) == [weight]


def test_decay_is_below_one():
    with pytest.raises(ValueError, match=r"decay .*1.0"):
        optim.ExponentialMovingAverage(decay=1.0)
