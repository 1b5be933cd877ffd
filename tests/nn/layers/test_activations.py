import inspect

import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
import brainstate.functional as F
from brainstate import nn

X = jnp.array([[[-4.0, -0.3, 0.2, 0.4], [1.5, 7.0, -1.0, 0.0]]])

# The functions have truths of their own in test_functional.py; here, that options arrive.
MODULES = [
    (nn.Identity, {}, lambda x: x),
    (nn.ReLU, {}, F.relu),
    (nn.ReLU6, {}, F.relu6),
    (nn.LeakyReLU, {"negative_slope": 0.2}, lambda x: F.leaky_relu(x, 0.2)),
    (nn.RReLU, {"lower": 0.25, "upper": 0.25}, lambda x: F.leaky_relu(x, 0.25)),
    (nn.ELU, {"alpha": 3.0}, lambda x: F.elu(x, 3.0)),
    (nn.CELU, {"alpha": 2.0}, lambda x: F.celu(x, 2.0)),
    (nn.SELU, {}, F.selu),
    (nn.GELU, {}, lambda x: F.gelu(x, False)),
    (nn.GELU, {"approximate": True}, lambda x: F.gelu(x, True)),
    (nn.SiLU, {}, F.silu),
    (nn.Mish, {}, F.mish),
    (nn.Hardswish, {}, F.hard_swish),
    (nn.Sigmoid, {}, F.sigmoid),
    (nn.LogSigmoid, {}, F.log_sigmoid),
    (nn.Hardsigmoid, {}, F.hard_sigmoid),
    (nn.Tanh, {}, F.tanh),
    (nn.Hardtanh, {"min_val": -2.0, "max_val": 0.5}, lambda x: F.hard_tanh(x, -2.0, 0.5)),
    (nn.Tanhshrink, {}, F.tanh_shrink),
    (nn.Hardshrink, {"lambd": 0.35}, lambda x: F.hard_shrink(x, 0.35)),
    (nn.Softshrink, {"lambd": 0.35}, lambda x: F.soft_shrink(x, 0.35)),
    (nn.Softplus, {}, F.softplus),
    (nn.Softsign, {}, F.soft_sign),
    (nn.Threshold, {"threshold": 0.1, "value": 20.0}, lambda x: F.threshold(x, 0.1, 20.0)),
    (nn.GLU, {}, F.glu),
    (nn.GLU, {"dim": 1}, lambda x: F.glu(x, 1)),
    (nn.Softmax, {}, lambda x: F.softmax(x, None)),
    (nn.Softmax, {"dim": 1}, lambda x: F.softmax(x, 1)),
    (nn.LogSoftmax, {"dim": 0}, lambda x: F.log_softmax(x, 0)),
    (nn.Softmin, {"dim": -1}, F.softmin),
    (nn.Softmax2d, {}, lambda x: F.softmax(x, -3)),
]


@pytest.mark.parametrize(
    ("kind", "options", "function"), MODULES, ids=[f"{k.__name__}{o or ''}" for k, o, _ in MODULES]
)
def test_modules(kind, options, function):
    for layer in (kind(**options), kind(*options.values(), name="act")):
        np.testing.assert_array_equal(layer(X), function(X))
    assert layer.name == "act"
    for option, value in options.items():
        assert getattr(layer, option) == value
        assert option in repr(layer)
    assert kind.__module__ == "brainstate.nn.layers.activations"
    assert len(kind.__doc__.strip()) > 10
    with pytest.raises(TypeError):
        layer(X, X)
    with pytest.raises(TypeError, match="unknown"):
        kind(**options, unknown=1)


def test_options_may_change_and_classes_be_derived():
    layer = nn.ELU(2.0)
    layer.alpha = 3.0
    np.testing.assert_array_equal(layer(X), F.elu(X, 3.0))

    class Slow(nn.LeakyReLU):
        def __init__(self, factor):
            super().__init__(negative_slope=0.01)
            self.factor = factor

        def update(self, x):
            return super().update(self.factor * x)

    np.testing.assert_array_equal(Slow(2.0)(X), F.leaky_relu(2.0 * X))
    assert list(inspect.signature(Slow).parameters) == ["factor"]
    assert str(inspect.signature(nn.Hardtanh)) == "(min_val=-1.0, max_val=1.0, name=None)"
    assert isinstance(layer, nn.ElementWiseBlock)


def test_slopes_are_drawn_anew():
    brainstate.random.seed(0)
    layer = nn.RReLU()
    assert (layer(X) != layer(X)).any()


def test_spike_bitwise():
    x, y = jnp.array([0.0, 0.0, 1.0, 1.0]), jnp.array([0.0, 1.0, 0.0, 1.0])
    np.testing.assert_array_equal(nn.SpikeBitwise()(x, y), [0, 0, 0, 1])
    np.testing.assert_array_equal(nn.SpikeBitwise("xor", "gate")(x, y), [0, 1, 1, 0])
    with pytest.raises(ValueError, match=r"'or', 'and'.*'add'"):
        nn.SpikeBitwise("add")


def test_prelu():
    layer = nn.PReLU(4, init=0.5, dtype=jnp.bfloat16)
    assert layer.weight.value.dtype == jnp.bfloat16
    layer = nn.PReLU(4, init=np.array([0.1, 0.2, 0.3, 0.4]))
    assert isinstance(layer.weight, brainstate.ParamState)
    slopes = np.array([0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(layer(X), np.where(X < 0, X * slopes, X), rtol=1e-6)
    np.testing.assert_array_equal(nn.PReLU().weight.value, [0.25])
    slope = brainstate.augment.grad(lambda: nn.PReLU.update(layer, X).sum(), layer.weight)()
    np.testing.assert_allclose(slope, np.minimum(X, 0).sum((0, 1)), rtol=1e-6)
    with pytest.raises(ValueError, match=r"PReLU takes.*\(\.\.\., 4\)"):
        layer(jnp.ones(3))


def test_halves_have_half_the_size():
    assert nn.GLU(in_size=(3, 4)).out_size == (3, 2)
    net = nn.Sequential(nn.Linear(2, 6), nn.GLU.desc(), nn.Linear.desc(out_size=4))
    assert net(jnp.ones((5, 2))).shape == (5, 4)
    first = nn.GLU(0, in_size=(4, 3))
    np.testing.assert_array_equal(first(X.reshape(1, 4, 2).repeat(3, 2)[..., :3]).shape, (1, 2, 3))


def test_units():
    x = X * u.mV
    assert nn.ReLU()(x).unit == u.mV
    clipped = nn.Hardtanh(-1.0 * u.mV, 0.001 * u.volt)(x)
    np.testing.assert_allclose(clipped.to_decimal(u.mV), np.clip(X, -1, 1), rtol=1e-6)
    with pytest.raises(TypeError, match=r"mish takes plain numbers.*mV"):
        nn.Mish()(x)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Hardtanh(1.0, 1.0), ValueError, "`min_val` must be below `max_val`.*1.0"),
        (lambda: nn.RReLU(0.5, 0.1), ValueError, "`lower` must not be above `upper`.*0.5"),
        (lambda: nn.Threshold(1.0), TypeError, "value"),
        (lambda: nn.ReLU(3), TypeError, "name"),
        (lambda: nn.Softmax2d()(jnp.ones((2, 2))), ValueError, r"Softmax2d.*\(2, 2\)"),
        (lambda: nn.GLU()(jnp.ones(3)), ValueError, r"odd"),
    ],
)
def test_what_does_not_fit(make, error, message):
    with pytest.raises(error, match=message):
        make()
