import copy

import brainunit as u
import jax.numpy as jnp
import numpy as np
import optax
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


# ---------------------------------------------------------------- formulas


def restarts(lr, calls, first, factor, least):
    """The rate at each call, epoch by epoch."""
    rates, length = [], first
    while len(rates) < 200:
        for epoch in range(length):
            rates += calls * [least + (lr - least) * (1 + np.cos(np.pi * epoch / length)) / 2]
        length *= factor
    return lambda i: rates[i]


SCHEDULES = [
    (optim.StepLR(0.1, 2), lambda i: 0.1 * 0.1 ** (i // 2)),
    (optim.MultiStepLR(0.1, [2, 4], 0.5), lambda i: 0.1 * 0.5 ** ((i >= 2) + (i >= 4))),
    (optim.CosineAnnealingLR(0.1, 4, 0.01), lambda i: 0.01 + 0.045 * (1 + np.cos(np.pi * i / 4))),
    (optim.ExponentialLR(0.1, 0.9), lambda i: 0.1 * 0.9**i),
    (optim.CosineAnnealingWarmRestarts(0.1, 2, 3), restarts(0.1, 2, 3, 1, 0.0)),
    (optim.CosineAnnealingWarmRestarts(0.1, 1, 1, 2), restarts(0.1, 1, 1, 2, 0.0)),
    (optim.CosineAnnealingWarmRestarts(0.1, 2, 2, 3, 0.01), restarts(0.1, 2, 2, 3, 0.01)),
    (optim.ExponentialDecayLR(0.1, 10, 0.5), lambda i: 0.1 * 0.5 ** (i / 10)),
    (optim.InverseTimeDecayLR(0.1, 10, 0.5), lambda i: 0.1 / (1 + 0.5 * i / 10)),
    (optim.InverseTimeDecayLR(0.1, 10, 0.5, True), lambda i: 0.1 / (1 + 0.5 * (i // 10))),
    (
        optim.PolynomialDecayLR(0.1, 10, 0.01, 2.0),
        lambda i: 0.09 * (1 - min(i, 10) / 10) ** 2 + 0.01,
    ),
    (
        optim.PiecewiseConstantLR([3, 6], [1.0, 0.5, 0.1]),
        lambda i: 1.0 if i <= 3 else 0.5 if i <= 6 else 0.1,
    ),
    (optim.FunctionLR(lambda i: 1 / (1 + i), 0.5), lambda i: 0.5 / (1 + i)),
    (
        optim.FunctionLR(optax.warmup_cosine_decay_schedule(0.0, 1.0, 5, 20)),
        optax.warmup_cosine_decay_schedule(0.0, 1.0, 5, 20),
    ),
    (optim.WarmupLR(0.4, 4, 0.5), lambda i: 0.4 * (0.5 + 0.5 * min(i / 4, 1))),
    (
        optim.WarmupLR(optim.ExponentialDecayLR(0.1, 10, 0.5), 8),
        lambda i: 0.1 * 0.5 ** (i / 10) * min(i / 8, 1),
    ),
]


@pytest.mark.parametrize(("rate", "formula"), SCHEDULES)
def test_rates_at_a_given_count(rate, formula):
    counts = np.arange(64)
    expected = [formula(int(i)) for i in counts]
    np.testing.assert_allclose(rate(counts), expected, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize(("rate", "formula"), SCHEDULES)
def test_rates_as_counted(rate, formula):
    rate = copy.deepcopy(rate)
    over_calls = isinstance(rate, optim.CallBasedLRScheduler)

    @brainstate.compile.jit
    def step():
        now = rate()
        (rate.step_call if over_calls else rate.step_epoch)()
        return now

    found = [step() for _ in range(4)]
    assert found[0].dtype == jnp.float32
    np.testing.assert_allclose(found, [formula(i) for i in range(4)], rtol=2e-5)
    (rate.step_epoch if over_calls else rate.step_call)()
    np.testing.assert_allclose(rate(), formula(4), rtol=2e-5, atol=1e-9)


def test_counts_can_start_anywhere():
    assert optim.StepLR(1.0, 2, 0.5, last_epoch=3)() == 0.25
    rate = optim.CosineAnnealingWarmRestarts(1.0, 2, 3, last_call=6)
    assert rate.current_epoch() == 3
    assert rate.current_epoch(5) == 2
    assert rate() == 1.0


def test_far_restarts_are_exact():
    rate = optim.CosineAnnealingWarmRestarts(1.0, 1, 1, T_mult=2)
    starts = 2 ** np.arange(20, 31) - 1
    at_start, before = rate(np.stack([starts, starts - 1]))
    np.testing.assert_array_equal(at_start, 1.0)
    assert (before < 1e-3).all()


def test_warmup_counts_for_what_it_wraps():
    rate = optim.WarmupLR(optim.StepLR(1.0, 1, 0.5), 2)
    rate.step_call()
    rate.step_epoch()
    assert rate() == 0.25
    rate.lr = 4.0
    assert (rate.lr, rate()) == (4.0, 1.0)
    assert [path[-1] for path in rate_states(rate)].count("last_epoch") == 2


def test_an_optimizer_takes_functions_and_counts_its_calls():
    weight = brainstate.ParamState(jnp.float32(0.0))
    opt = optim.SGD(optax.piecewise_constant_schedule(1.0, {2: 0.1}))
    opt.register_trainable_weights({"w": weight})
    step = brainstate.compile.jit(lambda: opt.update({"w": jnp.float32(-1.0)}))
    for expected in (1.0, 2.0, 2.1):
        step()
        np.testing.assert_allclose(weight.value, expected, rtol=1e-6)
    opt.lr = lambda i: 0.5
    step()
    np.testing.assert_allclose(weight.value, 2.6, rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optim.StepLR(0.1, 0), r"step_size .*1 up.*0"),
        (lambda: optim.StepLR(0.1, 2, gamma=1.5), r"gamma .*\[0, 1\].*1.5"),
        (lambda: optim.ExponentialLR(0.1, -0.5), r"gamma .*-0.5"),
        (lambda: optim.MultiStepLR(0.1, []), r"milestones .*one at least"),
        (lambda: optim.MultiStepLR(0.1, [4, 2]), r"milestones .*increasing.*\[4, 2\]"),
        (lambda: optim.CosineAnnealingLR(0.1, 0), r"T_max .*0"),
        (lambda: optim.CosineAnnealingWarmRestarts(0.1, 2, 0), r"T_0 .*0"),
        (lambda: optim.CosineAnnealingWarmRestarts(0.1, 2, 1, 0), r"T_mult .*0"),
        (lambda: optim.ExponentialDecayLR(0.1, 0, 0.5), r"decay_steps .*positive.*0"),
        (lambda: optim.PiecewiseConstantLR([1, 2], [0.1, 0.2]), r"2 values and 2 boundaries"),
        (lambda: optim.StepLR(0.1, 2, last_epoch=-2), r"last_epoch .*-2"),
        (lambda: optim.ExponentialDecayLR(0.1, 1, 0.5, last_call=-2), r"last_call .*-2"),
        (lambda: optim.WarmupLR(0.1, 0), r"warmup_steps .*0"),
    ],
)
def test_parameters_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_parameters_of_another_type():
    with pytest.raises(TypeError, match=r"T_0 .*integer.*float"):
        optim.CosineAnnealingWarmRestarts(0.1, 2, 1.5)
    with pytest.raises(TypeError, match="function of the call"):
        optim.FunctionLR(0.1)
