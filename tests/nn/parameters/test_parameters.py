import copy

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import brainstate
from brainstate import LongTermState, ParamState, graph, nn
from brainstate import transform as bt


class Model(nn.Module):
    """Two parameters, one of them shared, and a layer in a list."""

    def __init__(self):
        super().__init__()
        self.tau = nn.Param(10.0 * u.ms, t=nn.SoftplusT(1.0 * u.ms), reg=nn.L2Reg(0.1, unit=u.ms))
        self.layers = [nn.Linear(2, 3), nn.Module()]
        self.layers[1].tau = self.tau
        self.gain = nn.Param(np.ones(3), reg=nn.L1Reg())
        self.fixed = nn.Const(np.ones(5))

    def update(self, x):
        return self.layers[0](x) * self.gain() / (self.tau() / u.ms)


def test_value_and_state():
    p = nn.Param(3, t=nn.SigmoidT(0.0, 4.0), precompute=lambda value: 10 * value)
    np.testing.assert_allclose(p.val.value, np.log(3.0), rtol=1e-6)  # logit of 3 / 4
    assert p.val.value.dtype == np.float32
    assert type(p.val) is ParamState
    np.testing.assert_allclose([p.value(), p()], 30.0, rtol=1e-6)
    p.set_value(1.0)
    np.testing.assert_allclose(p.val.value, -np.log(3.0), rtol=1e-6)
    assert type(nn.Param(3.0, fit=False).val) is LongTermState
    assert not nn.Const(2.0).states(ParamState)
    with brainstate.environ.context(precision=64):
        assert nn.Param(3).val.value.dtype == np.float64


def test_assigned_values_keep_shape_type_and_unit():
    p = nn.Param(np.zeros(3, np.float32) * u.mV)
    p.set_value(0.002 * u.volt)
    np.testing.assert_allclose(p.value().mantissa, [2.0] * 3)
    assert p.value().unit == u.mV
    before = p.val.value
    for value, error, text in [
        (np.zeros(4) * u.mV, ValueError, "shape .4,. does not fit"),
        (1.0, u.UnitMismatchError, "Param.*must be a quantity in a unit such as mV"),
        ([0.0], ValueError, "found \\[0.0\\]"),
    ]:
        with pytest.raises(error, match=text):
            p.set_value(value)
    assert p.val.value is before


def test_clip():
    p = nn.Param(np.array([-2.0, 0.5, 3.0]) * u.mV, t=nn.AffineT(2.0, 1.0 * u.mV))
    p.clip(max_value=1.0 * u.mV)
    np.testing.assert_allclose(p.value().mantissa, [-2.0, 0.5, 1.0])
    p.clip(-0.001 * u.volt, 0.75 * u.mV)
    np.testing.assert_allclose(p.value().mantissa, [-1.0, 0.5, 0.75])
    saturated = nn.Param(0.5, t=nn.SigmoidT(0.0, 1.0))
    saturated.val.value = jnp.float32(50.0)
    saturated.clip(0.0, 1.0)
    assert saturated.value() == 1.0
    assert np.isfinite(saturated.val.value)


def test_training_stays_in_range():
    """Gradient descent on free numbers, as optax does it with the formula written out."""
    p = nn.Param(0.5, t=nn.SigmoidT(0.0, 1.0), reg=nn.GaussianReg(0.0, 1.0))
    optimizer = brainstate.optim.SGD(lr=5.0)
    optimizer.register_trainable_weights(nn.Module.states(p, ParamState))

    @bt.jit
    def step():
        grads = bt.grad(lambda: (p.value() - 3.0) ** 2 + p.reg_loss(), p.states(ParamState))()
        optimizer.update(grads)
        return p.value()

    def loss(x):
        y = 1 / (1 + jnp.exp(-x))
        return (y - 3.0) ** 2 + y**2 / 2

    x, plain = jnp.float32(0.0), optax.sgd(5.0)
    state = plain.init(x)
    for _ in range(3):
        update, state = plain.update(jax.grad(loss)(x), state)
        x = optax.apply_updates(x, update)
        np.testing.assert_allclose(step(), 1 / (1 + np.exp(-x)), rtol=1e-5)
    assert 0.99 < p.value() <= 1.0


def test_loops_and_lanes_carry_parameters():
    p = nn.Param(1.0, t=nn.PositiveT())

    def double():
        p.set_value(2 * p.value())
        return p.value()

    np.testing.assert_allclose(bt.for_loop(double, length=3), [2.0, 4.0, 8.0], rtol=1e-5)
    out = bt.vmap(lambda x: x * p.value(), in_axes=0)(jnp.arange(3.0))
    np.testing.assert_allclose(out, [0.0, 8.0, 16.0], rtol=1e-5)


def test_queries_of_modules():
    model = Model()
    layer = model.layers[0]
    names = dict(model.named_parameters())
    assert names == {
        "gain.val": model.gain.val,
        "layers.0.weight": layer.weight,
        "layers.1.tau.val": model.tau.val,
    }
    assert list(model.parameters()) == list(names.values())
    assert list(model.parameters(recurse=False)) == []
    assert list(model.tau.parameters(recurse=False)) == [model.tau.val]
    assert set(model.children()) == {*model.layers, model.tau, model.gain, model.fixed}
    assert set(layer.children()) == set()
    modules = list(model.modules())
    assert modules[0] is model
    assert len(modules) == len(set(modules)) == 8  # with the two regularisations
    assert nn.count_parameters(model) == 1 + 3 + 2 * 3 + 3
    assert nn.count_parameters(nn.Const(1.0)) == 0


def test_loss_of_regularisation_counts_each_parameter_once():
    model = Model()
    expected = 0.1 * 10.0**2 + 3.0
    np.testing.assert_allclose(model.reg_loss(), expected, rtol=1e-5)
    np.testing.assert_allclose(bt.jit(model.reg_loss)(), expected, rtol=1e-5)
    assert nn.Linear(2, 3).reg_loss() == 0.0
    assert nn.Param(2.0, reg=nn.L1Reg(), fit=False).reg_loss() == 0.0
    grads = bt.grad(model.reg_loss, model.gain.states(ParamState))()
    np.testing.assert_allclose(grads["val",], np.ones(3))


def test_copies_and_graph():
    p = nn.Param(2.0, t=nn.SoftplusT(1.0), reg=nn.GammaReg(2.0, fit_hyper=True))
    twin = copy.deepcopy(p)
    twin.set_value(5.0)
    np.testing.assert_allclose([p.value(), twin.value()], [2.0, 5.0], rtol=1e-6)
    again = graph.treefy_merge(*graph.treefy_split(p))
    np.testing.assert_allclose(again.reg_loss(), p.reg_loss())


@pytest.mark.parametrize(("make", "error", "text"), [
    (lambda: nn.Param(lambda shape: 0.0), TypeError, "found <function.*Call an initializer"),
    (lambda: nn.Param([1.0, 2.0]), TypeError, "number, array or quantity; found .1.0, 2.0."),
    (lambda: nn.Param(1.0, t=jnp.exp), TypeError, "`t` must be a transformation"),
    (lambda: nn.Param(1.0, reg=0.1), TypeError, "`reg` must be a regularisation.*found 0.1"),
    (lambda: nn.Param(1.0, precompute=2), TypeError, "`precompute` must be a function"),
    (lambda: nn.Param(2.0, t=nn.SigmoidT(0, 1)), ValueError, "suit Param: .*0.0 to 1.0; found 2.0"),
    (lambda: nn.Param(2.0, t=nn.SoftplusT(0.0 * u.mV)), u.UnitMismatchError, "y of SoftplusT"),
])  # fmt: skip
def test_what_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_errors_name_the_path():
    model = Model()
    with pytest.raises(ValueError, match=r"`layers.1.tau` of Model: SoftplusT.*found 0.5 ms"):
        model.tau.set_value(0.5 * u.ms)
