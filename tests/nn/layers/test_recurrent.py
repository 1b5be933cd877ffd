import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import nn
from brainstate import transform as bt

CELLS = [nn.ValinaRNNCell, nn.GRUCell, nn.MGUCell, nn.LSTMCell, nn.URLSTMCell]
NUM_IN, NUM_OUT, BATCH, TIME = 2, 3, 2, 4
each = pytest.mark.parametrize("kind", CELLS, ids=lambda kind: kind.__name__)


def logistic(x):
    return 1 / (1 + np.exp(-x))


# One step in NumPy: of the layers as functions of [x, h], the bias, the activation, and the values.
def vanilla(layers, bias, phi, x, h):
    return (phi(layers["W"](x, h)),)


def gru(layers, bias, phi, x, h):
    r, z = np.split(logistic(layers["Wrz"](x, h)), 2, axis=-1)
    return ((1 - z) * h + z * phi(layers["Wh"](x, r * h)),)


def mgu(layers, bias, phi, x, h):
    f = logistic(layers["Wf"](x, h))
    return ((1 - f) * h + f * phi(layers["Wh"](x, f * h)),)


def lstm(layers, bias, phi, x, h, c):
    i, g, f, o = np.split(layers["W"](x, h), 4, axis=-1)
    c = logistic(f + 1) * c + logistic(i) * phi(g)
    return logistic(o) * phi(c), c


def urlstm(layers, bias, phi, x, h, c):
    f, r, u, o = np.split(layers["W"](x, h), 4, axis=-1)
    f, r = logistic(f + bias), logistic(r - bias)
    g = 2 * r * f + (1 - 2 * r) * f**2
    c = g * c + (1 - g) * phi(u)
    return logistic(o) * phi(c), c


STEPS = dict(zip(CELLS, [vanilla, gru, mgu, lstm, urlstm], strict=True))


def in_numpy(cell, phi, xs, h0):
    """The outputs of all steps and the last hidden values, in double precision."""
    states = {path: state.value for path, state in cell.states(brainstate.ParamState).items()}

    def layer(value):
        w, b = np.float64(value["weight"]), np.float64(value.get("bias", 0.0))
        return lambda x, h: np.concatenate([x, h], axis=-1) @ w + b

    layers = {path[0]: layer(value) for path, value in states.items() if path[-1] == "weight"}
    bias = np.float64(states.get(("bias",), 0.0))
    hidden, outputs = (h0,) * (2 if hasattr(cell, "c") else 1), []
    for x in xs:
        hidden = STEPS[type(cell)](layers, bias, phi, x, *hidden)
        outputs.append(hidden[0])
    return np.stack(outputs), hidden


@each
def test_steps_agree_with_numpy(kind):
    rng = np.random.default_rng(0)
    h0 = np.linspace(-0.5, 0.5, NUM_OUT)
    bias = {} if kind is nn.URLSTMCell else {"b_init": lambda shape: rng.normal(size=shape)}
    weights = {"w_init": lambda shape: rng.normal(size=shape), **bias}
    cell = kind(NUM_IN, NUM_OUT, state_init=h0, activation="tanh", **weights)
    nn.init_all_states(cell, BATCH)
    xs = rng.normal(size=(TIME, BATCH, NUM_IN))
    expected, hidden = in_numpy(cell, np.tanh, xs, np.tile(h0, (BATCH, 1)))
    found = bt.for_loop(cell, jnp.asarray(xs, jnp.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    for name, value in zip("hc", hidden, strict=False):
        assert isinstance(getattr(cell, name), brainstate.HiddenState)
        np.testing.assert_allclose(getattr(cell, name).value, value, rtol=1e-4, atol=1e-5)
    assert (cell.in_size, cell.out_size) == ((NUM_IN,), (NUM_OUT,))


def test_parameters():
    weights = {kind: set(kind(2, 3).states()) for kind in CELLS}
    assert weights == {
        nn.ValinaRNNCell: {("W", "weight")},
        nn.GRUCell: {("Wrz", "weight"), ("Wh", "weight")},
        nn.MGUCell: {("Wf", "weight"), ("Wh", "weight")},
        nn.LSTMCell: {("W", "weight")},
        nn.URLSTMCell: {("W", "weight"), ("bias",)},
    }
    q = nn.MGUCell(3, 3).Wf.weight.value["weight"]  # Orthogonal by default
    np.testing.assert_allclose(q.T @ q, np.eye(3), atol=1e-5)
    assert set(nn.GRUCell(2, 3, b_init=None).Wh.weight.value) == {"weight"}
    assert set(nn.URLSTMCell(2, 3).W.weight.value) == {"weight"}


def test_gates_of_urlstm_start_uniformly_open():
    brainstate.random.seed(0)
    size = 1000
    opened = logistic(np.float64(nn.URLSTMCell(1, size, w_init=0.0).bias.value))
    assert opened.min() >= 1 / size - 1e-5
    assert opened.max() <= 1 - 1 / size + 1e-5
    np.testing.assert_allclose([opened.mean(), opened.std()], [0.5, 12**-0.5], atol=0.03)
    np.testing.assert_array_equal(nn.URLSTMCell(1, 1).bias.value, [0.0])


def test_activations():
    x = jnp.array([1.0, -2.0])
    for activation, phi in [
        ("relu", lambda x: np.maximum(x, 0)),
        ("sigmoid", logistic),
        (jnp.sin, np.sin),
    ]:
        cell = nn.init_all_states(nn.ValinaRNNCell(2, 3, activation=activation))
        expected, _ = in_numpy(cell, phi, [np.asarray(x)], np.zeros(3))
        np.testing.assert_allclose(cell(x), expected[0], rtol=1e-4, atol=1e-6)
    for activation in ("rleu", "__name__", 3):
        with pytest.raises(ValueError, match=r"`activation`.*functional"):
            nn.LSTMCell(2, 3, activation=activation)


def test_hidden_states_keep_their_type():
    with brainstate.environ.context(precision=16):
        cell = nn.init_all_states(nn.GRUCell(2, 3))
        out = bt.for_loop(cell, jnp.ones((2, 2), jnp.float32))
    assert out.dtype == cell.h.value.dtype == jnp.bfloat16
    assert nn.init_all_states(nn.GRUCell(2, 3))(np.array([1, 0])).dtype == jnp.float32


def test_sizes_with_more_axes():
    cell = nn.init_all_states(nn.ValinaRNNCell((5, 2), (5, 3)), 4)
    assert cell(jnp.ones((4, 5, 2))).shape == (4, 5, 3)
    for size in (None, (), "3", 2.0):
        with pytest.raises(ValueError, match=r"num_in|A size is"):
            nn.GRUCell(size, 3)
        with pytest.raises(ValueError, match=r"num_out|A size is"):
            nn.GRUCell(3, size)


def test_states_must_be_initialized():
    with pytest.raises(AttributeError, match=r"'GRUCell'.*'h'.*init_all_states"):
        nn.GRUCell(2, 3)(jnp.ones(2))
    with pytest.raises(AttributeError, match=r"'Linear' object has no attribute 'h'\. \[BST"):
        nn.Linear(2, 3).h  # noqa: B018


def test_inputs_that_do_not_fit():
    model = nn.Module()
    model.cell = nn.init_all_states(nn.LSTMCell(2, 3), 4)
    with pytest.raises(ValueError, match=r"`cell`.*batch axes \(3,\).*\(4,\).*batch_size=3"):
        model.cell(jnp.ones((3, 2)))
    with pytest.raises(ValueError, match=r"`cell`.*batch axes \(\).*\(4,\).*batch_size=None"):
        model.cell(jnp.ones(2))
    with pytest.raises(ValueError, match=r"batch axes \(5, 4\).*vmap"):
        model.cell(jnp.ones((5, 4, 2)))
    with pytest.raises(u.UnitMismatchError, match="`x` must be a plain number"):
        model.cell(jnp.ones((4, 2)) * u.mV)


def test_gradients_through_time_agree_with_finite_differences():
    brainstate.random.seed(0)
    cell = nn.URLSTMCell(2, 3)
    xs = jnp.asarray(np.random.default_rng(1).normal(size=(3, 2)))

    @bt.jit
    def loss():
        nn.init_all_states(cell)
        return jnp.sum(bt.for_loop(cell, xs) ** 2)

    gradient = bt.grad(loss, cell.bias)()
    start, step = cell.bias.value, 1e-2
    for unit in np.eye(3, dtype=np.float32):
        ends = []
        for sign in (1, -1):
            cell.bias.value = start + sign * step * unit
            ends.append(float(loss()))
        expected = (ends[0] - ends[1]) / (2 * step)
        np.testing.assert_allclose(gradient @ unit, expected, rtol=2e-2, atol=1e-4)
