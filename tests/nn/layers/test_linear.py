import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import brainstate
from brainstate import init, nn


@settings(max_examples=10)
@given(
    batch=st.lists(st.integers(1, 3), max_size=2),
    before=st.lists(st.integers(1, 3), max_size=1),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    bias=st.booleans(),
)
def test_forward_over_the_last_axis(batch, before, sizes, bias):
    n_in, n_out = sizes
    layer = nn.Linear((*before, n_in), (*before, n_out), b_init=init.Normal() if bias else None)
    x = np.random.default_rng(0).normal(size=(*batch, *before, n_in)).astype(np.float32)
    value = layer.weight.value
    expected = np.einsum("...i,io->...o", x, value["weight"])
    if bias:
        expected = expected + value["bias"]
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-5)
    assert layer.in_size == (*before, n_in)
    assert layer.out_size == (*before, n_out)


def test_parameters():
    brainstate.random.seed(0)
    layer = nn.Linear(200, 300)
    assert isinstance(layer.weight, brainstate.ParamState)
    assert set(layer.weight.value) == {"weight", "bias"}
    np.testing.assert_allclose(np.std(layer.weight.value["weight"]), (2 / 200) ** 0.5, rtol=0.02)
    assert not layer.weight.value["bias"].any()
    assert set(nn.Linear(2, 3, b_init=None).weight.value) == {"weight"}


@pytest.mark.parametrize("w_init", [0.5, 2, np.float32(0.5), jnp.float32(0.5)])
def test_scalars_fill_the_weight(w_init):
    layer = nn.Linear(2, 3, w_init=w_init, b_init=1)
    np.testing.assert_array_equal(layer.weight.value["weight"], np.full((2, 3), float(w_init)))
    assert layer.weight.value["weight"].dtype == jnp.float32
    np.testing.assert_array_equal(layer.weight.value["bias"], np.ones(3))


def test_arrays_as_parameters():
    w, b = np.arange(6.0).reshape(2, 3), np.arange(3)
    layer = nn.Linear(2, 3, w_init=w, b_init=b)
    np.testing.assert_allclose(layer(np.array([1.0, 2.0])), np.array([1.0, 2.0]) @ w + b)
    with pytest.raises(ValueError, match=r"\(2, 2\).*\(2, 3\)"):
        nn.Linear(2, 3, w_init=np.ones((2, 2)))


@pytest.mark.parametrize("size", [None, (), "3", 2.0])
def test_sizes_are_needed(size):
    with pytest.raises(ValueError, match="size"):
        nn.Linear(size, 3)
    with pytest.raises(ValueError, match="size"):
        nn.Linear(3, size)


def test_masks():
    mask = np.array([[1, 0, 1], [0, 1, 1]])
    layer = nn.Linear(2, 3, w_mask=mask)
    x = jnp.array([1.0, 2.0])
    np.testing.assert_allclose(layer(x), x @ (layer.weight.value["weight"] * mask), rtol=1e-6)
    grads = brainstate.augment.grad(lambda: layer(x).sum(), layer.weight)()
    np.testing.assert_array_equal(grads["weight"], np.array([[1.0], [2.0]]) * mask)
    by_function = nn.Linear(2, 3, w_mask=lambda shape: jnp.zeros(shape))
    assert not by_function(x).any()
    with pytest.raises(ValueError, match=r"\(3, 2\)"):
        nn.Linear(2, 3, w_mask=np.ones((3, 2)))


def test_bool_and_integer_inputs():
    layer = nn.Linear(2, 3)
    x = np.array([[True, False], [True, True]])
    np.testing.assert_allclose(layer(x), layer(x.astype(np.float32)), rtol=1e-6)
    np.testing.assert_allclose(layer(x.astype(int)), layer(x.astype(np.float32)), rtol=1e-6)


def test_units():
    w, b = init.KaimingNormal(unit=u.mS), init.Constant(2.0 * u.uA)
    layer = nn.Linear(2, 3, w_init=w, b_init=b)
    x = jnp.array([1.0, 3.0]) * u.mV
    value = layer.weight.value
    expected = x.mantissa @ value["weight"].mantissa + 2.0  # 1 mV * 1 mS = 1 uA
    np.testing.assert_allclose(layer(x).to_decimal(u.uA), expected, rtol=1e-5)
    with pytest.raises(u.UnitMismatchError, match="bias"):
        nn.Linear(2, 3, w_init=w)(x)
    assert nn.Linear(2, 3, w_init=w, b_init=None)(jnp.ones(2)).unit == u.mS


def test_gradient_has_the_structure_of_the_state():
    layer = nn.Linear(2, 3)
    x, y = jnp.ones((4, 2)), jnp.ones((4, 3))

    def plain(value):
        return jnp.mean((y - x @ value["weight"] - value["bias"]) ** 2)

    def loss():
        return jnp.mean((y - layer(x)) ** 2)

    weights = layer.states()
    found = brainstate.augment.grad(loss, weights)()[("weight",)]
    expected = jax.grad(plain)(layer.weight.value)
    hessian = brainstate.augment.hessian(loss, weights)()[("weight",)]
    second = jax.hessian(plain)(layer.weight.value)
    for a in ("weight", "bias"):
        np.testing.assert_allclose(found[a], expected[a], rtol=1e-5)
        for b in ("weight", "bias"):
            np.testing.assert_allclose(hessian[a][("weight",)][b], second[a][b], atol=1e-6)


def test_precision():
    with brainstate.environ.context(precision=64):
        assert nn.Linear(2, 3).weight.value["weight"].dtype == jnp.float64
    with brainstate.environ.context(precision=16):
        layer = nn.Linear(2, 3, w_mask=np.ones((2, 3), np.float32))
        assert layer(jnp.ones(2, jnp.bfloat16)).dtype == jnp.bfloat16


@pytest.mark.parametrize("devices", [1, 8])
def test_leading_axes_are_merged_on_one_device(devices, monkeypatch):
    """Spread over devices they stay apart, since merging them could move data around."""
    monkeypatch.setattr(jax, "device_count", lambda: devices)
    layer = nn.Linear(4, 3, b_init=None)
    w, x = layer.weight.value["weight"], jnp.arange(24.0).reshape(2, 3, 4)
    found = brainstate.augment.grad(lambda: (layer(x) ** 2).sum(), layer.weight)()["weight"]
    np.testing.assert_allclose(found, jax.grad(lambda w: ((x @ w) ** 2).sum())(w), rtol=1e-6)
    np.testing.assert_allclose(layer(x), np.asarray(x) @ np.asarray(w), rtol=1e-6)
    products = [
        equation.invars[0].aval.ndim
        for equation in jax.make_jaxpr(lambda x: nn.layers.linear.matrix_product(x, w))(x).eqns
        if equation.primitive.name == "dot_general"
    ]
    assert products == [2 if devices == 1 else 3]
    assert layer(jnp.ones((2, 0, 4))).shape == (2, 0, 3)
