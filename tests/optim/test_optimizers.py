import copy
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


def decayed(optimizer, decay):
    """An optax rule whose steps shrink the weights too, whatever the learning rate."""
    return optax.chain(optimizer, optax.add_decayed_weights(-decay)) if decay else optimizer


RULES = [
    (lambda: optim.SGD(0.1), optax.sgd(0.1)),
    (lambda: optim.SGD(0.1, weight_decay=0.01), decayed(optax.sgd(0.1), 0.01)),
    (lambda: optim.Adam(0.1), optax.adam(0.1)),
    (lambda: optim.Adam(0.1, 0.8, 0.9, 1e-4), optax.adam(0.1, b1=0.8, b2=0.9, eps=1e-4)),
    (lambda: optim.Adam(0.1, weight_decay=0.1), decayed(optax.adam(0.1), 0.1)),
    (lambda: optim.OptaxOptimizer(optax.adamw(0.1)), optax.adamw(0.1)),
    (
        lambda: optim.OptaxOptimizer(optax.chain(optax.clip(0.1), optax.rmsprop(0.1))),
        optax.chain(optax.clip(0.1), optax.rmsprop(0.1)),
    ),
]
every_rule = pytest.mark.parametrize(("make", "tx"), RULES)
every_optimizer = pytest.mark.parametrize(
    "make", [lambda: optim.SGD(0.1), lambda: optim.Adam(0.1),
             lambda: optim.OptaxOptimizer(optax.adam(0.1))],
    ids=["SGD", "Adam", "OptaxOptimizer"],
)  # fmt: skip


@every_rule
@pytest.mark.parametrize("compiled", [False, True])
def test_updates_are_those_of_optax(make, tx, compiled):
    values = {"a": tree(0)[KEYS[0]], "b": tree(0)[KEYS[1]]}
    optimizer = make()
    weights = registered(optimizer, values)
    update = brainstate.compile.jit(optimizer.update) if compiled else optimizer.update
    state = tx.init(values)
    for step in range(4):
        grads = {"a": tree(step + 1)[KEYS[0]], "b": tree(step + 1)[KEYS[1]]}
        assert update(grads) is None
        updates, state = tx.update(grads, state, values)
        values = optax.apply_updates(values, updates)
    assert_equal_trees({key: weights[key].value for key in values}, values, rtol=1e-5)


def test_textbook_adam():
    weights = registered(optim.Adam(0.1), {"w": jnp.array([1.0])})
    optimizer = optim.Adam(0.1)
    optimizer.register_trainable_weights(weights)
    found = []
    for _ in range(3):
        optimizer.update({"w": jnp.array([1.0])})
        found.append(float(weights["w"].value[0]))
    np.testing.assert_allclose(found, [0.9, 0.8, 0.7], rtol=1e-4)
    assert optimizer.step_count.value == 3


def test_decay_is_decoupled_from_the_rate():
    for optimizer, expected in [
        (optim.SGD(0.1, weight_decay=0.01), 0.94),
        (optim.Adam(0.1, weight_decay=0.01), 0.89),
    ]:
        weights = registered(optimizer, {"w": jnp.float32(1.0)})
        optimizer.update({"w": jnp.float32(0.5)})
        np.testing.assert_allclose(weights["w"].value, expected, rtol=1e-5)


@pytest.mark.parametrize("decay", [-0.1, 1.1])
def test_decay_is_a_fraction(decay):
    with pytest.raises(ValueError, match=str(decay)):
        optim.SGD(0.1, weight_decay=decay)


@every_optimizer
def test_gradients_as_grad_gives_them(make):
    brainstate.random.seed(0)
    model = nn.Sequential(nn.Linear(2, 4), jnp.tanh, nn.Linear(4, 1))
    weights = model.states(brainstate.ParamState)
    optimizer = make()
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


@pytest.mark.parametrize("make", [lambda: optim.SGD(0.1), lambda: optim.Adam(0.1)])
def test_keys_that_cannot_be_sorted(make):
    values, optimizer = tree(0), make()
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


@pytest.mark.parametrize("make", [lambda: optim.SGD(0.1), lambda: optim.Adam(0.1)])
def test_nothing_to_register(make):
    optimizer = make()
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


@every_optimizer
@pytest.mark.parametrize("wrong", [jnp.ones((2, 1)), {"w": jnp.ones(2)}, jnp.float32(1.0)])
def test_gradients_of_another_shape_or_structure(make, wrong):
    optimizer = make()
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
    step = np.array([0.2, 0.4]) if isinstance(optimizer, optim.SGD) else 0.1
    np.testing.assert_allclose(weight.value["w"].mantissa, before - step, rtol=1e-5)
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
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16, jnp.float16])
def test_weights_keep_their_types(make, dtype):
    optimizer = make()
    weights = registered(optimizer, {"w": jnp.ones(2, dtype)})
    optimizer.update({"w": jnp.ones(2, dtype)})
    assert weights["w"].value.dtype == dtype
    np.testing.assert_allclose(weights["w"].value.astype(float), 0.9, rtol=1e-2)


# ---------------------------------------------------------------- rates


@pytest.mark.parametrize("set_rate", ["opt.lr.lr = 0.1", "opt.lr = 0.1", "state.value = f(0.1)"])
@pytest.mark.parametrize("make", [optim.SGD, optim.Adam])
def test_a_new_rate_is_seen_by_compiled_steps(make, set_rate):
    state = brainstate.State(1.0)
    opt = make(state)
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


def test_states_of_an_optimizer():
    opt = optim.Adam(0.1)
    weights = registered(opt, {("l", "weight"): {"w": jnp.ones(2)}})
    found = graph.states(opt)
    assert list(found) == [
        ("lr", "_lr"),
        ("lr", "last_epoch"),
        ("m1_states", ("l", "weight")),
        ("m2_states", ("l", "weight")),
        ("step_count",),
    ]
    assert all(isinstance(state, optim.OptimState) for state in found.values())
    assert weights["l", "weight"] not in found.values()
    assert list(graph.states(optim.SGD(0.1))) == [("lr", "_lr"), ("lr", "last_epoch")]
    tx = optim.OptaxOptimizer(optax.adam(0.1))
    assert list(graph.states(tx)) == []
    registered(tx, {"w": jnp.ones(2)})
    assert list(graph.states(tx)) == [("opt_state",)]


class Trainer(nn.Module):
    def __init__(self, make=lambda: optim.Adam(0.1)):
        super().__init__()
        self.policy = nn.Linear(2, 1)
        self.opt = make()
        self.opt.register_trainable_weights(self.policy.states(brainstate.ParamState))

    def update(self, x):
        weights = self.policy.states(brainstate.ParamState)
        grads = brainstate.augment.grad(lambda: self.policy(x).sum(), weights)()
        self.opt.update(grads)


@every_optimizer
def test_an_optimizer_within_a_module(make):
    trainer = Trainer(make)
    assert list(trainer.states(brainstate.ParamState)) == [("policy", "weight")]
    before = trainer.policy.weight.value["bias"]
    step = brainstate.compile.jit(lambda trainer, x: trainer(x))
    step(trainer, jnp.ones(2))
    step(trainer, jnp.ones(2))
    np.testing.assert_allclose(trainer.policy.weight.value["bias"], before - 0.2, rtol=1e-4)


@every_optimizer
def test_a_deep_copy_trains_its_own_weights(make):
    trainer = Trainer(make)
    trainer(jnp.ones(2))
    new = copy.deepcopy(trainer)
    before = nn.save_all_states(trainer)
    new(jnp.ones(2))
    trainer_now = nn.save_all_states(trainer)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, trainer_now, before))
    trainer(jnp.ones(2))
    weights = zip(*(t.policy.weight.value.values() for t in (trainer, new)), strict=True)
    for mine, others in weights:
        np.testing.assert_array_equal(mine, others)


@every_optimizer
def test_a_clone_refuses_to_train_the_weights_of_the_original(make):
    trainer = Trainer(make)
    new = graph.clone(trainer)
    with pytest.raises(ValueError, match=r"copy.*register_trainable_weights"):
        new(jnp.ones(2))
    new.opt.register_trainable_weights(new.policy.states(brainstate.ParamState))
    before = trainer.policy.weight.value["bias"]
    new(jnp.ones(2))
    np.testing.assert_array_equal(trainer.policy.weight.value["bias"], before)
    np.testing.assert_allclose(new.policy.weight.value["bias"], before - 0.1, rtol=1e-4)


def test_an_ensemble_is_trained_by_vmap():
    @brainstate.augment.vmap
    def make(key):
        brainstate.random.set_key(key)
        return Trainer()

    trainers = make(brainstate.random.split_key(3))
    xs = jnp.arange(6.0).reshape(3, 2)
    before = trainers.policy.weight.value["weight"]
    brainstate.augment.vmap(lambda trainer, x: trainer(x))(trainers, xs)
    moved = before[..., 0] - trainers.policy.weight.value["weight"][..., 0]
    np.testing.assert_allclose(moved, 0.1 * np.sign(xs), atol=1e-4)
    np.testing.assert_array_equal(trainers.opt.step_count.value, [1, 1, 1])


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
