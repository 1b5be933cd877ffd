"""Every law against SciPy's distribution functions."""

import jax
import numpy as np
import pytest
from scipy import special, stats

import brainstate
from brainstate.random import RandomState

N = 20_000
SMALLEST_P = 1e-3  # the seeds are fixed: a failure means another law, not bad luck


CONTINUOUS = {
    "random": ((), stats.uniform()),
    "uniform": ((-2.0, 3.0), stats.uniform(-2, 5)),
    "standard_normal": ((), stats.norm()),
    "normal": ((1.0, 2.0), stats.norm(1, 2)),
    "gumbel": ((1.0, 2.0), stats.gumbel_r(1, 2)),
    "laplace": ((1.0, 2.0), stats.laplace(1, 2)),
    "logistic": ((1.0, 2.0), stats.logistic(1, 2)),
    "lognormal": ((0.3, 0.5), stats.lognorm(0.5, scale=np.exp(0.3))),
    "standard_cauchy": ((), stats.cauchy()),
    "t": ((3.0,), stats.t(3)),
    "triangular": ((-1.0, 0.5, 2.0), stats.triang(0.5, -1, 3)),
    "beta": ((0.5, 2.0), stats.beta(0.5, 2)),
    "power": ((2.5,), stats.powerlaw(2.5)),
    "loggamma": ((2.0,), stats.loggamma(2)),
    "exponential": ((4.0,), stats.expon(scale=4)),
    "standard_exponential": ((), stats.expon()),
    "gamma": ((2.0, 3.0), stats.gamma(2, scale=3)),
    "standard_gamma": ((0.5,), stats.gamma(0.5)),
    "chisquare": ((2.5,), stats.chi2(2.5)),
    "noncentral_chisquare": ((0.5, 3.0), stats.ncx2(0.5, 3)),
    "f": ((3.0, 5.0), stats.f(3, 5)),
    "noncentral_f": ((3.0, 5.0, 2.0), stats.ncf(3, 5, 2)),
    "pareto": ((2.0,), stats.pareto(2)),
    "rayleigh": ((2.0,), stats.rayleigh(scale=2)),
    "maxwell": ((), stats.maxwell()),
    "wald": ((2.0, 3.0), stats.invgauss(2 / 3, scale=3)),
    "weibull": ((1.5,), stats.weibull_min(1.5)),
    "weibull_min": ((1.5, 2.0), stats.weibull_min(1.5, scale=2)),
}


def assert_follows(sample, cdf):
    assert stats.kstest(np.asarray(sample, float), cdf).pvalue > SMALLEST_P


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_law(name):
    parameters, law = CONTINUOUS[name]
    sample = getattr(RandomState(1), name)(*parameters, size=N)
    assert sample.dtype == np.float32
    assert_follows(sample, law.cdf)


def test_missing_location_and_scale_are_0_and_1():
    rng = RandomState(2)
    assert_follows(rng.normal(size=N), stats.norm().cdf)
    assert_follows(rng.normal(scale=3.0, size=N), stats.norm(0, 3).cdf)
    assert_follows(rng.laplace(loc=3.0, size=N), stats.laplace(3, 1).cdf)
    assert_follows(rng.exponential(size=N), stats.expon().cdf)


def test_triangular_without_parameters():
    sample = RandomState(3).triangular(size=N)
    assert_follows(sample, stats.triang(0.5, -1, 2).cdf)


@pytest.mark.parametrize("mean", [1e-3, 1.0, 1e3])
def test_wald_keeps_its_digits(mean):
    sample = RandomState(0).wald(mean, 1.0, size=N)
    assert_follows(sample, stats.invgauss(mean).cdf)


@pytest.mark.parametrize("kappa", [0.0, 1e-3, 1.0, 100.0, 1e4])
def test_vonmises(kappa):
    sample = np.asarray(RandomState(0).vonmises(3.0, kappa, size=N), float)
    assert sample.min() >= -np.float32(np.pi)
    assert sample.max() < np.pi
    centred = (sample - 3 + np.pi) % (2 * np.pi) - np.pi
    law = stats.vonmises(kappa) if kappa else stats.uniform(-np.pi, 2 * np.pi)
    assert_follows(centred, law.cdf)
    assert len(np.unique(sample)) > 0.8 * N


def test_vonmises_ends_for_any_concentration():
    rng = RandomState(0)
    assert rng.vonmises(0.5, np.inf) == 0.5
    assert np.isnan(rng.vonmises(0.5, np.nan))
    assert np.isnan(rng.vonmises(0.5, -1.0))


@pytest.mark.parametrize(
    ("lower", "upper", "loc", "scale"),
    [
        (-1.0, 2.0, 0.0, 1.0),
        (-np.inf, 0.5, 0.0, 1.0),
        (1.0, np.inf, 2.0, 3.0),
        (-1.0, 1.0, 10.0, 2.0),
        (6.0, 7.0, 0.0, 1.0),
        (-11.0, -10.0, 0.0, 1.0),
    ],
)
def test_truncated_normal(lower, upper, loc, scale):
    sample = np.asarray(RandomState(0).truncated_normal(lower, upper, N, loc, scale), float)
    assert lower < sample.min()
    assert sample.max() < upper
    bounds = (lower - loc) / scale, (upper - loc) / scale
    assert_follows(sample, stats.truncnorm(*bounds, loc, scale).cdf)
    assert len(np.unique(sample)) > 0.9 * N


def assert_counts(sample, pmf, largest):
    """Chi-square test on 0..largest and the rest, with rare outcomes put together."""
    sample, outcomes = np.asarray(sample), np.arange(largest + 1)
    p = pmf(outcomes)
    observed = np.append((sample[:, None] == outcomes).sum(0), (sample > largest).sum())
    assert observed.sum() == sample.size
    expected = np.append(p, max(0, 1 - p.sum())) * sample.size
    common = expected > 10
    observed = np.append(observed[common], observed[~common].sum())
    expected = np.append(expected[common], expected[~common].sum())
    if expected[-1] < 1:
        assert observed[-1] <= 10
        observed, expected = observed[:-1], expected[:-1]
    if len(observed) == 1:
        return
    expected *= observed.sum() / expected.sum()
    assert stats.chisquare(observed, expected).pvalue > SMALLEST_P


DISCRETE = {
    "randint": ((3, 9), stats.randint(3, 9)),
    "random_integers": ((3, 9), stats.randint(3, 10)),
    "bernoulli": ((0.3,), stats.bernoulli(0.3)),
    "poisson": ((3.0,), stats.poisson(3)),
    "binomial": ((10, 0.3), stats.binom(10, 0.3)),
    "negative_binomial": ((5, 0.4), stats.nbinom(5, 0.4)),
    "geometric": ((0.2,), stats.geom(0.2, loc=-1)),
    "logseries": ((0.8,), stats.logser(0.8)),
}


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_law(name):
    parameters, law = DISCRETE[name]
    sample = getattr(RandomState(0), name)(*parameters, size=N)
    kind = {"geometric": np.float32, "bernoulli": np.bool_}.get(name, np.int32)
    assert sample.dtype == kind
    assert_counts(sample, law.pmf, 40)


@pytest.mark.parametrize("a", [1.05, 1.5, 4.0])
def test_zipf(a):
    sample = RandomState(0).zipf(a, size=N)
    total = special.zeta(a) - special.zeta(a, 2**31 - 1)  # as far as int32 goes
    assert sample.min() >= 1
    assert_counts(sample, lambda k: np.where(k > 0, np.maximum(k, 1) ** -a / total, 0), 60)


@pytest.mark.parametrize("p", [0.0, 0.01, 0.999])
def test_logseries_at_both_ends(p):
    sample = RandomState(0).logseries(p, size=N)
    law = stats.logser(p) if p else stats.randint(1, 2)
    assert_counts(sample, law.pmf, 200)


@pytest.mark.parametrize(
    ("good", "bad", "drawn"),
    [(10, 20, 5), (20, 10, 5), (10, 20, 25), (20, 10, 25), (100, 3, 50), (5, 5, 0), (5, 0, 3)],
)
def test_hypergeometric(good, bad, drawn):
    sample = RandomState(0).hypergeometric(good, bad, drawn, size=N)
    assert_counts(sample, stats.hypergeom(good + bad, good, drawn).pmf, min(good, drawn))


def test_bernoulli_of_a_small_probability_in_low_precision():
    p = np.asarray(0.001, brainstate.environ._DTYPES[16]["f"])
    sample = RandomState(0).bernoulli(p, size=200_000)
    assert float(sample.mean()) == pytest.approx(0.001, rel=0.25)


def test_certain_outcomes():
    rng = RandomState(0)
    assert set(rng.binomial(10, 0.0, size=N).tolist()) == {0}
    assert set(rng.binomial(10, 1.0, size=N).tolist()) == {10}
    assert set(rng.bernoulli(0, size=N).tolist()) == {False}
    assert set(rng.geometric(1.0, size=N).tolist()) == {0}
    assert set(rng.negative_binomial(5, 1.0, size=N).tolist()) == {0}
    assert set(rng.poisson(0.0, size=N).tolist()) == {0}


# ---------------------------------------------------------------- plain JAX, bit by bit


def own_key(seed):
    return jax.random.split(jax.random.PRNGKey(seed))[1]


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        (lambda r: r.randn(3, 2), lambda k: jax.random.normal(k, (3, 2))),
        (lambda r: r.randint(5, size=9), lambda k: jax.random.randint(k, (9,), 0, 5)),
        (lambda r: r.bernoulli(0.3, 9), lambda k: jax.random.bernoulli(k, 0.3, (9,))),
        (lambda r: r.permutation(9), lambda k: jax.random.permutation(k, 9)),
        (lambda r: r.choice(9, 4, False), lambda k: jax.random.choice(k, 9, (4,), False)),
        (lambda r: r.uniform(2.0, 3.0, 9), lambda k: jax.random.uniform(k, (9,), float, 2.0, 3.0)),
    ],
)
def test_same_bits_as_plain_jax(draw, expected):
    np.testing.assert_array_equal(draw(RandomState(7)), expected(own_key(7)))
