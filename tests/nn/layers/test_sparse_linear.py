import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse
from jax.experimental import sparse

import brainstate
from brainstate import nn
from brainstate.transform import jit

DENSE = np.float32([[0, 1, 0, 2], [0, 0, 0, 0], [3, 0, 4, 0]])
CSR = scipy.sparse.csr_array(DENSE)
X = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)


def test_csr():
    layer = nn.CSRLinear(3, 4, CSR.indptr, CSR.indices, CSR.data * u.mS)
    np.testing.assert_allclose(layer(X * u.mV).to_decimal(u.uA), X @ DENSE, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        layer(X[0, 0] > 0).mantissa, (X[0, 0] > 0) @ DENSE, rtol=1e-5, atol=1e-6
    )
    shared = nn.CSRLinear(3, 4, CSR.indptr, CSR.indices, 0.5)
    assert shared.weight.value.shape == ()
    np.testing.assert_allclose(shared(X), X @ (0.5 * (DENSE != 0)), rtol=1e-5, atol=1e-6)
    drawn = nn.CSRLinear(3, 4, CSR.indptr, CSR.indices, brainstate.init.Uniform())
    assert drawn.weight.value.shape == CSR.data.shape
    assert (drawn.in_size, drawn.out_size) == ((3,), (4,))
    made = jit(lambda: nn.CSRLinear(3, 4, CSR.indptr, CSR.indices, CSR.data))()
    np.testing.assert_allclose(made(X), X @ DENSE, rtol=1e-5, atol=1e-6)


def test_csr_gradients():
    layer = nn.CSRLinear(3, 4, CSR.indptr, CSR.indices, CSR.data)
    out = np.random.default_rng(1).normal(size=(2, 5, 4)).astype(np.float32)
    states = {"w": layer.weight}
    loss = lambda x: (layer(x) * out).sum()  # noqa: E731
    by_state, by_input = brainstate.augment.grad(loss, states, argnums=0)(X)
    dense = jax.grad(lambda w: ((X @ w) * out).sum())(DENSE)
    np.testing.assert_allclose(by_state["w"], dense[DENSE != 0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(by_input, out @ DENSE.T, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        u.sparse.CSR.fromdense,
        u.sparse.CSC.fromdense,
        u.sparse.COO.fromdense,
        lambda w: u.sparse.COO.fromdense(w, nse=9),
        sparse.BCOO.fromdense,
        lambda w: sparse.BCOO.fromdense(w, nse=9),
        sparse.BCSR.fromdense,
        lambda w: scipy.sparse.csr_array(w),
        lambda w: scipy.sparse.csc_matrix(w),
        lambda w: scipy.sparse.coo_array(w),
    ],
)
def test_sparse_matrices(make):
    matrix = make(DENSE)
    layer = nn.SparseLinear(matrix, b_init=1.0)
    np.testing.assert_array_equal(layer.weight.value["weight"], matrix.data)
    np.testing.assert_allclose(layer(X), X @ DENSE + 1, rtol=1e-5, atol=1e-6)


def test_sparse_matrices_with_units_and_more_axes():
    layer = nn.SparseLinear(u.sparse.CSR.fromdense(jnp.array(DENSE) * u.mS), in_size=(5, 3))
    assert layer.out_size == (5, 4)
    np.testing.assert_allclose(layer(X * u.mV).to_decimal(u.uA), X @ DENSE, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="must end in 3"):
        nn.SparseLinear(CSR, in_size=(3, 5))


@pytest.mark.parametrize(
    "other", [DENSE, None, CSR.tolil(), scipy.sparse.bsr_array(DENSE, blocksize=(1, 2))]
)
def test_other_matrices_are_refused(other):
    with pytest.raises(TypeError, match=f"`spar_mat`.*found {type(other).__name__}"):
        nn.SparseLinear(other)
