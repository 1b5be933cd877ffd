"""The products of the containers, against dense NumPy and `scipy.sparse`."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse

from brainstate import event

RNG = np.random.default_rng(0)
MATRIX = scipy.sparse.random_array((5, 7), density=0.4, rng=RNG, format="csr", dtype=np.float32)
TARGETS = RNG.integers(0, 7, (5, 4))  # with repeats
FAN_WEIGHTS = RNG.normal(size=(5, 4)).astype(np.float32)


def dense_of_fan_out(weights):
    dense = np.zeros((5, 7), np.float32)
    np.add.at(dense, (np.arange(5)[:, None], TARGETS), weights)
    return dense


CASES = {
    "dense": (event.Dense, (), MATRIX.toarray(), lambda w: np.broadcast_to(w, (5, 7))),
    "fan out": (event.FixedFanOut, (jnp.asarray(TARGETS),), FAN_WEIGHTS, dense_of_fan_out),
    "csr": (
        event.CSR,
        (jnp.asarray(MATRIX.indices), jnp.asarray(MATRIX.indptr)),
        MATRIX.data,
        lambda w: scipy.sparse.csr_array(
            (np.broadcast_to(w, MATRIX.nnz), MATRIX.indices, MATRIX.indptr), (5, 7)
        ).toarray(),
    ),
}
EVENTS = {
    "bool": RNG.random((2, 3, 5)) < 0.5,
    "graded": RNG.normal(size=(2, 3, 5)).astype(np.float32) * (RNG.random((2, 3, 5)) < 0.5),
    "counts": RNG.integers(0, 3, (2, 3, 5)),
}


@pytest.mark.parametrize("scalar", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_products_and_their_derivatives(case, scalar):
    kind, arrays, weights, dense = CASES[case]
    weights = jnp.float32(1.5) if scalar else jnp.asarray(weights)
    connection = kind(weights, *arrays, (5, 7))
    matrix = dense(np.asarray(weights))
    behind = jnp.asarray(RNG.normal(size=(3, 7)), jnp.float32)
    # All zero but one: the derivative is needed where there was no spike.
    spikes = jnp.zeros((3, 5)).at[1, 2].set(0.5)

    def loss(weights, spikes):
        return jnp.vdot(spikes @ connection.replace(weight=weights), behind)

    @jax.jit
    def everything(connection, events, *point):
        products = {name: x @ connection for name, x in events.items()}
        alone = events["bool"][0, 0] @ connection
        lanes = jax.vmap(lambda x: x @ connection, in_axes=1, out_axes=1)(events["graded"])
        modes = [mode(loss, argnums=(0, 1))(*point) for mode in (jax.grad, jax.jacfwd)]
        return products, alone, lanes, modes, connection.todense()

    products, alone, lanes, modes, found = everything(connection, EVENTS, weights, spikes)
    np.testing.assert_allclose(found, matrix, rtol=1e-6)
    for name, x in EVENTS.items():
        assert products[name].dtype == jnp.float32
        np.testing.assert_allclose(products[name], x.astype(np.float32) @ matrix, atol=1e-5)
    np.testing.assert_allclose(alone, products["bool"][0, 0], atol=1e-6)
    np.testing.assert_allclose(lanes, products["graded"], atol=1e-6)
    pre, post = (np.asarray(x) for x in connection.spread(jnp.arange(5), jnp.arange(7)))
    by_weight = np.einsum("bi,bj->ij", spikes, behind)[pre, post]
    for by_weights, by_spikes in modes:
        expected = by_weight.sum() if scalar else by_weight
        np.testing.assert_allclose(by_weights, expected, atol=1e-5)
        np.testing.assert_allclose(by_spikes, behind @ matrix.T, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_units_numpy_and_wrong_shapes(case):
    kind, arrays, weights, dense = CASES[case]
    connection = kind(jnp.asarray(weights) * u.mS, *arrays, (5, 7))
    spikes = EVENTS["bool"][0]
    found = spikes @ connection  # a NumPy array on the left
    np.testing.assert_allclose(found.to_decimal(u.mS), spikes @ dense(weights), rtol=1e-5)
    np.testing.assert_allclose(connection.todense().to_decimal(u.mS), dense(weights))
    assert jax.tree.map(lambda x: x, connection).shape == (5, 7)
    with pytest.raises(ValueError, match=r"\(5, 7\).*\(\.\.\., 5\); found \(4,\)"):
        np.ones(4) @ connection


def test_no_synapses():
    empty = event.CSR(jnp.zeros(0), jnp.zeros(0, int), jnp.zeros(6, int), (5, 7))
    np.testing.assert_array_equal(jnp.ones((2, 5)) @ empty, np.zeros((2, 7)))
    np.testing.assert_array_equal(empty.todense(), np.zeros((5, 7)))
