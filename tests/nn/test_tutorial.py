"""The cells of the program augmentation tutorial, against plain JAX and NumPy."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import brainstate as bst

BATCH = 5


@pytest.fixture(autouse=True)
def _seed():
    bst.random.seed(0)


def affine(value, x):
    return x @ value["weight"] + value["bias"]


def assert_close(found, expected):
    for key in ("weight", "bias"):
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-5, atol=1e-6)


def test_gradients_of_a_layer():
    model = bst.nn.Linear(2, 3)
    x, y = jnp.ones((1, 2)), jnp.ones((1, 3))

    def loss_fn(x, y):
        return jnp.mean((y - model(x)) ** 2)

    def plain(value):
        return jnp.mean((y - affine(value, x)) ** 2)

    weights = model.states()
    assert list(weights) == [("weight",)]
    value = model.weight.value
    assert_close(bst.augment.grad(loss_fn, weights)(x, y)["weight",], jax.grad(plain)(value))
    assert_close(bst.augment.jacobian(loss_fn, weights)(x, y)["weight",], jax.grad(plain)(value))
    hessian = bst.augment.hessian(loss_fn, weights)(x, y)["weight",]
    for key, row in jax.hessian(plain)(value).items():
        assert_close(hessian[key]["weight",], row)


def test_a_batch_of_layers():
    @bst.augment.vmap
    def create_linear(key):
        bst.random.set_key(key)
        return bst.nn.Linear(2, 3)

    keys = bst.random.split_key(BATCH)
    linears = create_linear(keys)
    law = jax.nn.initializers.variance_scaling(2.0, "fan_in", "truncated_normal")
    for key, weight in zip(keys, linears.weight.value["weight"], strict=True):
        expected = law(jax.random.split(key)[1], (2, 3))
        np.testing.assert_allclose(weight, expected, rtol=1e-5)
    assert repr(linears).splitlines()[:5] == [
        "Linear(", "  in_size=(2,),", "  out_size=(3,),", "  w_mask=None,", "  weight=ParamState(",
    ]  # fmt: skip

    @bst.augment.vmap(in_axes=(0, 0))
    def call(model, x):
        return model(x)

    x, y = jnp.ones((BATCH, 2)), jnp.ones((BATCH, 3))
    weights = linears.states(bst.ParamState)
    grads = bst.augment.grad(lambda: jnp.mean((y - call(linears, x)) ** 2), weights)()
    expected = jax.grad(lambda value: jnp.mean((y - jax.vmap(affine)(value, x)) ** 2))
    assert_close(grads["weight",], expected(linears.weight.value))


def test_states_with_a_batch_axis():
    class Foo(bst.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = bst.ParamState(jnp.arange(4))
            self.b = bst.ShortTermState(jnp.arange(4))

        def __call__(self):
            self.b.value = self.a.value * self.b.value

    foo = Foo()
    bst.augment.vmap(lambda foo: foo())(foo)
    np.testing.assert_array_equal(foo.b.value, [0, 1, 4, 9])


class LIFNet(bst.nn.Module):
    def __init__(self, nin, nout):
        super().__init__()
        self.i2r = bst.nn.Linear(nin, nout)
        self.lif = bst.nn.LIF(nout)

    def update(self, x):
        return self.lif(self.i2r(x) * u.mA)


def batched_net():
    net = LIFNet(2, 3)

    @bst.augment.vmap(out_axes=bst.augment.StateAxes({"new": 0, ...: None}))
    def init_net(key):
        bst.random.set_key(key)
        with bst.catch_new_states("new"):
            bst.nn.init_all_states(net)
        return net

    assert init_net(bst.random.split_key(BATCH)) is net
    return net


@pytest.mark.parametrize("lanes", ["vmap", "pmap on one device", "pmap on five devices"])
def test_batching_some_states(lanes):
    net = batched_net()
    assert net.lif.V.value.unit == u.mV
    np.testing.assert_array_equal(net.lif.V.value.mantissa, np.zeros((BATCH, 3)))
    in_axes = (bst.augment.StateAxes({"new": 0, ...: None}), 0)

    def batch_run(model, x):
        with bst.environ.context(dt=0.1 * u.ms):
            return model.update(x)

    if lanes == "vmap":
        run = bst.augment.vmap(batch_run, in_axes=in_axes)
    else:
        devices = jax.devices()[: 5 if "five" in lanes else 1]
        run = bst.augment.pmap(batch_run, in_axes=in_axes, devices=devices)
    xs = bst.random.rand(BATCH, 2) < 0.5
    current = affine(net.i2r.weight.value, np.asarray(xs, np.float32))
    for step in (1, 2):
        run(net, xs)
        expected = current * (1 - np.exp(-0.02 * step))
        np.testing.assert_allclose(net.lif.V.value.mantissa, expected, rtol=1e-4, atol=1e-6)
    assert net.i2r.weight.value["weight"].shape == (2, 3)


def test_a_compiled_training_step(capfd):
    net = batched_net()

    @bst.augment.vmap(in_axes=(bst.augment.StateAxes({"new": 0, ...: None}), 0))
    def batch_run(model, x):
        with bst.environ.context(dt=0.1 * u.ms):
            return model.update(x)

    xs, ys = bst.random.rand(BATCH, 2) * 100, bst.random.rand(BATCH, 3)

    def loss_fn(x, y):
        return jnp.mean((y - batch_run(net, x)) ** 2)

    weights = net.states(bst.ParamState)
    opt = bst.optim.Adam(1e-3)
    opt.register_trainable_weights(weights)

    @bst.compile.jit
    def batch_train(xs, ys):
        grads, loss = bst.augment.grad(loss_fn, weights, return_value=True)(xs, ys)
        jax.debug.print("Gradients: {g}", g=grads)
        opt.update(grads)
        return loss

    spike = bst.surrogate.ReluGrad()

    def plain(value, v):
        v = v - spike(v - 1)
        current = affine(value, xs)
        v = current + (v - current) * jnp.exp(-0.02)
        return jnp.mean((ys - spike(v - 1)) ** 2), v

    value, v = net.i2r.weight.value, jnp.zeros((BATCH, 3))
    tx = optax.adam(1e-3)
    state = tx.init(value)
    for _ in range(3):
        (loss, v), grads = jax.value_and_grad(plain, has_aux=True)(value, v)
        updates, state = tx.update(grads, state)
        value = optax.apply_updates(value, updates)
        np.testing.assert_allclose(batch_train(xs, ys), loss, rtol=1e-5)
        assert_close(net.i2r.weight.value, value)
        np.testing.assert_allclose(net.lif.V.value.mantissa, v, rtol=1e-3, atol=1e-4)
    jax.effects_barrier()
    assert capfd.readouterr().out.count("Gradients: {('i2r', 'weight'): {'bias'") == 3
