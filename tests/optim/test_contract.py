"""What every optimizer promises, whatever its rule."""

import inspect

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import brainstate
from brainstate import ParamState, optim
from brainstate import transform as bt

RULES = [
    kind
    for name, kind in vars(optim).items()
    if inspect.isclass(kind) and issubclass(kind, optim.SGDOptimizer) and name in optim.__all__
    if kind not in (optim.SGDOptimizer, getattr(optim, "Descent", None))
]
MAKES = [
    *[pytest.param(lambda kind=kind: kind(lr=0.1), id=kind.__name__) for kind in RULES],
    pytest.param(lambda: optim.Adam(0.1, clip_norm=1.0, accumulate=2), id="Adam, two by two"),
    pytest.param(lambda: optim.OptaxOptimizer(optax.adamw(0.1)), id="OptaxOptimizer"),
]
STEPS = 4
every = pytest.mark.parametrize("make", MAKES)


class Trained:
    """A weight of two arrays, one of them with a unit, and its optimizer."""

    def __init__(self, make, start=1.0, number=jnp.float32):
        value = {"a": jnp.full((2, 2), start, number), "b": jnp.arange(2, dtype=number) * u.mV}
        self.weight, self.optimizer = ParamState(value), make()
        self.optimizer.register_trainable_weights({"w": self.weight})

    def step(self, x):
        value = self.weight.value
        gradient = {"a": (x + value["a"]), "b": (x - u.get_mantissa(value["b"])) * u.mV}
        self.optimizer.update({"w": gradient})

    def result(self):
        states = brainstate.graph.states(self.optimizer).values()
        return jax.tree.map(np.asarray, [self.weight.value, *[state.value for state in states]])


def assert_same(found, expected):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@every
def test_transformations_do_what_plain_updates_do(make):
    inputs = jnp.linspace(0.5, 2.0, STEPS)
    plain = Trained(make)
    for x in inputs:
        plain.step(x)
    for run in (
        lambda step: [bt.jit(step)(x) for x in inputs],
        lambda step: bt.for_loop(step, inputs),
        lambda step: [bt.checkpoint(step)(x) for x in inputs],
    ):
        trained = Trained(make)
        run(trained.step)
        assert_same(trained.result(), plain.result())


@every
def test_lanes_are_optimizers_side_by_side(make):
    starts = jnp.array([0.5, -2.0])

    def train(start):
        trained = Trained(make, start)
        bt.for_loop(trained.step, jnp.linspace(0.5, 2.0, STEPS))
        return trained.weight.value

    lanes = bt.vmap(train)(starts)
    alone = [train(start) for start in starts]
    assert_same(lanes, jax.tree.map(lambda *ys: jnp.stack(ys), *alone))


@every
def test_steps_have_derivatives(make):
    """By how much the start changes what comes out, against a difference quotient."""
    with brainstate.environ.context(precision=64):

        def end(start):
            trained = Trained(make, start, jnp.float64)
            for x in (0.5, 1.5):
                trained.step(x)
            return trained.weight.value["a"].sum()

        slope, h = bt.jit(bt.grad(end))(jnp.float64(1.0)), 1e-6
        compiled = bt.jit(end)
        quotient = (compiled(1.0 + h) - compiled(1.0 - h)) / (2 * h)
        np.testing.assert_allclose(slope, quotient, rtol=1e-4, atol=1e-6)
        assert slope.dtype == jnp.float64


@every
def test_gradients_that_do_not_fit_change_nothing(make):
    trained = Trained(make)
    before = trained.result()
    for wrong in ({}, {"w": trained.weight.value, "v": 1.0}):
        with pytest.raises(ValueError, match="do not match the registered weights"):
            trained.optimizer.update(wrong)
    with pytest.raises((ValueError, TypeError), match="'w'"):
        trained.optimizer.update({"w": {"a": jnp.ones(3), "b": jnp.ones(2) * u.mV}})
    assert_same(trained.result(), before)
