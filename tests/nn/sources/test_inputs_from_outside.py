"""Spike trains and currents that come from outside the model."""

import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import nn
from brainstate import transform as bt

DT = 0.1


def run(source, steps, *args):
    """What the source gives in steps of 0.1 ms, from t = 0 on."""

    @bt.jit
    def whole():
        def step(i):
            with brainstate.environ.context(t=i * DT * u.ms, dt=DT * u.ms):
                return source(*args)

        return bt.for_loop(step, jnp.arange(steps))

    return whole()


@pytest.mark.parametrize("need_sort", [True, False])
def test_spikes_at_given_times(need_sort):
    rng = np.random.default_rng(0)
    indices, when = rng.integers(0, 4, 60), rng.integers(0, 50, 60)
    if not need_sort:
        when = np.sort(when)
    expected = np.zeros((50, 4), bool)
    expected[when, indices] = True
    times = 1e-3 * DT * when * u.second
    source = nn.init_all_states(nn.SpikeTime(4, indices, times, need_sort=need_sort))
    # Each event in its own step, though `i * dt` and `times` are rounded differently.
    np.testing.assert_array_equal(run(source, 50), expected)
    assert not run(source, 50).any()  # each is given once
    nn.reset_all_states(source)
    with brainstate.environ.context(t=4.9 * u.ms):
        np.testing.assert_array_equal(source(), expected.any(0))  # all that were due


def test_spikes_at_given_times_in_batches_and_populations():
    source = nn.SpikeTime((2, 3), [2, 0], [0.1, 0.2] * u.ms, spk_type=float)
    nn.init_all_states(source, 5)
    found = run(source, 3)
    expected = np.zeros((3, 3))
    expected[1, 2] = expected[2, 0] = 1
    np.testing.assert_array_equal(found, np.broadcast_to(expected[:, None, None], (3, 5, 2, 3)))
    assert found.dtype == jnp.float32


def test_poisson_spikes():
    """Counts are binomial; zero never fires, and any number of neurons may differ."""
    brainstate.random.seed(0)
    rates = np.array([0.0, 20.0, 500.0, 1e4])
    source = nn.init_all_states(nn.PoissonSpike((50, 4), rates * u.Hz), 2)
    counts = run(source, 2000).sum(0)
    assert counts.shape == (2, 50, 4)
    mean = 2000 * rates * DT * 1e-3
    error = np.sqrt(mean * (1 - rates * DT * 1e-3) / 100)
    assert (np.abs(counts.mean((0, 1)) - mean) <= 4 * error).all()
    np.testing.assert_allclose(counts[..., 2].var(), mean[2] * 0.95, rtol=0.5)
    assert (np.asarray(counts[0]) != counts[1])[:, 1:3].mean() > 0.5


def test_poisson_encoder_takes_the_frequencies_of_each_call():
    encoder = nn.PoissonEncoder(3, spk_type=float)
    with brainstate.environ.context(dt=1.0 * u.ms):
        batch = encoder(jnp.array([[0.0, 1e3, 0.0], [1e3, 0.0, 1e3]]) * u.Hz)
        np.testing.assert_array_equal(batch, [[0, 1, 0], [1, 0, 1]])
        assert encoder(1.0 / u.ms).tolist() == [1, 1, 1]
        with pytest.raises(u.UnitMismatchError, match=r"freqs \* dt"):
            encoder(0.1)
        with pytest.raises(ValueError, match=r"frequencies of shape \(\.\.\., 3\); found \(2,\)"):
            encoder(jnp.ones(2) * u.Hz)
    with brainstate.environ.context(dt=0.5, precision=16):  # small chances are not rounded away
        spikes = nn.PoissonEncoder(100_000)(0.002)
        assert 60 < int(spikes.sum()) < 140


def test_ornstein_uhlenbeck():
    """Mean, deviation and correlation of the law, at a step as long as the time constant."""
    brainstate.random.seed(0)
    noise = nn.OrnsteinUhlenbeck(
        4000, mean=2.0 * u.nA, sigma=np.array([0.5]) * u.nA, tau=0.1 * u.ms
    )
    nn.init_all_states(noise)
    start = noise.x.value.to_decimal(u.nA)
    x = np.concatenate([start[None], run(noise, 3).to_decimal(u.nA)])
    np.testing.assert_allclose(x.mean(1), 2.0, atol=4 * 0.5 / 4000**0.5)
    np.testing.assert_allclose(x.std(1), 0.5, rtol=0.05)
    correlation = np.corrcoef(x)
    np.testing.assert_allclose(correlation[0], np.exp(-np.arange(4)), atol=0.06)

    still = nn.init_all_states(nn.OrnsteinUhlenbeck(2, 1.0, 0.0, tau=5.0, x_initializer=3.0))
    with brainstate.environ.context(dt=DT):
        np.testing.assert_allclose(still(), 1 + 2 * np.exp([-DT / 5] * 2), rtol=1e-6)


def test_steps_sections_and_ramps():
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    steps = nn.StepInput(2, values * u.mA, [0.3, 0.7] * u.ms)
    sections = nn.SectionInput(2, values * u.mA, [0.3, 0.4] * u.ms)
    ramp = nn.init_all_states(
        nn.RampInput(2, 1.0 * u.mA, 3e-3 * u.amp, 0.2 * u.ms, 6e-4 * u.second), 3
    )
    found = {s: run(s, 10).to_decimal(u.mA) for s in (steps, sections, ramp)}
    i, nothing = np.arange(10)[:, None], np.zeros(2)
    expected = np.where(i >= 7, values[1], np.where(i >= 3, values[0], nothing))
    np.testing.assert_allclose(found[steps], expected, rtol=1e-6)
    expected = np.where(i < 3, values[0], np.where(i < 7, values[1], nothing))
    np.testing.assert_allclose(found[sections], expected, rtol=1e-6)
    expected = np.interp(np.arange(10) * DT, [0.2, 0.6], [1.0, 3.0])
    expected = np.broadcast_to(expected[:, None, None], (10, 3, 2))
    np.testing.assert_allclose(found[ramp], expected, rtol=1e-5)
    assert nn.StepInput((2, 3), [1.0], [0.0]).values.shape == (2, 2, 3)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: nn.SpikeTime(3, [0, 1], [0.0]), r"one length; found the shapes \(2,\) and \(1,\)"),
        (lambda: nn.SpikeTime(3, [0, 3], [0.0, 1.0]), "`indices` must be below 3.*found 3"),
        (lambda: nn.SpikeTime(3, [-1], [0.0]), "`indices` must be integers from 0"),
        (lambda: nn.SpikeTime(3, [0, 1], [1.0, 0.0], need_sort=False), "must ascend"),
        (lambda: nn.StepInput(3, [1.0, 2.0], [1.0, 0.0]), "`times` must be.*ascends"),
        (lambda: nn.StepInput(3, [1.0], [0.0, 1.0]), r"each of the 2 `times`.*\(1,\)"),
        (lambda: nn.SectionInput(3, [1.0], [0.0, 1.0]), r"each of the 2 `durations`.*\(1,\)"),
        (lambda: nn.SectionInput(3, [1.0], [-1.0]), "`durations`.*negative"),
        (lambda: nn.RampInput(3, 0.0, 1.0, 2.0, 2.0), "`t_end` must come after"),
        (lambda: nn.PoissonSpike(3, None), "needed; found None"),
    ],
)
def test_errors(make, text):
    with pytest.raises(ValueError, match=text):
        make()
