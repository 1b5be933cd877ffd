import copy

import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import optim


class Halving(optim.LearningRateScheduler):
    def __call__(self, i=None):
        return self.lr * 0.5 ** (self.last_epoch.value + 1 if i is None else i)


@pytest.mark.parametrize(
    "lr", [0.1, np.float64(0.1), np.float32(0.1), jnp.float32(0.1), brainstate.State(0.1)]
)
def test_constant_rates(lr):
    rate = optim.ConstantLR(lr)
    assert rate() == np.float32(0.1)
    assert rate(5) == np.float32(0.1)
    assert rate.lr.dtype == jnp.float32
    rate.step_epoch()
    rate.step_call()
    assert rate() == np.float32(0.1)


def test_the_rate_can_be_set():
    rate = optim.ConstantLR(1)
    rate.lr = 0.25
    assert rate() == 0.25
    rate.lr = jnp.float32(0.5)
    assert rate.lr == 0.5
    state = brainstate.LongTermState(2.0)
    rate.lr = state
    assert rate.lr == 2.0
    state.value = jnp.float32(3.0)
    assert rate() == 3.0
    rate.lr = 4.0
    assert state.value == 4.0


def test_a_given_state_is_kept_by_identity():
    state = brainstate.State(0.5)
    rate = optim.ConstantLR(state)
    assert state in rate_states(rate).values()
    assert state.value.dtype == jnp.float32


def rate_states(rate):
    return brainstate.graph.states(rate)


def test_states_are_visible_and_no_parameters():
    states = rate_states(optim.ConstantLR(0.1))
    assert list(states) == [("_lr",), ("last_epoch",)]
    assert all(isinstance(state, optim.OptimState) for state in states.values())
    assert not brainstate.graph.states(optim.ConstantLR(0.1), brainstate.ParamState)


@pytest.mark.parametrize("wrong", ["0.1", None, [0.1, "a"], 0.1 * u.ms, {}])
def test_what_is_no_rate(wrong):
    with pytest.raises(TypeError, match="learning rate"):
        optim.ConstantLR(wrong)


def test_rates_are_single_numbers():
    with pytest.raises(ValueError, match=r"\(2,\)"):
        optim.ConstantLR(np.ones(2))
    with pytest.raises(ValueError, match=r"\(2,\)"):
        optim.ConstantLR(0.1).lr = jnp.ones(2)


def test_epochs():
    rate = Halving(1.0)
    assert rate() == 1.0
    rate.step_epoch()
    rate.step_epoch()
    assert rate.last_epoch.value == 1
    assert rate() == 0.25
    assert rate(3) == 0.125
    rate.step_call()
    assert rate() == 0.25
    assert Halving(1.0, last_epoch=2)() == 0.125
    with pytest.raises(ValueError, match="-2"):
        Halving(1.0, last_epoch=-2)
    with pytest.raises(NotImplementedError, match="__call__"):
        optim.LearningRateScheduler(0.1)()


def test_precision():
    with brainstate.environ.context(precision=64):
        rate = optim.ConstantLR(0.1)
        assert rate() == 0.1
        assert rate.last_epoch.value.dtype == jnp.int64


def test_changes_reach_compiled_functions_without_a_new_trace():
    rate, traces = Halving(1.0), []

    @brainstate.compile.jit
    def now():
        traces.append(1)
        return rate()

    assert now() == 1.0
    rate.lr = 4.0
    assert now() == 4.0
    rate.step_epoch()
    assert now() == 2.0
    assert len(traces) == 1


def test_rates_can_be_set_within_a_compiled_function():
    rate = optim.ConstantLR(1.0)

    @brainstate.compile.jit
    def decay():
        rate.lr = rate.lr * 0.5

    decay()
    decay()
    assert rate.lr == 0.25


def test_copies_are_independent():
    rate = Halving(1.0)
    new = copy.deepcopy(rate)
    new.lr = 2.0
    new.step_epoch()
    assert (rate(), new()) == (1.0, 1.0)
    assert rate.last_epoch.value == -1
