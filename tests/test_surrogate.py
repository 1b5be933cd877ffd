import copy
import functools
import pickle

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import brainstate
from brainstate import surrogate as sg
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


def normal(x, mean, deviation):
    return scipy.stats.norm(mean, deviation).pdf(x)


# (class, its function, parameters that are not the default ones, the derivative in NumPy)
FORMULAS = [
    (sg.SoftSign, sg.soft_sign, {"alpha": 3.0},
     lambda x, alpha=1.0: alpha / 2 / (1 + abs(alpha * x)) ** 2),
    (sg.ERF, sg.erf, {"alpha": 2.0},
     lambda x, alpha=1.0: normal(x, 0, 1 / (alpha * np.sqrt(2)))),
    (sg.PiecewiseExp, sg.piecewise_exp, {"alpha": 2.0},
     lambda x, alpha=1.0: scipy.stats.laplace(0, 1 / alpha).pdf(x)),
    (sg.QPseudoSpike, sg.q_pseudo_spike, {"alpha": 1.5},
     lambda x, alpha=2.0: (1 + 2 * abs(x) / (alpha - 1)) ** -alpha),
    (sg.NonzeroSignLog, sg.nonzero_sign_log, {"alpha": 0.5},
     lambda x, alpha=1.0: 1 / (1 / alpha + abs(x))),
    (sg.SquarewaveFourierSeries, sg.squarewave_fourier_series, {"n": 4, "t_period": 5.0},
     lambda x, n=2, t_period=8.0: 4 / t_period * sum(
         np.cos(2 * np.pi / t_period * (2 * i - 1) * x) for i in range(1, n))),
    (sg.PiecewiseQuadratic, sg.piecewise_quadratic, {"alpha": 0.8},
     lambda x, alpha=1.0: scipy.stats.triang(0.5, -1 / alpha, 2 / alpha).pdf(x)),
    (sg.PiecewiseLeakyRelu, sg.piecewise_leaky_relu, {"c": 0.2, "w": 0.4},
     lambda x, c=0.01, w=1.0: np.where(abs(x) > w, c, 1 / (2 * w))),
    (sg.LeakyRelu, sg.leaky_relu, {"alpha": 0.3, "beta": 2.0},
     lambda x, alpha=0.1, beta=1.0: np.where(x < 0, alpha, beta)),
    (sg.LogTailedRelu, sg.log_tailed_relu, {"alpha": 0.2},
     lambda x, alpha=0.0: np.select([x > 1, x > 0], [1 / np.maximum(x, 1), 1], alpha)),
    (sg.S2NN, sg.s2nn, {"alpha": 2.0, "beta": 3.0},
     lambda x, alpha=4.0, beta=1.0: np.where(
         x < 0, alpha * logistic(alpha * x) * logistic(-alpha * x), beta / (np.maximum(x, 0) + 1))),
    (sg.GaussianGrad, sg.gaussian_grad, {"sigma": 0.8, "alpha": 2.0},
     lambda x, sigma=0.5, alpha=0.5: alpha * normal(x, 0, sigma)),
    (sg.MultiGaussianGrad, sg.multi_gaussian_grad, {"h": 0.3, "s": 4.0, "sigma": 0.7, "scale": 2.0},
     lambda x, h=0.15, s=6.0, sigma=0.5, scale=0.5: scale * (
         (1 + h) * normal(x, 0, sigma) - h * normal(x, sigma, s * sigma)
         - h * normal(x, -sigma, s * sigma))),
    (sg.SlayerGrad, sg.slayer_grad, {"alpha": 2.0}, lambda x, alpha=1.0: np.exp(-alpha * abs(x))),
]  # fmt: skip
for _kind, _function, _parameters, _derivative in FORMULAS:
    CASES.append((_kind(), _function, _derivative))
    CASES.append((
        _kind(**_parameters),
        functools.partial(_function, **_parameters),
        functools.partial(_derivative, **_parameters),
    ))  # fmt: skip
each = pytest.mark.parametrize(
    ("surrogate", "function", "derivative"), CASES, ids=[repr(case[0]) for case in CASES]
)


@each
def test_values_and_derivatives_of_both_modes_and_orders(surrogate, function, derivative):
    x = jnp.asarray(X, jnp.float32)
    np.testing.assert_array_equal(function(x), (X >= 0).astype(np.float32))

    @jax.jit
    def everything(x):
        spikes, tangents = jax.jvp(surrogate, (x,), (2 * jnp.ones_like(x),))
        second = jax.vmap(jax.hessian(surrogate))(x)
        return spikes, tangents, jax.vmap(jax.grad(function))(x), second

    spikes, tangents, gradient, second = everything(x)
    np.testing.assert_array_equal(spikes, (X >= 0).astype(np.float32))
    np.testing.assert_allclose(gradient, derivative(X), rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(tangents, 2 * derivative(X), rtol=2e-5, atol=2e-6)
    h, smooth = 1e-5, np.array([-2.3, -1.5, -0.5, 0.2, 7.0])
    expected = (derivative(smooth + h) - derivative(smooth - h)) / (2 * h)
    np.testing.assert_allclose(second[np.isin(X, smooth)], expected, rtol=1e-3, atol=1e-4)
    assert np.isfinite(second).all()


SMOOTH = [s for s, *_ in CASES if type(s).surrogate_fun is not Surrogate.surrogate_fun]


@pytest.mark.parametrize("surrogate", SMOOTH, ids=repr)
def test_gradient_is_that_of_the_smooth_step(surrogate):
    x = jnp.asarray(X, jnp.float32)
    x = x[x != 0] if isinstance(surrogate, (sg.LogTailedRelu, sg.S2NN)) else x  # kinks
    found, expected = jax.jit(
        lambda x: (surrogate.surrogate_grad(x), jax.vmap(jax.grad(surrogate.surrogate_fun))(x))
    )(x)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    starts_at_0 = (sg.NonzeroSignLog, sg.LeakyRelu, sg.LogTailedRelu)
    middle = 0.0 if isinstance(surrogate, starts_at_0) else 0.5
    np.testing.assert_allclose(surrogate.surrogate_fun(jnp.float32(0.0)), middle, atol=1e-6)


STEPS = [Sigmoid(), Arctan(), sg.SoftSign(), sg.ERF(), sg.PiecewiseExp(), sg.QPseudoSpike(3.0),
         sg.PiecewiseQuadratic()]  # fmt: skip


@pytest.mark.parametrize("surrogate", STEPS, ids=repr)
def test_steps_go_from_0_to_1(surrogate):
    ends = surrogate.surrogate_fun(jnp.array([-1e4, 1e4]))
    np.testing.assert_allclose(ends, [0, 1], atol=1e-3)


def test_parameters_out_of_range():
    with pytest.raises(ValueError, match="`alpha` of QPseudoSpike must be above 1; found 1"):
        sg.QPseudoSpike(1.0)


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
