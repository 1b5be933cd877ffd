"""Pictures: what is drawn is compared with the numbers that went in."""

import itertools

import brainunit as u
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

import brainstate
from brainstate import State
from brainstate import visualize as viz
from brainstate.visualize.axes import COLOURS

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return plt.subplots()[1]


def points(collection):
    return {tuple(map(float, xy)) for xy in collection.get_offsets()}


PICTURES = {
    "raster": lambda ax: viz.raster(np.eye(4), ax=ax),
    "traces": lambda ax: viz.traces(np.ones((4, 2)), ax=ax),
    "losses": lambda ax: viz.losses(np.ones(4), ax=ax),
    "tuning": lambda ax: viz.tuning([0.0, 1.0], [1.0, 2.0], ax=ax),
    "weights": lambda ax: viz.weights(np.eye(4), ax=ax),
    "connectivity": lambda ax: viz.connectivity(np.eye(4), ax=ax),
    "phase_plane": lambda ax: viz.phase_plane(izhikevich(), **PLANE, ax=ax),
}


@pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)
def test_draws_on_given_axes_or_its_own_labelled_and_titled(draw, ax):
    assert draw(ax) is ax
    own = draw(None)
    assert own is not ax
    for axes in (ax, own):
        assert axes.get_xlabel()
        assert axes.get_ylabel()
        assert axes.get_title()


def test_a_raster_has_a_dot_for_each_spike_in_the_colour_of_its_group():
    spikes = RNG.random((50, 6)) < 0.2
    times = 0.5 * np.arange(50) * u.ms
    ax = viz.raster(jnp.asarray(spikes), times, groups={"E": 4, "I": 2})
    steps, neurons = np.nonzero(spikes)
    excitatory, inhibitory = ax.collections
    assert points(excitatory) | points(inhibitory) == {
        (0.5 * s, float(n)) for s, n in zip(steps, neurons, strict=True)
    }
    assert {n for _, n in points(inhibitory)} <= {4.0, 5.0}
    assert tuple(inhibitory.get_facecolor()[0][:3]) == to_rgb(COLOURS[1])
    assert ax.get_xlabel() == "time (ms)"
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["I", "E"]


def test_traces_share_the_unit_of_the_first():
    low, high = np.linspace(-70, -50, 5), np.array([-0.07, -0.06, -0.06, -0.05, -0.05])
    ax = viz.traces(
        {"rest": State(jnp.asarray(low) * u.mV), "high": high * u.volt}, np.arange(5) * u.second
    )
    first, second = ax.lines
    np.testing.assert_allclose(first.get_ydata(), low)
    np.testing.assert_allclose(second.get_ydata(), 1000 * high)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (s)", "value (mV)")


@pytest.mark.parametrize("count", [1, 3, 7, 8, 30])
def test_traces_tell_few_lines_by_a_legend_and_many_by_a_scale(count):
    ax = viz.traces(RNG.random((20, count)), name="g")
    assert len(ax.lines) == count
    assert len({str(line.get_color()) for line in ax.lines}) == count
    assert (ax.get_legend() is not None) == (1 < count <= 7)
    assert len(ax.figure.axes) == (2 if count > 7 else 1)


def test_losses_are_smoothed_within_the_range_of_their_runs():
    runs = np.exp(-np.arange(40) / 4) * (1 + RNG.random((3, 40)))
    ax = viz.losses({"train": runs}, smooth=5)
    mean = runs.mean(axis=0)
    background, line = ax.lines
    np.testing.assert_allclose(background.get_ydata(), mean)
    expected = [mean[max(0, i - 4) : i + 1].mean() for i in range(40)]
    np.testing.assert_allclose(line.get_ydata(), expected)
    assert ax.get_yscale() == "log"
    assert viz.losses(runs - 1).get_yscale() == "linear"
    (band,) = ax.collections
    assert band.get_datalim(ax.transData).y1 <= runs.max()


def test_tuning_shows_mean_and_deviation_or_a_map():
    currents, rates = np.arange(3.0), RNG.random((3, 50))
    ax = viz.tuning(currents * u.nA, rates * u.Hz, names=("I", "rate"))
    np.testing.assert_allclose(ax.lines[0].get_ydata(), rates.mean(axis=1))
    ends = np.array([s[:, 1] for s in ax.collections[0].get_segments()])
    np.testing.assert_allclose(np.diff(ends)[:, 0] / 2, rates.std(axis=1))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("I (nA)", "rate (Hz)")
    ax = viz.tuning(currents, rates[:, :4], np.arange(4) * u.mS, names=("I", "g", "rate"))
    np.testing.assert_array_equal(ax.collections[0].get_array(), rates[:, :4].T)
    assert (ax.get_ylabel(), ax.figure.axes[1].get_ylabel()) == ("g (mS)", "rate")


def test_weights_of_a_matrix_are_as_they_are_and_symmetrical_around_zero():
    matrix = RNG.standard_normal((5, 3))
    image = viz.weights(State(matrix * u.nS)).images[0]
    np.testing.assert_allclose(image.get_array(), matrix.T, rtol=1e-6)
    assert image.norm.vmax == -image.norm.vmin == pytest.approx(np.abs(matrix).max(), rel=1e-6)
    assert viz.weights(np.abs(matrix)).images[0].norm.vmin > 0


def test_weights_of_layers_and_of_connections():
    dense = brainstate.nn.Linear(4, 3)
    image = viz.weights(dense).images[0]
    np.testing.assert_array_equal(image.get_array(), dense.weight.value["weight"].T)
    layer = brainstate.event.FixedProb(
        8, 6, 0.5, weight=lambda size: 1 + RNG.random(size), allow_multi_conn=False, seed=1
    )
    found = viz.weights(layer).images[0].get_array()
    truth = np.asarray(layer.connection.todense()).T
    np.testing.assert_array_equal(found.mask, truth == 0)
    np.testing.assert_allclose(found.filled(0), truth, rtol=1e-6)


def test_large_matrices_are_averaged():
    matrix = RNG.random((900, 30))
    cells = viz.weights(matrix).images[0].get_array()
    assert cells.shape == (30, 400)
    edges = np.linspace(0, 900, 401).round().astype(int)
    expected = [matrix[a:b, 7].mean() for a, b in itertools.pairwise(edges)]
    np.testing.assert_allclose(cells[7], expected, rtol=1e-6)


def test_connectivity_has_a_dot_for_each_synapse_or_counts_them():
    matrix = np.where(RNG.random((9, 5)) < 0.4, 2.0, 0.0)
    ax = viz.connectivity(matrix)
    assert points(ax.collections[0]) == {(float(i), float(j)) for i, j in np.argwhere(matrix)}
    layer = brainstate.event.FixedProb(500, 200, 0.1, 0.6, seed=0)
    ax = viz.connectivity(layer)
    assert ax.get_title() == "Connectivity: 10,000 synapses, 10 % of pairs"
    share = ax.images[0].get_array()
    counts = np.histogram2d(
        np.repeat(np.arange(500), 20), np.ravel(layer.indices), bins=100,
        range=((0, 500), (0, 200)),
    )[0]  # fmt: skip
    np.testing.assert_allclose(share, counts.T / 10)


def test_a_film_shows_each_step_in_the_same_colours():
    values = RNG.standard_normal((4, 6))
    film = viz.animate(values * u.mV, 2.5 * np.arange(4) * u.ms, shape=(2, 3), name="V")
    ax, bar = film._fig.axes
    (image,) = ax.images
    film._draw_was_started = True
    for step in range(4):
        film._func(step)
        np.testing.assert_allclose(image.get_array(), values[step].reshape(2, 3))
        assert ax.get_title() == f"t = {2.5 * step:g} ms"
    assert image.norm.vmax == pytest.approx(np.abs(values).max())
    assert bar.get_ylabel() == "V (mV)"
    square = viz.animate(values[:, :5])  # 5 neurons in 2 rows of 3
    square._draw_was_started = True
    cells = square._fig.axes[0].images[0].get_array()
    assert cells.shape == (2, 3)
    assert np.ma.count(cells) == 5


# ---------------------------------------------------------------------- phase planes

PLANE = {"x_range": (-80, -40) * u.mV, "y_range": (-20, 10) * u.mV}


def izhikevich(size=1):
    return brainstate.nn.init_all_states(brainstate.nn.Izhikevich(size))


def contours(ax):
    from matplotlib.contour import QuadContourSet

    sets = [c for c in ax.collections if isinstance(c, QuadContourSet)]
    return [np.concatenate([p.vertices for p in c.get_paths()]).T for c in sets]


@pytest.mark.parametrize("size", [1, (2, 3)])
def test_nullclines_are_those_of_the_equations(size):
    neuron = izhikevich(size)
    dV, du = contours(viz.phase_plane(neuron, 10 * u.mA, **PLANE))
    np.testing.assert_allclose(dV[1], 0.04 * dV[0] ** 2 + 5 * dV[0] + 150, atol=0.05)
    np.testing.assert_allclose(du[1], 0.2 * du[0], atol=0.01)


def test_nullclines_without_units_and_where_the_step_divides_by_dt():
    neuron = brainstate.nn.init_all_states(
        brainstate.nn.AdEx(
            1,
            C=281.0,
            g_L=30.0,
            E_L=-70.6,
            V_T=-50.4,
            delta_T=2.0,
            a=4.0,
            tau_w=144.0,
            b=80.5,
            V_th=0.0,
            V_reset=-70.6,
        )
    )
    ax = viz.phase_plane(neuron, 500.0, x_range=(-80.0, -42.0), y_range=(-100.0, 900.0))
    dV, dw = contours(ax)
    rise = -30 * (dV[0] + 70.6) + 60 * np.exp((dV[0] + 50.4) / 2) + 500
    np.testing.assert_allclose(dV[1], rise, atol=3)
    np.testing.assert_allclose(dw[1], 4 * (dw[0] + 70.6), atol=0.5)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("V", "w")


def test_the_trajectory_is_that_of_the_neuron_and_leaves_no_trace():
    neuron, twin = izhikevich(), izhikevich()
    before = {path: state.value for path, state in neuron.states().items()}
    dt = 0.1 * u.ms
    ax = viz.phase_plane(neuron, 10 * u.mA, duration=30 * u.ms, dt=dt)
    way = next(line for line in ax.lines if line.get_label() == "trajectory").get_xydata()

    def step(i):
        with brainstate.environ.context(dt=dt, t=i * dt):
            spike = twin(10 * u.mA)
        return twin.V.value.mantissa[0], twin.u.value.mantissa[0], spike[0]

    V, slow, spikes = brainstate.compile.for_loop(step, jnp.arange(300))
    assert np.isnan(way).any(axis=1).sum() == spikes.sum() > 0
    np.testing.assert_allclose(way[~np.isnan(way[:, 0])][1:], np.stack([V, slow], axis=1))
    for path, state in neuron.states().items():
        assert state.value is before[path]


def test_the_field_is_blank_where_the_neuron_spikes():
    neuron = brainstate.nn.init_all_states(brainstate.nn.ALIF(1))
    ax = viz.phase_plane(neuron, 3 * u.mA, x_range=(0, 2) * u.mV, y_range=(-1, 1))
    lines = np.concatenate(ax.collections[0].get_segments())
    assert (lines[:, 0] < 1 + 0.1 * lines[:, 1] + 0.05).all()


def test_what_a_phase_plane_cannot_show():
    neuron = izhikevich()
    with pytest.raises(ValueError, match="needs the range of V"):
        viz.phase_plane(neuron)
    with pytest.raises(ValueError, match=r"two variables .*\['V'\]"):
        viz.phase_plane(brainstate.nn.init_all_states(brainstate.nn.LIF(1)))
    with pytest.raises(ValueError, match=r"\['V', 'u'\], and not 'w'"):
        viz.phase_plane(neuron, y="w")
    with pytest.raises(ValueError, match="init_all_states"):
        viz.phase_plane(brainstate.nn.Izhikevich(1), **PLANE)
    with pytest.raises(TypeError, match=r"phase_plane draws a neuron .* found 3"):
        viz.phase_plane(3)
    with pytest.raises(u.UnitMismatchError, match="V_range"):
        viz.phase_plane(neuron, x_range=(0, 1), y_range=(0, 1) * u.mV)
    before = neuron.V.value
    with pytest.raises(u.UnitMismatchError):
        viz.phase_plane(neuron, 1 * u.second, **PLANE)
    assert neuron.V.value is before


@pytest.mark.parametrize(("draw", "error", "text"), [
    (lambda: viz.tuning([0.0], [1.0], names=("x",)), ValueError, "names.*of 2 axes"),
    (lambda: viz.raster(np.ones(3)), ValueError, r"`spikes` must have 2 axes; found .*\(3,\)"),
    (lambda: viz.raster(np.ones((3, 2)), np.ones(4)), ValueError, "4 elements for 3 steps"),
    (lambda: viz.raster(np.ones((3, 2)), groups={"E": 3}), ValueError, "the 2 neurons.*found 3"),
    (lambda: viz.traces({}), ValueError, "`values` is empty"),
    (lambda: viz.traces({"a": np.ones(3), "b": np.ones(4)}), ValueError, r"steps; found \[3, 4\]"),
    (lambda: viz.traces({"V": np.ones(3) * u.mV, "g": np.ones(3) * u.nS}), u.UnitMismatchError,
     "`g`"),
    (lambda: viz.traces("abc"), TypeError, "`value` must be an array of numbers; found 'abc'"),
    (lambda: viz.losses(np.ones(3), smooth=0), ValueError, "`smooth`"),
    (lambda: viz.weights(np.ones(3)), ValueError, "`source` must have 2 axes"),
    (lambda: viz.animate(np.ones((2, 5)), shape=(2, 2)), ValueError, "does not hold the 5"),
    (lambda: viz.animate(np.ones((0, 5))), ValueError, "no steps"),
])  # fmt: skip
def test_what_cannot_be_drawn(draw, error, text):
    with pytest.raises(error, match=text):
        draw()
