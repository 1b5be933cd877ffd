import math

import brainunit as u
import jax
import numpy as np
import pytest
import scipy.integrate
import scipy.stats as ss

import brainstate
from brainstate import ParamState, nn
from brainstate import transform as bt

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 6)) * 2
S = np.linalg.svd(X, compute_uv=False)
SOFT = np.exp(X) / np.exp(X).sum(-1, keepdims=True)


@pytest.fixture(scope="module", autouse=True)
def _double():
    with brainstate.environ.context(precision=64):
        yield


PENALTIES = [
    (nn.L1Reg(0.3), 0.3 * abs(X).sum()),
    (nn.L2Reg(0.3), 0.3 * (X**2).sum()),
    (nn.ElasticNetReg(0.3, 0.7, alpha=0.2), (0.06 * abs(X) + 0.56 * X**2).sum()),
    (nn.HuberReg(2.0, delta=0.5),
     2 * np.where(abs(X) < 0.5, X**2 / 2, 0.5 * (abs(X) - 0.25)).sum()),
    (nn.GroupLassoReg(2.0, group_size=3),
     2 * sum(np.linalg.norm(row[i : i + 3]) for row in X for i in (0, 3))),
    (nn.GroupLassoReg(), abs(X).sum()),
    (nn.TotalVariationReg(2.0), 2 * abs(X[:, 1:] - X[:, :-1]).sum()),
    (nn.TotalVariationReg(order=2), abs(X[:, 2:] - 2 * X[:, 1:-1] + X[:, :-2]).sum()),
    (nn.MaxNormReg(2.0, max_value=1.5), 2 * (np.linalg.norm(X) - 1.5) ** 2),
    (nn.MaxNormReg(2.0, max_value=100.0), 0.0),
    (nn.SpectralNormReg(2.0, 1.5, n_power_iterations=60), 2 * (S[0] - 1.5) ** 2),
    (nn.EntropyReg(2.0), -2 * ss.entropy(SOFT, axis=-1).sum()),
    (nn.EntropyReg(2.0, maximize=False), 2 * ss.entropy(SOFT, axis=-1).sum()),
    (nn.OrthogonalReg(0.5), 0.5 * ((S**2 - 1) ** 2).sum()),
    (nn.ChainedReg(nn.L1Reg(0.5), nn.L2Reg()), 0.5 * abs(X).sum() + (X**2).sum()),
]  # fmt: skip


def test_penalties():
    losses = jax.jit(lambda x: [reg.loss(x) for reg, _ in PENALTIES])(X)
    for (reg, expected), found in zip(PENALTIES, losses, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=str(type(reg)))
    tall = jax.jit(nn.OrthogonalReg(0.5).loss)(X.T.reshape(2, 3, 4))  # leading axes are rows
    np.testing.assert_allclose(tall, 0.5 * ((S**2 - 1) ** 2).sum())


def test_no_slope_is_undefined_at_zero():
    regs = [
        *(reg for reg, _ in PENALTIES),
        *(nn.HorseshoeReg(), nn.GaussianReg(), nn.CauchyReg(), nn.StudentTReg()),
    ]
    for slope in jax.jit(lambda x: [jax.grad(reg.loss)(x) for reg in regs])(np.zeros((4, 6))):
        assert np.all(np.isfinite(slope))


def test_spectral_norm_is_found_from_below():
    regs = [nn.SpectralNormReg(1.0, 0.1, n) for n in (1, 2, 60)]
    found, slope = jax.jit(lambda x: ([reg.loss(x) for reg in regs], jax.grad(regs[2].loss)(x)))(X)
    assert sorted(map(float, found)) == found
    np.testing.assert_allclose(found[-1], (S[0] - 0.1) ** 2)
    left, _, right = np.linalg.svd(X)
    expected = 2 * (S[0] - 0.1) * np.outer(left[:, 0], right[0])
    np.testing.assert_allclose(slope, expected, atol=1e-5)


def over_scales(function, tau):
    """The mean over half-Cauchy scales, by SciPy over the angle whose tangent is the scale."""
    return scipy.integrate.quad(lambda angle: function(tau * math.tan(angle)), 0, math.pi / 2)[
        0
    ] * (2 / math.pi)


def horseshoe(x, tau):
    return over_scales(lambda s: math.exp(-((x / s) ** 2) / 2) / s / math.sqrt(2 * math.pi), tau)


def mixture(x, law):
    return 0.7 * law(x, scale=0.2) + 0.3 * law(x, scale=2.0)


REAL, POSITIVE = np.array([-3.0, -0.4, 0.2, 1.5]), np.array([0.05, 0.4, 1.1, 3.0])
FRACTION = np.array([0.05, 0.4, 0.5, 0.97])

# A regularisation, the same law in SciPy, and where to compare.
PRIORS = [
    (nn.GaussianReg(0.5, 2.0), ss.norm(0.5, 2.0), REAL),
    (nn.LaplaceReg(0.5, 2.0), ss.laplace(0.5, 2.0), REAL),
    (nn.LogisticReg(0.5, 2.0), ss.logistic(0.5, 2.0), REAL),
    (nn.CauchyReg(0.5, 2.0), ss.cauchy(0.5, 2.0), REAL),
    (nn.StudentTReg(3.5, 0.5, 2.0), ss.t(3.5, 0.5, 2.0), REAL),
    (nn.ExponentialReg(2.0), ss.expon(scale=2.0), POSITIVE),
    (nn.GammaReg(2.5, 0.5), ss.gamma(2.5, scale=0.5), POSITIVE),
    (nn.InverseGammaReg(2.5, 0.5), ss.invgamma(2.5, scale=0.5), POSITIVE),
    (nn.LogNormalReg(0.7, 2.0), ss.lognorm(0.7, scale=2.0), POSITIVE),
    (nn.LogUniformReg(0.01, 5.0), ss.loguniform(0.01, 5.0), POSITIVE),
    (nn.BetaReg(2.5, 0.5), ss.beta(2.5, 0.5), FRACTION),
]


def test_priors_are_negative_log_densities():
    found, sums, outside = jax.jit(
        lambda: (
            [jax.vmap(reg.loss)(x) for reg, _, x in PRIORS],
            [reg.loss(x) for reg, _, x in PRIORS],
            [reg.loss(-1.0) for reg, _, x in PRIORS if x is not REAL],
        )
    )()
    for (_, law, x), loss, total in zip(PRIORS, found, sums, strict=True):
        np.testing.assert_allclose(loss, -law.logpdf(x), rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(total, -law.logpdf(x).sum(), rtol=1e-6)
    assert len(outside) == 6
    assert np.all(np.isposinf(outside))


def test_priors_without_a_law_in_scipy():
    x = np.array([-40.0, -3.0, 1e-3, 0.4, 1.42, 7.0])
    alpha, pieces = np.array([0.5, 2.0, 3.0]), np.array([[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]])
    shrunk, extreme, mixed, parts, symmetric = jax.jit(
        lambda: (
            jax.vmap(nn.HorseshoeReg(0.5).loss)(x),
            nn.HorseshoeReg().loss(np.float32([0.0, 1e-30, 1e15])),
            jax.vmap(nn.SpikeAndSlabReg(0.2, 2.0, pi=0.3).loss)(REAL),
            nn.DirichletReg(alpha).loss(pieces),
            nn.DirichletReg(2.0, weight=3.0).loss(pieces),
        )
    )()
    np.testing.assert_allclose(shrunk, [-np.log(horseshoe(v, 0.5)) for v in x], rtol=1e-6)
    assert np.isfinite(extreme)
    np.testing.assert_allclose(mixed, -np.log(mixture(REAL, ss.norm.pdf)))
    expected = [sum(ss.dirichlet.logpdf(row, a) for row in pieces) for a in (alpha, [2.0] * 3)]
    np.testing.assert_allclose([parts, symmetric], [-expected[0], -3 * expected[1]])


def test_samples_follow_the_prior():
    brainstate.random.seed(1)
    # Those left out take the draws of brainstate.random as they are.
    slow = nn.BetaReg, nn.GammaReg, nn.LaplaceReg, nn.LogisticReg, nn.ExponentialReg
    rows = [(reg, law) for reg, law, _ in PRIORS if not isinstance(reg, slow)]
    regs = [
        *(reg for reg, _ in rows),
        *(nn.L1Reg(), nn.HorseshoeReg(0.5), nn.SpikeAndSlabReg(0.2, 2.0, pi=0.3)),
    ]
    with brainstate.environ.context(precision=32):  # compiles quicker
        samples = bt.jit(lambda: [reg.sample_init(2000) for reg in regs])()
        pieces = nn.DirichletReg(np.array([1.0, 2.0, 5.0])).sample_init((2000, 3))
        frame = nn.OrthogonalReg().sample_init((4, 3))
    cdfs = [
        *(law.cdf for _, law in rows),
        ss.norm.cdf,
        np.vectorize(lambda x: over_scales(lambda s: ss.norm.cdf(x / s), 0.5)),
        lambda x: mixture(x, ss.norm.cdf),
    ]
    for reg, sample, cdf in zip(regs, samples, cdfs, strict=True):
        few = sample[:30] if isinstance(reg, nn.HorseshoeReg) else sample  # its integral is slow
        assert ss.kstest(few, cdf).pvalue > 1e-3, type(reg)
        assert sample.dtype == np.float32
    np.testing.assert_allclose(pieces.mean(0), [1 / 8, 2 / 8, 5 / 8], atol=0.02)
    np.testing.assert_allclose(frame.T @ frame, np.eye(3), atol=1e-6)


def test_centres():
    for reg, _, _ in PRIORS[:5]:
        assert reg.reset_value() == 0.5
    for reg, expected in [
        (nn.L1Reg(), 0.0),
        (nn.ExponentialReg(2.0), 2.0),
        (nn.GammaReg(2.5, 0.5), 1.25),
        (nn.InverseGammaReg(1.5, 0.5), 0.2),
        (nn.LogNormalReg(0.7, 2.0), 2.0),
        (nn.LogUniformReg(1.0, 100.0), 10.0),
        (nn.BetaReg(2.0, 6.0), 0.25),
        (nn.HorseshoeReg(2.0), 0.0),
        (nn.SpikeAndSlabReg(), 0.0),
        (nn.ChainedReg(nn.ExponentialReg(3.0), nn.L1Reg()), 3.0),
    ]:
        np.testing.assert_allclose(reg.reset_value(), expected, err_msg=str(type(reg)))
    p = nn.Param(np.ones(3) * u.ms, reg=nn.GaussianReg(5.0 * u.ms, 1.0 * u.ms))
    p.set_value(p.reg.reset_value())
    np.testing.assert_array_equal(p.value().mantissa, [5.0] * 3)


def test_units():
    reg = nn.GaussianReg(10.0 * u.ms, 0.002 * u.second)
    assert reg.sample_init(30).unit == u.second
    assert reg.reset_value() == 10.0 * u.ms
    assert nn.L2Reg(unit=u.mV).sample_init(30).unit == u.mV
    rows = [
        (reg, 13.0 * u.ms, -ss.norm.logpdf(0.013, 0.01, 0.002)),
        (nn.L2Reg(2.0, unit=u.mV), 0.003 * u.volt, 18.0),
        (nn.HuberReg(delta=1.0 * u.mV), 3.0 * u.mV, 2.5),
        (nn.MaxNormReg(max_value=1.0 * u.mV), 3.0 * u.mV, 4.0),
        (nn.GammaReg(2.0, 3.0 * u.ms, fit_hyper=True), 4.0 * u.ms,
         -ss.gamma.logpdf(4.0, 2.0, scale=3.0)),
    ]  # fmt: skip
    losses = bt.jit(lambda: [reg.loss(value) for reg, value, _ in rows])()
    np.testing.assert_allclose(losses, [expected for *_, expected in rows])


def test_fitted_hyperparameters_find_the_sample():
    """The normal density of most likelihood has the mean and deviation of the sample."""
    x = np.array([1.0, 3.0, 4.0, 8.0])
    reg = nn.GaussianReg(3.0, 2.0, fit_hyper=True)
    trained = {name: reg.states(ParamState)[name, "val"] for name in ("mean", "std")}
    slopes = bt.jit(bt.grad(lambda: reg.loss(x), trained))()
    np.testing.assert_allclose(slopes["mean"], -((x - 3) / 4).sum())
    np.testing.assert_allclose(slopes["std"], (1 - ((x - 3) / 2) ** 2).sum(), rtol=1e-6)
    reg.mean.set_value(x.mean())
    reg.std.set_value(x.std())
    for slope in bt.grad(lambda: reg.loss(x), trained)().values():
        np.testing.assert_allclose(slope, 0.0, atol=1e-9)
    assert nn.count_parameters(reg) == 3  # the weight, too
    assert nn.count_parameters(nn.ElasticNetReg(fit_hyper=True)) == 2
    assert nn.count_parameters(nn.GaussianReg()) == 0
    own = nn.GaussianReg(std=nn.Param(2.0, t=nn.SigmoidT(1.0, 3.0)))
    np.testing.assert_allclose(own.loss(1.0), -ss.norm.logpdf(1.0, 0.0, 2.0))
    assert nn.count_parameters(own) == 1


@pytest.mark.parametrize(("make", "error", "text"), [
    (lambda: nn.L1Reg(-1.0), ValueError, "`weight` of L1Reg must be positive; found -1.0"),
    (lambda: nn.L1Reg("1"), ValueError, "`weight` must be a number"),
    (lambda: nn.L2Reg().loss(1.0 * u.mV), u.UnitMismatchError, "value for L2Reg.*plain"),
    (lambda: nn.L2Reg(1.0 / u.mV), u.UnitMismatchError, "`weight` must be a plain number"),
    (lambda: nn.ElasticNetReg(1.0, 1.0, 2.0), ValueError, "`alpha`.*found 2.0"),
    (lambda: nn.GroupLassoReg(group_size=4).loss(X), ValueError, r"groups of 4; .*\(4, 6\)"),
    (lambda: nn.GroupLassoReg(group_size=0), ValueError, "`group_size` of GroupLassoReg.*found 0"),
    (lambda: nn.TotalVariationReg().loss(1.0), ValueError, "TotalVariationReg takes arrays"),
    (lambda: nn.TotalVariationReg(order=1.0), ValueError, "`order`.*integer"),
    (lambda: nn.OrthogonalReg().loss(X[0]), ValueError, r"takes matrices; found .*\(6,\)"),
    (lambda: nn.OrthogonalReg().reset_value(), ValueError, "sample_init"),
    (lambda: nn.GaussianReg(0.0, 0.0), ValueError, "`std` of GaussianReg must be positive"),
    (lambda: nn.GaussianReg(0.0, 1.0 * u.ms), u.UnitMismatchError, "`mean` must be a quantity"),
    (lambda: nn.LogUniformReg(2.0, 1.0), ValueError, "needs lower < upper"),
    (lambda: nn.LogUniformReg(0.0, 1.0), ValueError, "`lower` of LogUniformReg must be positive"),
    (lambda: nn.SpikeAndSlabReg(pi=1.0), ValueError, "`pi`.*found 1.0"),
    (lambda: nn.DirichletReg(1.0).reset_value(), ValueError, "length of its vectors"),
    (lambda: nn.ChainedReg(nn.L1Reg(), 1.0), TypeError, "takes regularisations; found 1.0"),
    (lambda: nn.ChainedReg(), ValueError, "at least one"),
    (lambda: nn.Regularization().loss(1.0), NotImplementedError, "must define loss"),
])  # fmt: skip
def test_what_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()
