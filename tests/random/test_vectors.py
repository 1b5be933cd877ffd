"""Vectors, matrices and populations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from brainstate.random import RandomState

N = 20_000
RNG = RandomState(0)


def shape(law, *parameters, **options):
    """The shape of a sample, without compiling anything."""
    return jax.eval_shape(lambda: law(*parameters, key=0, **options)).shape


COV = np.array([[2.0, 0.6], [0.6, 1.0]])


@pytest.mark.parametrize("method", ["cholesky", "svd", "eigh"])
def test_multivariate_normal(method):
    sample = np.asarray(RandomState(0).multivariate_normal([1.0, -2.0], COV, N, method))
    white = np.linalg.solve(np.linalg.cholesky(COV), (sample - [1, -2]).T)
    for component in (*white, white.sum(0) / np.sqrt(2)):
        assert stats.kstest(component, "norm").pvalue > 1e-3


def test_multivariate_normal_shapes():
    assert shape(RNG.multivariate_normal, np.zeros(2), COV) == (2,)
    assert shape(RNG.multivariate_normal, np.zeros((3, 2)), COV) == (3, 2)
    assert shape(RNG.multivariate_normal, np.zeros((3, 2)), COV, size=(4, 3)) == (4, 3, 2)
    with pytest.raises(ValueError, match=r"`method`.*'lu'"):
        RNG.multivariate_normal(np.zeros(2), COV, method="lu")


def test_dirichlet():
    alpha = np.array([1.0, 2.0, 3.0])
    sample = RandomState(0).dirichlet(alpha, size=N)
    np.testing.assert_allclose(sample.sum(-1), 1, rtol=1e-5)
    for i in range(3):
        cdf = stats.beta(alpha[i], alpha.sum() - alpha[i]).cdf
        assert stats.kstest(np.asarray(sample[:, i]), cdf).pvalue > 1e-3
    assert shape(RNG.dirichlet, np.ones((4, 3))) == (4, 3)


def test_multinomial():
    p = [0.2, 0.3, 0.5]
    sample = np.asarray(RandomState(0).multinomial(10, p, size=N))
    assert sample.dtype == np.int32
    assert (sample.sum(-1) == 10).all()
    for i, probability in enumerate(p):
        observed = np.bincount(sample[:, i], minlength=11)
        expected = stats.binom(10, probability).pmf(np.arange(11)) * N
        common = expected > 10
        observed, expected = observed[common], expected[common]
        expected *= observed.sum() / expected.sum()
        assert stats.chisquare(observed, expected).pvalue > 1e-3


def test_multinomial_gives_the_last_outcome_what_is_left():
    sample = RandomState(0).multinomial(10, [0.2, 0.3, 0.0], size=N)
    assert 4.9 < sample[:, 2].mean() < 5.1


def test_multinomial_shape_is_batch_then_size():
    assert shape(RNG.multinomial, 3, [0.2, 0.8]) == (2,)
    assert shape(RNG.multinomial, [3, 4], [0.2, 0.8]) == (2, 2)
    sample = RandomState(0).multinomial([3, 4], [[0.2, 0.8], [0.3, 0.7]], size=(5, 6))
    assert sample.shape == (2, 5, 6, 2)
    np.testing.assert_array_equal(sample.sum(-1), np.broadcast_to([[[3]], [[4]]], (2, 5, 6)))
    with pytest.raises(ValueError, match="`pvals` must be parts of 1"):
        RNG.multinomial(3, [0.6, 0.6, 0.1])


def test_orthogonal():
    sample = RandomState(0).orthogonal(4, size=(500,))
    identity = jnp.einsum("bij,bik->bjk", sample, sample)
    np.testing.assert_allclose(identity, np.broadcast_to(np.eye(4), (500, 4, 4)), atol=1e-5)
    # A uniform unit vector in 4 dimensions: (1 + x) / 2 of a coordinate is Beta(3/2, 3/2).
    entries = (1 + np.asarray(sample[:, 0, 0])) / 2
    assert stats.kstest(entries, stats.beta(1.5, 1.5).cdf).pvalue > 1e-3


def test_categorical():
    p = np.array([0.1, 0.2, 0.7])
    sample = RandomState(0).categorical(np.log(p), size=N)
    assert stats.chisquare(np.bincount(sample), p * N).pvalue > 1e-3
    logits = np.zeros((4, 3, 5))
    assert shape(RNG.categorical, logits) == (4, 3)
    assert shape(RNG.categorical, logits, axis=0) == (3, 5)


def test_choice():
    rng = RandomState(0)
    p = [0.1, 0.2, 0.7]
    sample = rng.choice(np.array([10, 20, 30]), N, p=p)
    observed = [int((sample == x).sum()) for x in (10, 20, 30)]
    assert stats.chisquare(observed, np.array(p) * N).pvalue > 1e-3
    assert shape(RNG.choice, 4) == ()
    assert shape(RNG.choice, np.arange(6).reshape(3, 2), 4) == (4, 2)
    assert sorted(rng.choice(5, 5, replace=False).tolist()) == [0, 1, 2, 3, 4]
    assert set(rng.choice([1.5, 2.5], (3, 2)).ravel().tolist()) <= {1.5, 2.5}


def test_permutation():
    rng = RandomState(0)
    assert sorted(rng.permutation(6).tolist()) == [0, 1, 2, 3, 4, 5]
    assert sorted(rng.permutation([3.0, 1.0, 2.0]).tolist()) == [1, 2, 3]
    x = np.arange(12).reshape(3, 4)
    rows = {tuple(row) for row in rng.permutation(x).tolist()}
    assert rows == {tuple(row) for row in x.tolist()}
    columns = {tuple(column) for column in rng.permutation(x, axis=1).T.tolist()}
    assert columns == {tuple(column) for column in x.T.tolist()}
    orders = np.asarray(rng.permutation(np.tile(np.arange(50), (2, 1)), 1, independent=True))
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(50))
    assert (orders[0] != orders[1]).any()


def test_every_order_is_as_likely():
    rng = RandomState(0)
    orders = jnp.stack([rng.permutation(3) for _ in range(600)])
    counts = np.unique(np.asarray(orders), axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > 1e-3


def test_shuffle_returns_a_copy():
    x = np.arange(20)
    shuffled = RandomState(0).shuffle(x)
    assert (x == np.arange(20)).all()
    assert (shuffled != x).any()
    assert sorted(shuffled.tolist()) == x.tolist()
    with pytest.raises(TypeError, match=r"shuffle\(\) takes an array.*list"):
        RandomState(0).shuffle([1, 2, 3])
