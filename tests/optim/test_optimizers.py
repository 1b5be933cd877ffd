import subprocess
import sys

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import brainstate
from brainstate import graph, nn, optim

KEYS = [("layers", 0, "weight"), ("layers", "x", "weight"), "b"]


def tree(seed):
    rng = np.random.default_rng(seed)
    return {
        KEYS[0]: {"weight": jnp.asarray(rng.normal(size=(2, 3)), jnp.float32), "bias": jnp.ones(3)},
        KEYS[1]: jnp.asarray(rng.normal(size=4), jnp.float32),
        KEYS[2]: (jnp.float32(0.5), jnp.ones((2, 2))),
    }


def registered(optimizer, values):
    weights = {key: brainstate.ParamState(value) for key, value in values.items()}
    optimizer.register_trainable_weights(weights)
    return weights


def assert_equal_trees(found, expected, rtol=1e-6):
    for a, b in zip(*map(jax.tree.leaves, (found, expected)), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=2e-6)


every_optimizer = pytest.mark.parametrize(
    "make",
    [lambda: optim.Adam(0.1), lambda: optim.OptaxOptimizer(optax.adam(0.1))],
    ids=["Adam", "OptaxOptimizer"],
)


@pytest.mark.parametrize("compiled", [False, True])
def test_updates_are_those_of_optax(compiled):
    tx = optax.chain(optax.clip(0.1), optax.rmsprop(0.1))
    values = {"a": tree(0)[KEYS[0]], "b": tree(0)[KEYS[1]]}
    optimizer = optim.OptaxOptimizer(tx)
    weights = registered(optimizer, values)
    update = brainstate.compile.jit(optimizer.update) if compiled else optimizer.update
    state = tx.init(values)
    for step in range(4):
        grads = {"a": tree(step + 1)[KEYS[0]], "b": tree(step + 1)[KEYS[1]]}
        assert update(grads) is None
        updates, state = tx.update(grads, state, values)
        values = optax.apply_updates(values, updates)
    assert_equal_trees({key: weights[key].value for key in values}, values, rtol=1e-5)


def test_gradients_as_grad_gives_them():
    brainstate.random.seed(0)
    model = nn.Sequential(nn.Linear(2, 4), jnp.tanh, nn.Linear(4, 1))
    weights = model.states(brainstate.ParamState)
    optimizer = optim.Adam(0.1)
    optimizer.register_trainable_weights(weights)
    x = jnp.linspace(-1, 1, 20).reshape(10, 2)
    y = 2 * x[:, :1]

    def loss():
        return jnp.mean((model(x) - y) ** 2)

    @brainstate.compile.jit
    def train():
        grads, value = brainstate.augment.grad(loss, weights, return_value=True)()
        optimizer.update(grads)
        return value

    losses = [float(train()) for _ in range(100)]
    assert losses[-1] < 0.2 * losses[0]


def test_keys_that_cannot_be_sorted():
    values, optimizer = tree(0), optim.Adam(0.1, accumulate=1, clip_norm=100.0)
    weights = registered(optimizer, values)
    optimizer.update({key: jax.tree.map(jnp.ones_like, value) for key, value in values.items()})
    for key, value in values.items():
        assert_equal_trees(weights[key].value, jax.tree.map(lambda x: x - 0.1, value), rtol=1e-5)


# ---------------------------------------------------------------- registration


@every_optimizer
def test_what_cannot_be_registered(make):
    with pytest.raises(TypeError, match="dict of States"):
        make().register_trainable_weights([brainstate.ParamState(1.0)])
    with pytest.raises(TypeError, match=r"float under 'w'"):
        make().register_trainable_weights({"w": 1.0})


def test_nothing_to_register():
    optimizer = optim.Adam(0.1)
    assert optimizer.register_trainable_weights() is None
    assert optimizer.register_trainable_weights(None) is None
    assert dict(optimizer.param_states) == {}
    optimizer.update({})


@every_optimizer
def test_any_state_can_be_a_weight(make):
    optimizer = make()
    weight = brainstate.ShortTermState(jnp.float32(1.0))
    optimizer.register_trainable_weights({"w": weight})
    optimizer.update({"w": jnp.float32(1.0)})
    np.testing.assert_allclose(weight.value, 0.9, rtol=1e-5)


@every_optimizer
def test_a_shared_state_is_one_weight(make):
    optimizer = make()
    weight = brainstate.ParamState(jnp.float32(1.0))
    optimizer.register_trainable_weights({"a": weight, "b": weight})
    assert dict(optimizer.param_states) == {"a": weight}
    optimizer.update({"a": jnp.float32(1.0), "b": jnp.float32(1.0)})
    np.testing.assert_allclose(weight.value, 0.9, rtol=1e-5)
    optimizer.update({"b": jnp.float32(1.0)})
    np.testing.assert_allclose(weight.value, 0.8, rtol=1e-5)


@every_optimizer
def test_registering_more_keeps_what_is_known(make):
    both, one = make(), make()
    alone = registered(one, {"a": jnp.ones(2)})["a"]
    first = registered(both, {"a": jnp.ones(2)})["a"]
    for optimizer in (both, one):
        optimizer.update({"a": jnp.array([1.0, 2.0])})
    second = brainstate.ParamState(jnp.ones(3))
    both.register_trainable_weights({"b": second})
    both.update({"a": jnp.array([-1.0, 2.0]), "b": jnp.ones(3)})
    one.update({"a": jnp.array([-1.0, 2.0])})
    np.testing.assert_allclose(first.value, alone.value, rtol=1e-6)
    assert (second.value < 1).all()


@every_optimizer
def test_another_state_under_the_same_key_replaces_the_old_one(make):
    optimizer = make()
    old = registered(optimizer, {"w": jnp.ones(2)})["w"]
    optimizer.update({"w": jnp.array([5.0, -5.0])})
    before = old.value
    new = brainstate.ParamState(jnp.ones(3))
    optimizer.register_trainable_weights({"w": new})
    optimizer.update({"w": jnp.ones(3)})
    np.testing.assert_array_equal(old.value, before)
    assert (new.value < 1).all()


@every_optimizer
def test_compiled_steps_follow_a_registration(make):
    optimizer = make()
    first = registered(optimizer, {"a": jnp.float32(1.0)})["a"]
    step = brainstate.compile.jit(lambda grads: optimizer.update(grads))
    step({"a": jnp.float32(1.0)})
    second = brainstate.ParamState(jnp.float32(1.0))
    optimizer.register_trainable_weights({"b": second})
    step({"a": jnp.float32(1.0), "b": jnp.float32(1.0)})
    np.testing.assert_allclose(first.value, 0.8, rtol=1e-4)
    assert second.value < 1


# ---------------------------------------------------------------- gradients that do not fit


@every_optimizer
def test_missing_and_unknown_keys_are_named(make):
    optimizer = make()
    weights = registered(optimizer, {"a": jnp.ones(2), "b": jnp.ones(2)})
    with pytest.raises(ValueError, match=r"missing \['b'\], unknown \['c'\]"):
        optimizer.update({"a": jnp.ones(2), "c": jnp.ones(2)})
    with pytest.raises(TypeError, match=r"dict.*list"):
        optimizer.update([jnp.ones(2)])
    np.testing.assert_array_equal(weights["a"].value, jnp.ones(2))


@pytest.mark.parametrize("wrong", [jnp.ones((2, 1)), {"w": jnp.ones(2)}, jnp.float32(1.0)])
def test_gradients_of_another_shape_or_structure(wrong):
    optimizer = optim.SGD(0.1)
    weights = registered(optimizer, {"a": jnp.ones(2)})
    with pytest.raises(ValueError, match=r"key 'a'.*\(2,\)"):
        optimizer.update({"a": wrong})
    np.testing.assert_array_equal(weights["a"].value, jnp.ones(2))


# ---------------------------------------------------------------- units and types


@every_optimizer
@pytest.mark.parametrize("unit_aware", [False, True])
def test_weights_keep_their_units(make, unit_aware):
    weight = brainstate.ParamState({"w": jnp.array([1.0, 2.0]) * u.mV, "b": jnp.ones(1)})
    optimizer = make()
    optimizer.register_trainable_weights({"p": weight})

    def loss():
        return (u.get_mantissa(weight.value["w"]) ** 2).sum() + weight.value["b"].sum()

    grads = brainstate.augment.grad(loss, {"p": weight}, unit_aware=unit_aware)()
    assert (grads["p"]["w"].unit == u.mV) is not unit_aware
    before = weight.value["w"].mantissa
    optimizer.update(grads)
    assert weight.value["w"].unit == u.mV
    np.testing.assert_allclose(weight.value["w"].mantissa, before - 0.1, rtol=1e-5)
    np.testing.assert_allclose(weight.value["b"], 0.9, rtol=1e-5)


@every_optimizer
def test_gradients_of_a_loss_with_a_unit(make):
    weight = brainstate.ParamState(jnp.array([1.0, 2.0]) * u.mV)
    plain = brainstate.ParamState(jnp.ones(2))
    optimizer = make()
    optimizer.register_trainable_weights({"a": weight, "b": plain})

    def loss():
        return (weight.value * plain.value * (1.0 * u.mA)).sum()

    grads = brainstate.augment.grad(loss, {"a": weight, "b": plain}, unit_aware=True)()
    optimizer.update(grads)
    assert weight.value.unit == u.mV
    assert isinstance(plain.value, jax.Array)
    assert (weight.value.mantissa < np.array([1.0, 2.0])).all()
    assert (plain.value < 1).all()


@every_optimizer
def test_weights_keep_their_types(make):
    optimizer = make()
    weights = registered(optimizer, {t: jnp.ones(2, t) for t in ("float16", "bfloat16")})
    optimizer.update({t: jnp.ones(2, t) for t in weights})
    assert [weight.value.dtype.name for weight in weights.values()] == list(weights)
    for weight in weights.values():
        np.testing.assert_allclose(weight.value.astype(float), 0.9, rtol=1e-2)


# ---------------------------------------------------------------- rates


@pytest.mark.parametrize("set_rate", ["opt.lr.lr = 0.1", "opt.lr = 0.1", "state.value = f(0.1)"])
def test_a_new_rate_is_seen_by_compiled_steps(set_rate):
    state = brainstate.State(1.0)
    opt = optim.SGD(state)
    weights = registered(opt, {"w": jnp.ones(1)})
    traces = []

    @brainstate.compile.jit
    def step():
        traces.append(1)
        opt.update({"w": jnp.ones(1)})

    step()
    before = weights["w"].value
    exec(set_rate, {"opt": opt, "state": state, "f": jnp.float32})
    step()
    np.testing.assert_allclose(before - weights["w"].value, 0.1, rtol=1e-4)
    assert len(traces) == 1


def test_schedules():
    class Halving(optim.LearningRateScheduler):
        def __init__(self, lr):
            super().__init__(lr)
            self.calls = optim.OptimState(jnp.int32(0))

        def step_call(self):
            self.calls.value += 1

        def __call__(self, i=None):
            return self.lr * 0.5**self.calls.value

    opt = optim.SGD(Halving(0.4))
    weights = registered(opt, {"w": jnp.float32(1.0)})
    step = brainstate.compile.jit(lambda: opt.update({"w": jnp.float32(1.0)}))
    for expected in (0.6, 0.4, 0.3):
        step()
        np.testing.assert_allclose(weights["w"].value, expected, rtol=1e-5)
    opt.lr = optim.ConstantLR(0.1)
    step()
    np.testing.assert_allclose(weights["w"].value, 0.2, rtol=1e-4)


@pytest.mark.parametrize("wrong", ["fast", None, object()])
def test_what_is_no_rate(wrong):
    with pytest.raises(TypeError, match="learning rate"):
        optim.SGD(wrong)


# ---------------------------------------------------------------- as nodes


def test_states_of_an_optax_optimizer():
    tx = optim.OptaxOptimizer(optax.adam(0.1))
    assert list(graph.states(tx)) == []
    registered(tx, {"w": jnp.ones(2)})
    assert list(graph.states(tx)) == [("opt_state",)]


def test_training_within_a_loop():
    weight = brainstate.ParamState(jnp.float32(1.0))
    opt = optim.Adam(0.1)
    opt.register_trainable_weights({"w": weight})

    def step(target):
        def loss():
            return (weight.value - target) ** 2

        grads, value = brainstate.augment.grad(loss, {"w": weight}, return_value=True)()
        opt.update(grads)
        return value

    losses = brainstate.compile.for_loop(step, jnp.full(200, 3.0))
    assert losses[-1] < 1e-3
    np.testing.assert_allclose(weight.value, 3.0, atol=0.05)


# ---------------------------------------------------------------- bases


def test_bases_are_abstract():
    for base in (optim.Optimizer(), optim.SGDOptimizer(0.1)):
        assert dict(base.param_states) == {}
        with pytest.raises(NotImplementedError, match="register_trainable_weights"):
            base.register_trainable_weights({})
        with pytest.raises(NotImplementedError, match="update"):
            base.update({})
    assert optim.SGDOptimizer(0.1).lr() == np.float32(0.1)


def test_optax_optimizers():
    with pytest.raises(TypeError, match="GradientTransformation"):
        optim.OptaxOptimizer(0.1)
    opt = optim.OptaxOptimizer(optax.sgd(0.1))
    with pytest.raises(ValueError, match="register_trainable_weights"):
        opt.update({})
    assert opt.register_trainable_weights({}) is opt
    assert not hasattr(opt, "lr")


def test_same_keys():
    a, b = brainstate.State(1.0), brainstate.State(2.0)
    assert optim.to_same_dict_tree() is None
    assert optim.to_same_dict_tree({"a": a}) == {"a": 1.0}
    assert optim.to_same_dict_tree({"a": a, "b": b}, {"b": 4.0, "a": 3.0, "c": 5.0}) == (
        {"a": 1.0, "b": 2.0},
        {"a": 3.0, "b": 4.0},
    )
    with pytest.raises(ValueError, match=r"\['b'\]"):
        optim.to_same_dict_tree({"a": a, "b": b}, {"a": 3.0})


def test_importing_loads_neither_optax_nor_brainunit():
    code = (
        "import sys, brainstate.nn, brainstate.optim\n"
        "print([m for m in ('optax', 'brainunit', 'saiunit') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
