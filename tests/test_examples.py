"""Each example runs in a small form, finds what its source says, and leaves its picture."""

import importlib.util
from pathlib import Path

import brainunit as u
import numpy as np
import pytest

import brainstate as bst

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def example(monkeypatch, tmp_path):
    """A function that imports an example by name, in an empty folder."""
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLES)  # as when it is run
    plt.switch_backend("agg")

    def load(name):
        spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield load
    plt.close("all")


def pictures():
    return {path.name for path in Path("out").iterdir()}


def test_networks_fire_at_moderate_rates(example):
    for name in ("coba", "cuba"):
        _, rate = example(name).main(steps=500)
        assert 1.0 < rate < 100.0
    assert pictures() == {"coba.png", "cuba.png"}


def test_hodgkin_huxley_is_silent_without_current(example):
    _, rates = example("hodgkin_huxley").main(duration=200.0 * u.ms, currents=3)
    rates = rates.to_decimal(u.Hz)
    assert rates[0] == 0.0
    assert 50.0 < rates[1] < rates[2] < 120.0  # 10 and 20 uA
    assert pictures() == {"hodgkin_huxley.png"}


def test_custom_neuron_stays_between_its_reversal_potentials(example):
    V = example("custom_neuron").main(duration=100.0 * u.ms).to_decimal(u.mV)
    assert -84.0 < V.min() < -40.0
    assert 0.0 < V.max() < 120.0
    assert pictures() == {"custom_neuron.png"}


def test_evolution_estimates_the_gradient(example):
    w = bst.ParamState(np.array([1.0, -2.0], np.float32))
    evolution_grad = example("custom_transformation").evolution_grad
    bst.random.seed(0)
    found, _ = evolution_grad(lambda: (w.value**2).sum(), {"w": w}, pairs=20_000)()
    np.testing.assert_allclose(found["w"], [2.0, -4.0], atol=0.2)
    np.testing.assert_array_equal(w.value, [1.0, -2.0])


def test_members_of_the_ensemble_differ(example):
    _, answers = example("ensemble").main(epochs=5, members=3)
    assert answers.shape[0] == 3
    assert (answers.std(axis=0) > 0).all()
    assert pictures() == {"ensemble.png"}


def test_stdp_window_is_that_of_the_paper(example):
    lags, changes = example("stdp_window").main(pairs=2)
    times = np.asarray(lags) * 0.5
    grown, lost = 0.005 * np.exp(-times / 20), -0.00525 * np.exp(times / 20)
    expected = np.where(times > 0, grown, np.where(times < 0, lost, 0.0))
    np.testing.assert_allclose(changes, expected, rtol=1e-3, atol=1e-7)
    assert pictures() == {"stdp_window.png"}


def test_reader_needs_the_order_of_a_movement(example):
    right, base = example("gru_sequences").main(epochs=20, each=2)
    assert right > base + 0.05
    assert base > 2 / 7  # twice chance
    assert pictures() == {"gru_sequences.png"}


def test_only_adaptation_lengthens_intervals(example):
    ratios = example("sweep").main(lanes=3, duration=300.0 * u.ms)
    np.testing.assert_allclose(ratios[0, 0], 1.0, atol=0.1)
    assert (np.diff(ratios[0]) > 0).all()
    assert pictures() == {"sweep.png"}


def test_autoencoder_learns(example):
    losses, _ = example("vae_digits").main(epochs=3)
    assert losses[-1] < losses[0]
    assert pictures() == {"vae_digits.png"}
