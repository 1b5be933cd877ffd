"""Optimizers inside modules, and what becomes of them when these are copied, saved and loaded."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import brainstate
from brainstate import graph, nn, optim

every_optimizer = pytest.mark.parametrize(
    "make",
    [
        lambda: optim.Adam(optim.StepLR(0.1, 2), accumulate=1, clip_norm=100.0),
        lambda: optim.OptaxOptimizer(optax.adam(0.1)),
    ],
    ids=["Adam", "OptaxOptimizer"],
)


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


def assert_equal(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


INPUTS = [jnp.array([1.0, -0.3]), jnp.array([-0.2, 2.0]), jnp.ones(2)]


@every_optimizer
def test_a_deep_copy_trains_its_own_weights(make):
    check_that_the_copy_goes_on_alone(make, copy.deepcopy)


def test_a_pickled_optimizer_trains_its_own_weights():
    check_that_the_copy_goes_on_alone(
        lambda: optim.AdamW(optim.StepLR(0.1, 2), accumulate=2),
        lambda trainer: pickle.loads(pickle.dumps(trainer)),
    )


def check_that_the_copy_goes_on_alone(make, copied):
    trainer = Trainer(make)
    trainer(INPUTS[0])
    new, before = copied(trainer), nn.save_all_states(trainer)
    new(INPUTS[1])
    assert_equal(nn.save_all_states(trainer), before)
    trainer(INPUTS[1])
    assert_equal(nn.save_all_states(new), nn.save_all_states(trainer))


@every_optimizer
@pytest.mark.parametrize(
    "copied", [graph.clone, lambda trainer: graph.treefy_merge(*graph.treefy_split(trainer))]
)
def test_a_copy_of_the_graph_goes_on_once_it_is_given_its_weights(make, copied):
    trainer = Trainer(make)
    trainer(INPUTS[0])
    new = copied(trainer)
    before = nn.save_all_states(trainer)
    with pytest.raises(ValueError, match=r"copy.*register_trainable_weights"):
        new(INPUTS[1])
    new.opt.register_trainable_weights(new.policy.states(brainstate.ParamState))
    new(INPUTS[1])
    assert_equal(nn.save_all_states(trainer), before)
    trainer(INPUTS[1])
    assert_equal(nn.save_all_states(new), nn.save_all_states(trainer))


@every_optimizer
def test_saved_states_are_all_that_is_needed_to_go_on(make):
    trainer, other = Trainer(make), Trainer(make)
    trainer(INPUTS[0])
    assert nn.load_all_states(other, nn.save_all_states(trainer)) == ([], [])
    for x in INPUTS[1:]:
        trainer(x)
        other(x)
    assert_equal(nn.save_all_states(other), nn.save_all_states(trainer))


def test_a_copy_forgets_what_does_not_fit():
    opt = optim.Momentum(0.1)
    weights = {"a": brainstate.ParamState(jnp.ones(2)), "b": brainstate.ParamState(jnp.ones(2))}
    opt.register_trainable_weights(weights)
    opt.update({"a": jnp.ones(2), "b": jnp.ones(2)})
    new = graph.clone(opt)
    new.register_trainable_weights({"a": brainstate.ParamState(jnp.ones(3))})
    new.register_trainable_weights({"b": brainstate.ParamState(jnp.ones(2))})
    np.testing.assert_array_equal(new.momentum_states["a"].value, jnp.zeros(3))
    np.testing.assert_allclose(new.momentum_states["b"].value, 0.1)
    new.register_trainable_weights({"b": brainstate.ParamState(jnp.ones(2))})
    np.testing.assert_array_equal(new.momentum_states["b"].value, 0.0)
