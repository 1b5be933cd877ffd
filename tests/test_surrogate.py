import copy
import pickle

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate.surrogate import (
    Arctan,
    InvSquareGrad,
    ReluGrad,
    Sigmoid,
    Surrogate,
    arctan,
    inv_square_grad,
    relu_grad,
    sigmoid,
)

X = np.array([-2.3, -1.5, -0.5, -1e-3, 0.0, 0.2, 0.5, 1.5, 7.0])


def logistic(x):
    return 1 / (1 + np.exp(-x))


# (instance, the same by its function, the derivative in NumPy)
CASES = [
    (Sigmoid(), sigmoid, lambda x: 4 * logistic(4 * x) * (1 - logistic(4 * x))),
    (
        Sigmoid(alpha=1.5),
        lambda x: sigmoid(x, alpha=1.5),
        lambda x: 1.5 * logistic(1.5 * x) * (1 - logistic(1.5 * x)),
    ),
    (Arctan(), arctan, lambda x: 0.5 / (1 + (np.pi * x / 2) ** 2)),
    (
        Arctan(alpha=3.0),
        lambda x: arctan(x, alpha=3.0),
        lambda x: 1.5 / (1 + (np.pi * 3 * x / 2) ** 2),
    ),
    (ReluGrad(), relu_grad, lambda x: np.maximum(0.3 - 0.3 * abs(x), 0)),
    (
        ReluGrad(alpha=0.5, width=2.0),
        lambda x: relu_grad(x, alpha=0.5, width=2.0),
        lambda x: np.maximum(1 - 0.5 * abs(x), 0),
    ),
    (InvSquareGrad(), inv_square_grad, lambda x: 1 / (100 * abs(x) + 1) ** 2),
    (
        InvSquareGrad(alpha=2.0),
        lambda x: inv_square_grad(x, alpha=2.0),
        lambda x: 1 / (2 * abs(x) + 1) ** 2,
    ),
]
each = pytest.mark.parametrize(
    ("surrogate", "function", "derivative"), CASES, ids=[repr(case[0]) for case in CASES]
)


@each
def test_forward_is_a_step_and_gradient_is_the_formula(surrogate, function, derivative):
    x = jnp.asarray(X, jnp.float32)
    for spike in (surrogate, function, jax.jit(surrogate)):
        np.testing.assert_array_equal(spike(x), (X >= 0).astype(np.float32))
        found = jax.vmap(jax.grad(spike))(x)
        np.testing.assert_allclose(found, derivative(X), rtol=2e-5, atol=1e-7)


@each
def test_forward_mode_and_second_derivatives(surrogate, function, derivative):
    x = jnp.float32(0.3)
    out, tangent = jax.jvp(surrogate, (x,), (jnp.float32(2.0),))
    assert out == 1.0
    np.testing.assert_allclose(tangent, 2 * derivative(0.3), rtol=1e-5)
    np.testing.assert_allclose(jax.jacfwd(surrogate)(x), derivative(0.3), rtol=1e-5)
    h = 1e-5
    expected = (derivative(0.3 + h) - derivative(0.3 - h)) / (2 * h)
    np.testing.assert_allclose(jax.hessian(surrogate)(x), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("surrogate", [Sigmoid(), Sigmoid(2.0), Arctan(), Arctan(0.7)], ids=repr)
def test_gradient_is_that_of_the_smooth_step(surrogate):
    x = jnp.asarray(X, jnp.float32)
    expected = jax.vmap(jax.grad(surrogate.surrogate_fun))(x)
    np.testing.assert_allclose(surrogate.surrogate_grad(x), expected, rtol=1e-4, atol=1e-7)
    assert surrogate.surrogate_fun(jnp.float32(0.0)) == 0.5


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float16, jnp.bfloat16])
def test_spikes_have_the_type_of_the_input(dtype):
    spikes = Sigmoid()(jnp.array([-1.0, 1.0], dtype))
    assert spikes.dtype == dtype
    gradient = jax.grad(lambda x: Sigmoid()(x).sum())(jnp.array([-1.0, 1.0], dtype))
    assert gradient.dtype == dtype


def test_numbers_and_integers_are_taken_as_floats():
    assert ReluGrad()(0.5).dtype == jnp.float32
    assert ReluGrad()(3) == 1.0
    assert ReluGrad()(-3) == 0.0
    np.testing.assert_array_equal(ReluGrad()(np.array([-1, 0, 1])), [0.0, 1.0, 1.0])
    with brainstate.environ.context(precision=64):
        assert ReluGrad()(jnp.arange(2)).dtype == jnp.float64


def test_quantities():
    assert ReluGrad()((2.0 * u.mV) / (1.0 * u.volt)) == 1.0
    with pytest.raises(TypeError, match=r"quantity in mV.*V_th"):
        ReluGrad()(2.0 * u.mV)


def test_comparison_is_by_class_and_parameters():
    assert Sigmoid(4.0) == Sigmoid()
    assert hash(Sigmoid(4.0)) == hash(Sigmoid())
    assert Sigmoid(4.0) != Sigmoid(2.0)
    assert Sigmoid(1.0) != Arctan(1.0)
    assert Sigmoid(1.0) != 1.0
    assert len({Sigmoid(), Sigmoid(4.0), Arctan()}) == 2
    a, b = Sigmoid(np.array([1.0, 2.0])), Sigmoid(np.array([1.0, 2.0]))
    assert a == b
    assert hash(a) == hash(b)


def test_repr_names_the_parameters():
    assert repr(ReluGrad()) == "ReluGrad(alpha=0.3, width=1.0)"


@pytest.mark.parametrize("renew", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_are_equal(renew):
    assert renew(ReluGrad(0.1, 2.0)) == ReluGrad(0.1, 2.0)


def test_own_surrogate():
    class Flat(Surrogate):
        def surrogate_grad(self, x):
            return jnp.full_like(x, 7.0)

    assert jax.grad(Flat())(-2.0) == 7.0
    with pytest.raises(NotImplementedError, match="Flat"):
        Flat().surrogate_fun(0.0)
    with pytest.raises(NotImplementedError, match="surrogate_grad"):
        jax.grad(Surrogate())(1.0)


def test_spikes_in_a_scan_train_through_time():
    def loss(w):
        def step(v, x):
            v = 0.9 * v + w * x
            return v, Sigmoid()(v - 1)

        return jax.lax.scan(step, 0.0, jnp.ones(5))[1].sum()

    v, dv, expected = 0.0, 0.0, 0.0
    for _ in range(5):
        v, dv = 0.9 * v + 0.3, 0.9 * dv + 1
        s = logistic(4 * (v - 1))
        expected += 4 * s * (1 - s) * dv
    np.testing.assert_allclose(jax.grad(loss)(0.3), expected, rtol=1e-5)
