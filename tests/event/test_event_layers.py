import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse

import brainstate
from brainstate import event, init, nn
from brainstate import transform as bt


def test_numbers_of_the_specification():
    w = np.arange(6.0).reshape(3, 2)
    layer = event.Linear(3, 2, w)
    np.testing.assert_allclose(layer(np.array([True, False, True])), [4, 6])
    np.testing.assert_allclose(layer(jnp.array([0.5, 0, 1])), [4, 5.5])
    rows = event.CSRLinear(3, 4, [0, 2, 2, 3], [0, 3, 1], np.array([1.0, 2, 3]))
    np.testing.assert_allclose(rows(jnp.array([1.0, 0, 1])), [1, 3, 0, 2])
    # One weight for all, and batch axes: every target gets the sum over its own sample.
    spikes = np.random.default_rng(0).random((4, 2, 3)) < 0.5
    expected = np.repeat(1.5 * spikes.sum(-1, keepdims=True), 2, axis=-1)
    np.testing.assert_allclose(event.Linear(3, 2, 1.5)(spikes), expected)
    empty = event.CSRLinear(3, 4, np.zeros(4), [], 1.5)
    np.testing.assert_array_equal(empty(spikes), np.zeros((4, 2, 4)))
    assert (layer.in_size, layer.out_size) == ((3,), (2,))


@pytest.mark.parametrize(
    ("make", "multi"),
    [
        (lambda seed: event.FixedProb(50, 200, 0.29, init.Normal(), seed=seed), True),
        (lambda seed: event.FixedNumConn(50, 200, 58, init.Normal(), False, seed), False),
    ],
)
def test_random_targets(make, multi):
    layer = make(3)
    indices = np.asarray(layer.indices)
    assert indices.shape == layer.weight.value.shape == (50, 58)
    assert indices.min() >= 0
    assert indices.max() < 200
    distinct = np.array([np.unique(row).size for row in indices])
    if multi:  # 200 (1 - (1 - 1/200)^58) different targets are expected
        np.testing.assert_allclose(distinct.mean(), 200 * (1 - (1 - 1 / 200) ** 58), rtol=0.03)
    else:
        assert (distinct == 58).all()
    # every target as often: the sum of squared deviations is chi-squared, with 199 degrees
    counts = np.bincount(indices.ravel(), minlength=200)
    assert 120 < ((counts - 14.5) ** 2).sum() / 14.5 / (1 if multi else 1 - 0.29) < 290
    np.testing.assert_array_equal(make(3).indices, indices)
    assert (np.asarray(make(4).indices) != indices).any()

    dense = np.zeros((50, 200))
    np.add.at(dense, (np.arange(50)[:, None], indices), layer.weight.value)
    spikes = np.random.default_rng(1).random((3, 50)) < 0.2
    np.testing.assert_allclose(layer(spikes), spikes @ dense, rtol=1e-4, atol=1e-5)


def test_seeds_come_from_brainstate_and_leave_numpy_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    with brainstate.random.seed_context(5):
        first = event.FixedProb(9, 50, 0.2, 1.0).indices
    with brainstate.random.seed_context(5):
        again = event.FixedProb(9, 50, 0.2, 1.0).indices
        other = event.FixedProb(9, 50, 0.2, 1.0).indices
    np.testing.assert_array_equal(first, again)
    assert (np.asarray(first) != np.asarray(other)).any()
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_units():
    layer = event.FixedProb(4, 10, 0.5, 0.6 * u.mS, seed=0)
    out = layer(np.array([True, False, True, True]))
    np.testing.assert_allclose(out.sum().to_decimal(u.mS), 3 * 5 * 0.6, rtol=1e-6)
    out = event.Linear(2, 3, 2.0 * u.mS)(jnp.array([1.0, 3.0]) * u.mV)
    np.testing.assert_allclose(out.to_decimal(u.uA), [8, 8, 8], rtol=1e-6)


def test_gradients_of_weights_and_of_surrogate_spikes():
    layer = event.FixedProb(6, 5, 0.6, init.Normal(), seed=0, grad_mode="jvp")
    spike = brainstate.surrogate.Sigmoid()
    v = jnp.linspace(-1, 1, 6)
    dense = np.asarray(layer.connection.todense())

    def plain(w, v):
        return jnp.sum((spike(v) @ w) ** 2)

    def loss(v):
        return jnp.sum(layer(spike(v)) ** 2)

    by_matrix, by_v = jax.jit(jax.grad(plain, argnums=(0, 1)))(dense, v)
    weights, found_v = bt.jit(bt.grad(loss, layer.weight, 0))(v)
    np.testing.assert_allclose(weights, by_matrix[np.arange(6)[:, None], layer.indices], rtol=1e-4)
    np.testing.assert_allclose(found_v, by_v, rtol=1e-4)
    np.testing.assert_allclose(bt.jit(bt.jacfwd(loss))(v), by_v, rtol=1e-4)


def test_structure_is_saved_with_the_weights_and_can_change():
    layer, other = (event.FixedProb(9, 50, 0.2, init.Normal(), seed=s) for s in (0, 1))
    spikes = jnp.ones(9)
    traces = []

    @bt.jit
    def run():
        traces.append(1)
        return other(spikes)

    run()
    nn.load_all_states(other, nn.save_all_states(layer))
    np.testing.assert_array_equal(run(), layer(spikes))
    assert len(traces) == 1
    assert list(layer.states(brainstate.ParamState)) == [("weight",)]


class Foreign:
    """A product of another library."""

    shape = (3, 2)
    matrix = scipy.sparse.csr_array(np.arange(6.0).reshape(3, 2))

    def __rmatmul__(self, spikes):
        return np.asarray(spikes) @ self.matrix


def test_any_object_with_a_product_can_be_the_connection():
    layer = event.Connected(Foreign())
    np.testing.assert_allclose(layer(np.array([[1.0, 0, 1]])), [[4, 6]])
    assert not layer.states()
    with pytest.raises(ValueError, match=r"spikes of shape \(\.\.\., 3\)"):
        layer(np.ones(2))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: event.Linear(3, 2, 1.0, grad_mode="both"), r"grad_mode.*'vjp', 'jvp'.*'both'"),
        (lambda: event.Linear(3, (2, 2), 1.0), r"n_post.*\(2, 2\)"),
        (lambda: event.Linear(0, 2, 1.0), "n_pre"),
        (lambda: event.Linear(3, 2, np.ones((2, 3))), r"\(2, 3\).*\(3, 2\)"),
        (lambda: event.FixedProb(3, 5, 0.1, 1.0), "at least one synapse"),
        (lambda: event.FixedProb(3, 5, 1.5, 1.0), "`prob` must be between 0 and 1; found 1.5"),
        (lambda: event.FixedNumConn(3, 5, 6, 1.0, False), "6 synapses.*without repeats"),
        (lambda: event.FixedNumConn(3, 5, 1.5, 1.0), "`conn_num`.*1.5"),
        (lambda: event.CSRLinear(2, 3, [0, 1], [0], 1.0), r"indptr.*\(3,\).*found \(2,\)"),
        (lambda: event.CSRLinear(2, 3, [0, 2, 1], [0], 1.0), "indptr.*rise from 0"),
        (lambda: event.CSRLinear(2, 3, [0, 1, 1], [3], 1.0), "`indices` must be from 0 to 2"),
        (lambda: event.CSRLinear(2, 3, [0, 1, 1], [-1], 1.0), "`indices` must be from 0 to 2"),
        (lambda: event.CSRLinear(2, 3, [0, 1, 1], [0.5], 1.0), "`indices`.*integers.*found 0.5"),
        (lambda: event.CSRLinear(2, 3, [0, 0.5, 1], [0], 1.0), "`indptr`.*integers.*found 0.5"),
        (lambda: event.CSRLinear(2, 3, [0, 1, 1], [2**32], 1.0), r"`indices`.*below 2\*\*31"),
    ],
)
def test_errors(make, text):
    with pytest.raises(ValueError, match=text):
        make()


@pytest.mark.parametrize("name", ["indices", "indptr"])
def test_a_sparse_matrix_takes_integers(name):
    arrays = {"indices": np.array([0]), "indptr": np.array([0, 1, 1])}
    arrays[name] = arrays[name].astype(float)
    with pytest.raises(TypeError, match=f"`{name}` must be integers; found float64"):
        event.CSR(1.0, arrays["indices"], arrays["indptr"], (2, 3))


def test_later_names_are_the_same_layers():
    assert event.EventLinear is event.Linear
    assert event.EventFixedProb is event.FixedProb
    assert event.EventFixedNumConn is event.FixedNumConn
    layer = event.FixedNumConn(3, 10, 0.29, 1.0)  # a share
    assert layer.indices.shape == (3, 2)
