"""Clipping and accumulating gradients, the same for every optimizer."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

import brainstate
from brainstate import optim

every_kind = pytest.mark.parametrize(
    "make",
    [lambda **kw: optim.SGD(1.0, **kw), lambda **kw: optim.OptaxOptimizer(optax.sgd(1.0), **kw)],
    ids=["SGD", "OptaxOptimizer"],
)


def registered(optimizer, **values):
    weights = {key: brainstate.ParamState(value) for key, value in values.items()}
    optimizer.register_trainable_weights(weights)
    return weights


@every_kind
def test_the_norm_is_that_of_all_gradients(make):
    optimizer = make(clip_norm=1.0)
    weights = registered(optimizer, a=jnp.zeros(1), b=jnp.zeros((1, 1)))
    optimizer.update({"a": jnp.array([3.0]), "b": jnp.array([[4.0]])})
    found = [weights["a"].value.item(), weights["b"].value.item()]
    np.testing.assert_allclose(found, [-0.6, -0.8], rtol=1e-5)
    optimizer.update({"a": jnp.array([0.3]), "b": jnp.array([[0.4]])})
    found = [weights["a"].value.item(), weights["b"].value.item()]
    np.testing.assert_allclose(found, [-0.9, -1.2], rtol=1e-5)


@every_kind
def test_values_are_clipped_before_the_norm(make):
    optimizer = make(clip_value=0.5)
    weight = registered(optimizer, w=jnp.zeros(3))["w"]
    optimizer.update({"w": jnp.array([3.0, -3.0, 0.25])})
    np.testing.assert_array_equal(weight.value, [-0.5, 0.5, -0.25])
    optimizer = make(clip_value=3.0, clip_norm=1.0)
    weight = registered(optimizer, w=jnp.zeros(2))["w"]
    optimizer.update({"w": jnp.array([100.0, 4.0])})
    np.testing.assert_allclose(weight.value, -np.sqrt([0.5, 0.5]), rtol=1e-5)


def test_limits_can_be_changed_for_compiled_steps():
    optimizer = optim.SGD(1.0, clip_norm=1.0)
    weight = registered(optimizer, w=jnp.zeros(1))["w"]
    step = brainstate.compile.jit(lambda: optimizer.update({"w": jnp.full(1, 5.0)}))
    step()
    optimizer.gradients.clip_norm = 2.0
    step()
    np.testing.assert_allclose(weight.value, [-3.0], rtol=1e-5)


def adam(**options):
    return optim.Adam(optim.ExponentialDecayLR(0.1, 1, 0.5), **options)


def optax_adam(**options):
    return optim.OptaxOptimizer(optax.adam(lambda i: 0.1 * 0.5**i), **options)


@pytest.mark.parametrize("make", [adam, optax_adam])
def test_accumulated_gradients_count_as_one_step_of_their_mean(make):
    gradients = np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    optimizer, reference = make(accumulate=3, clip_norm=0.5), adam(clip_norm=0.5)
    weight = registered(optimizer, w=jnp.ones(2), scalar=1.0)["w"]
    expected = registered(reference, w=jnp.ones(2), scalar=1.0)["w"]
    update, update_at_once = map(brainstate.compile.jit, (optimizer.update, reference.update))
    for number, g in enumerate(gradients, 1):
        update({"w": g, "scalar": 0.5})
        if number % 3 == 0:
            mean = gradients[number - 3 : number].mean(axis=0)
            update_at_once({"w": mean, "scalar": 0.5})
        np.testing.assert_allclose(weight.value, expected.value, rtol=1e-6)
    assert optimizer.gradients.calls.value == 1
    np.testing.assert_allclose(optimizer.gradients.sums["w"].value, gradients[6])


def test_sums_are_states_of_the_optimizer_and_only_where_needed():
    optimizer = optim.SGD(0.1, accumulate=2)
    registered(optimizer, w=jnp.ones(2, jnp.bfloat16))
    optimizer.update({"w": jnp.ones(2, jnp.float32)})
    found = brainstate.graph.states(optimizer, lambda path, _: path[0] == "gradients")
    assert list(found) == [("gradients", "calls"), ("gradients", "sums", "w")]
    assert found["gradients", "sums", "w"].value.dtype == jnp.bfloat16
    plain = brainstate.graph.states(optim.SGD(0.1, clip_norm=1.0))
    assert all(path[0] == "lr" for path in plain)
