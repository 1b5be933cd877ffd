import brainunit as u
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.special

import brainstate.functional as F

X = np.array([[-200.0, -2.0, -0.3], [0.0, 0.3, 89.0]])

ACTIVATIONS = [
    (F.relu, lambda x: np.maximum(x, 0)),
    (F.sigmoid, scipy.special.expit),
    (F.softplus, lambda x: np.logaddexp(x, 0)),
    (F.softmax, lambda x: scipy.special.softmax(x, axis=-1)),
    (F.log_softmax, lambda x: scipy.special.log_softmax(x, axis=-1)),
]
each = pytest.mark.parametrize(
    ("fun", "truth"), ACTIVATIONS, ids=[f.__name__ for f, _ in ACTIVATIONS]
)


@each
def test_values(fun, truth):
    np.testing.assert_allclose(fun(jnp.asarray(X)), truth(X), rtol=1e-5, atol=1e-30)


@each
def test_units_are_kept(fun, truth):
    out = fun(jnp.asarray(X) * u.mV)
    assert out.unit == u.mV
    np.testing.assert_allclose(out.mantissa, truth(X), rtol=1e-5, atol=1e-30)


@each
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float16, jnp.bfloat16])
def test_types_are_kept(fun, truth, dtype):
    assert fun(jnp.asarray([1.0, 2.0], dtype)).dtype == dtype


def test_softmax_over_all_and_over_a_part():
    mild = X / 100
    over_all = F.softmax(jnp.asarray(mild), axis=None)
    np.testing.assert_allclose(over_all, scipy.special.softmax(mild), rtol=1e-5)
    where = np.array([True, False, True])
    inside = scipy.special.softmax(X[:, where], axis=-1)
    out = F.softmax(jnp.asarray(X), where=where)
    np.testing.assert_allclose(out[:, where], inside, rtol=1e-5, atol=1e-30)
    assert (out[:, 1] == 0).all()
    assert np.isneginf(F.log_softmax(jnp.asarray(X), where=where)[:, 1]).all()


def test_tanh_takes_plain_numbers():
    np.testing.assert_allclose(F.tanh(jnp.asarray(X)), np.tanh(X), rtol=1e-6)
    with pytest.raises(TypeError, match="mV"):
        F.tanh(1.0 * u.mV)


TREE = {"w": np.arange(6.0).reshape(1, 2, 3), "b": (np.array([-3.0, 4.0]), np.float64(2.0))}


@pytest.mark.parametrize("max_norm", [0.5, 3.0, 100.0])
def test_clipping_agrees_with_optax(max_norm):
    tree = {
        key: jnp.asarray(TREE[key]) if key == "w" else jnp.asarray(TREE[key][0]) for key in TREE
    }
    expected, _ = optax.clip_by_global_norm(max_norm).update(tree, None)
    found = F.clip_grad_norm(tree, max_norm)
    for key in tree:
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-5)


@pytest.mark.parametrize("order", [None, 1, 2, 3, jnp.inf])
def test_clipping_by_other_norms_looks_at_all_numbers(order):
    numbers = np.concatenate([np.ravel(TREE["w"]), TREE["b"][0], [TREE["b"][1]]])
    norm = np.linalg.norm(numbers, order)
    found = F.clip_grad_norm(TREE, norm / 2, norm_type=order)
    np.testing.assert_allclose(found["w"], TREE["w"] / 2, rtol=1e-5)
    np.testing.assert_allclose(found["b"][1], TREE["b"][1] / 2, rtol=1e-5)
    same = F.clip_grad_norm(TREE, norm * 2, norm_type=order)
    np.testing.assert_array_equal(same["w"], TREE["w"].astype(np.float32))


def test_clipping_keeps_units_types_and_empty_trees():
    out = F.clip_grad_norm({"w": jnp.array([3.0, 4.0], jnp.bfloat16) * u.mV}, 1.0)["w"]
    assert out.unit == u.mV
    assert out.mantissa.dtype == jnp.bfloat16
    np.testing.assert_allclose(out.mantissa.astype(float), [0.6, 0.8], rtol=1e-2)
    assert F.clip_grad_norm({}, 1.0) == {}
