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


def test_interneurons_with_enough_synapses_make_a_gamma_rhythm(example):
    settings = {"duration": 300.0 * u.ms, "inputs": (10, 100), "networks": 1}
    peak, together, ((few,), (many,)) = example("gamma").main(**settings)
    assert 30.0 < peak < 50.0  # about 40 Hz in the paper
    assert few < 0.15 < 0.25 < min(together, many)
    assert pictures() == {"gamma.png"}


def test_reader_recognizes_movements_of_persons_never_seen(example):
    right, base = example("gru_sequences").main(epochs=15, each=2, persons=2)
    assert right > 2 / 7  # twice chance
    assert base > 2 / 7
    assert pictures() == {"gru_sequences.png"}


def test_only_adaptation_lengthens_intervals(example):
    ratios = example("sweep").main(lanes=3, duration=300.0 * u.ms)
    np.testing.assert_allclose(ratios[0, 0], 1.0, atol=0.1)
    assert (np.diff(ratios[0]) > 0).all()
    assert pictures() == {"sweep.png"}


def test_sheet_of_the_connectome_is_read(example):
    edges = example("connectome_data").edges
    rows = [
        ("AVAL", "DA1", "S", 1),  # synapses to one neuron alone, and
        ("AVAL", "DA1", "Sp", 2),  # to several, listed again
        ("DA1", "AVAL", "R", 1),  # from behind
        ("DA1", "AVAL", "Rp", 2),
        ("AVAL", "AVAR", "EJ", 5),
        ("AVAR", "AVAL", "EJ", 5),
        ("AVAL", "AVAL", "EJ", 1),
        ("DA1", "NMJ", "NMJ", 4),
    ]
    gap = [("AVAL", "AVAR", "gap", 5), ("AVAR", "AVAL", "gap", 5)]
    assert edges(rows) == [gap[0], ("AVAL", "DA1", "chemical", 3), gap[1]]
    with pytest.raises(ValueError, match="'X' from A to B"):
        edges([("A", "B", "X", 1)])


def test_missing_connectome_names_the_command(example, tmp_path):
    with pytest.raises(SystemExit, match="make connectome"):
        example("connectome_data").read(tmp_path / "edges.csv")


def small_connectome(rng):
    """Random synapses and junctions of the touch neurons, an inhibitory neuron and others."""
    names = ["AVBL", "AVBR", "PLML", "PLMR", "DB1", "DB2", "DD1", "VB1", "VB2", "VB10"]
    pairs = [(a, b) for a in names for b in names if a != b]
    chemical = [
        (*pair, "chemical", int(rng.integers(1, 5))) for pair in pairs if rng.random() < 0.4
    ]
    some = [(a, b, int(rng.integers(1, 4))) for a, b in pairs if a < b and rng.random() < 0.2]
    return chemical + [(*ends, "gap", n) for a, b, n in some for ends in ((a, b), (b, a))]


def test_worm_follows_its_equations(example):
    from scipy.integrate import solve_ivp

    connectome = example("connectome")
    worm = connectome.Connectome(small_connectome(np.random.default_rng(1)))
    assert worm.names[-4:] == ["DD1", "VB1", "VB2", "VB10"]
    n, S, G = len(worm.names), worm.chemical.toarray(), worm.gap.toarray()
    current = 20.0 * np.array([name.startswith("PLM") for name in worm.names])  # pA
    T = np.asarray(connectome.thresholds(worm, current * u.pA).to_decimal(u.mV))
    E = np.where(np.array(worm.names) == "DD1", -45.0, 0.0)

    def slopes(_, y):
        V, s = y[:n], y[n:]
        apart = V[:, None] - V
        pA = -0.01 * (V + 35.0) - 0.1 * (G * apart).sum(1)
        pA -= 0.1 * (S * s[:, None] * (V - E[:, None])).sum(0)
        release = 1 / (1 + np.exp(-0.125 * (V - T)))
        return np.concatenate([(pA + current) * 1e3, release * (1 - s) - 5.0 * s])  # mV / s, 1 / s

    rest = np.concatenate([T, np.full(n, 1 / 11)])
    np.testing.assert_allclose(slopes(0.0, rest), 0.0, atol=1e-8)
    times, V = connectome.simulate(worm, np.array([20.0]) * u.pA, 0.5 * u.second)
    start = np.concatenate([T + 5.0 * np.random.default_rng(0).uniform(-1, 1, n), rest[n:]])
    t = times.to_decimal(u.second)
    y = solve_ivp(slopes, (0, t[-1]), start, "BDF", np.asarray(t), rtol=1e-8, atol=1e-8).y
    assert np.ptp(y[:n], axis=1).max() > 1.0
    np.testing.assert_allclose(V[0].to_decimal(u.mV), y[:n].T, atol=0.1)


def test_modes_of_the_worm_hold_all_its_variance(example):
    edges = small_connectome(np.random.default_rng(1))
    _, shares = example("connectome").main(edges, np.array([0.01, 0.02]) * u.nA, 1, 0.4 * u.second)
    assert shares.sum() == pytest.approx(1.0)
    assert (np.diff(shares) <= 0).all()
    assert pictures() == {"connectome.png"}


def test_autoencoder_learns(example):
    losses, _ = example("vae_digits").main(epochs=3)
    assert losses[-1] < losses[0]
    assert pictures() == {"vae_digits.png"}


def test_training_goes_on_after_loading(example):
    whole, again = example("saving").main(epochs=4)
    np.testing.assert_array_equal(again, whole[2:])
    assert (np.diff(whole) < 0).all()
    assert pictures() == {"saving.png", "saving_run", "saving_weights.safetensors"}
