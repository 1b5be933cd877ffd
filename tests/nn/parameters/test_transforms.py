import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import brainstate
from brainstate import nn

LOW, HIGH = np.array([-3.0, 0.0, 1.0, -1.0]), np.array([-1.0, 0.5, 9.0, 1.0])
SHAPE = (4,)
MASK = np.array([True, False, True, True])


def simplex(x):
    """Breaking a stick, piece by piece."""
    pieces, left = [], 1.0
    for k, z in enumerate(sp.expit(x - np.log(len(x) - np.arange(len(x))))):
        pieces.append(left * z)
        left -= pieces[k]
    return np.array([*pieces, left])


def cumulative(x):
    return np.cumsum([x[0], *np.exp(x[1:])])


def real(x):
    return x


def positive(x):
    return np.exp(x / 2)


# A transformation, its equation in NumPy, and what makes any numbers suit it.
TABLE = [
    (nn.IdentityT(), lambda x: x, real),
    (nn.SigmoidT(LOW, HIGH), lambda x: LOW + (HIGH - LOW) * sp.expit(x), real),
    (nn.ScaledSigmoidT(-1.0, 3.0, beta=0.5), lambda x: -1 + 4 * sp.expit(x / 2), real),
    (nn.TanhT(LOW, HIGH), lambda x: LOW + (HIGH - LOW) * (np.tanh(x) + 1) / 2, real),
    (nn.SoftsignT(1, 3), lambda x: 2 + x / (1 + abs(x)), real),
    (nn.ClipT(LOW, HIGH), lambda x: np.minimum(np.maximum(x, LOW), HIGH), real),
    (nn.SoftplusT(LOW), lambda x: LOW + np.log1p(np.exp(x)), real),
    (nn.NegSoftplusT(2.0), lambda x: 2 - np.log1p(np.exp(-x)), real),
    (nn.ExpT(-1.0), lambda x: np.exp(x) - 1, real),
    (nn.ReluT(LOW), lambda x: LOW + np.maximum(x, 0), real),
    (nn.PositiveT(), np.exp, real),
    (nn.NegativeT(), lambda x: -np.exp(x), real),
    (nn.AffineT(-2.0, LOW), lambda x: LOW - 2 * x, real),
    (nn.LogT(1.0), lambda x: np.log(x - 1), lambda x: 1 + positive(x)),
    (nn.PowerT(), lambda x: sp.boxcox(x, 0.5), positive),
    (nn.PowerT(-1.5), lambda x: sp.boxcox(x, -1.5), positive),
    (nn.PowerT(0.0), lambda x: sp.boxcox(x, 0.0), positive),
    (nn.OrderedT(), cumulative, real),
    (nn.SimplexT(), simplex, real),
    (nn.UnitVectorT(), lambda x: x / np.sqrt((x**2).sum()), lambda x: x + 10),
    (
        nn.ChainT(nn.OrderedT(), nn.SoftplusT(1.0)),
        lambda x: 1 + np.log1p(np.exp(cumulative(x))),
        real,
    ),
    (nn.ChainT(nn.AffineT(-0.1, 1.0), nn.SimplexT()), lambda x: simplex(1 - x / 10), real),
    (nn.MaskedT(MASK, nn.ExpT(LOW[MASK])), lambda x: np.where(MASK, LOW + np.exp(x), x), real),
]
FLAT = (nn.ClipT, nn.ReluT)
NUMBERS = arrays(
    np.float64, (2, *SHAPE), elements=st.floats(-6, 6, allow_subnormal=False), fill=st.nothing()
)


@pytest.fixture(scope="module", autouse=True)
def _double():
    with brainstate.environ.context(precision=64):
        yield


@pytest.mark.parametrize(("t", "equation", "suit"), TABLE, ids=[str(row[0])[:24] for row in TABLE])
def test_equation_inverse_and_determinant(t, equation, suit):
    free = slice(-1 if "Simplex" in repr(t) else None)  # the last piece follows from the others
    jacobian = jax.vmap(jax.jacfwd(lambda x: t.forward(x)[free]))

    @jax.jit
    def everything(x):
        y = t.forward(x)
        back = t.inverse(y)
        return y, back, t.forward(back), t.log_abs_det_jacobian(x), jacobian(x)

    @given(NUMBERS)
    @settings(max_examples=10)
    def check(numbers):
        x = suit(numbers)
        y, back, again, log_det, slopes = map(np.asarray, everything(x))
        np.testing.assert_allclose(y, [*map(equation, x)], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(again, y, rtol=1e-9, atol=1e-9)
        if isinstance(t, nn.UnitVectorT):  # Stan's correction, as there is no determinant
            np.testing.assert_allclose(log_det, -(x**2).sum(-1) / 2)
            return
        if t.event_ndim:
            expected = np.linalg.slogdet(slopes)[1]
        else:
            with np.errstate(divide="ignore"):
                expected = np.log(abs(np.diagonal(slopes, axis1=1, axis2=2)))
        if isinstance(t, FLAT):
            smooth = ~np.isin(x, (0.0, *LOW, *HIGH))  # elsewhere there is no slope
            log_det, expected = log_det[smooth], expected[smooth]
        else:
            np.testing.assert_allclose(back, x, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(log_det, expected, rtol=1e-6, atol=1e-6)

    check()


WITH_UNITS = [
    (nn.SigmoidT(-80.0 * u.mV, -0.04 * u.volt), -50.0 * u.mV),
    (nn.ExpT(1.0 * u.ms), 3.0 * u.ms),
    (nn.NegSoftplusT(1.0 * u.nA), -3.0 * u.nA),
    (nn.PositiveT(u.mS), 3.0 * u.mS),
    (nn.NegativeT(u.mS), -3.0 * u.mS),
    (nn.AffineT(2.0 * u.volt, 1.0 * u.mV), 3.0 * u.mV),
    (nn.OrderedT(u.mV), np.array([-2.0, 3.0]) * u.mV),
    (nn.MaskedT([True, False], nn.ExpT(1.0 * u.ms)), np.array([3.0, -2.0]) * u.ms),
    (nn.ChainT(nn.PositiveT(), nn.AffineT(1.0 * u.mV, 0.0 * u.mV)), 2.0 * u.mV),
]


def test_bounds_with_units_give_values_with_units():
    inverses = jax.jit(lambda: [t.inverse(y) for t, y in WITH_UNITS])()
    backs = jax.jit(lambda: [t.forward(x) for (t, _), x in zip(WITH_UNITS, inverses)])()  # noqa: B905
    for (t, y), x, back in zip(WITH_UNITS, inverses, backs, strict=True):
        assert isinstance(x, jax.Array), t  # free numbers are plain
        assert back.unit == y.unit
        np.testing.assert_allclose(back.mantissa, y.mantissa, rtol=1e-9)
        with pytest.raises(u.UnitMismatchError, match="must be a quantity in a unit such as"):
            t.inverse(y.mantissa)


def test_units_that_pass_through():
    assert nn.IdentityT().forward(2.0 * u.mV).unit == u.mV
    clip = nn.ClipT(0.0 * u.mV, 1.0 * u.mV)
    assert clip.forward(2.0 * u.mV) == 1.0 * u.mV
    assert clip.log_abs_det_jacobian(0.5 * u.mV) == 0.0
    assert nn.AffineT(2.0, 1.0 * u.mV).inverse(5.0 * u.mV) == 2.0 * u.mV
    rate = nn.AffineT(2.0 * u.mV, 1.0 * u.mV / u.second).inverse(5.0 * u.mV / u.second)
    assert rate.unit == 1 / u.second
    np.testing.assert_allclose(rate.mantissa, 2.0)
    assert nn.LogT(1.0 * u.ms).inverse(0.0) == 2.0 * u.ms


def test_values_on_an_open_end_get_finite_numbers():
    ends = [
        (nn.SigmoidT(0.1, 0.7), [0.1, 0.7]),
        (nn.SoftsignT(-2.0, 1.0), [-2.0, 1.0]),
        (nn.SoftplusT(-70.0), [-70.0]),
        (nn.NegSoftplusT(3.0), [3.0]),
        (nn.ExpT(0.0), [0.0]),
        (nn.PowerT(-1.0), [0.9999]),
        (nn.OrderedT(), [1.0, 1.0, 2.0]),
        (nn.SimplexT(), [0.0, 1.0, 0.0]),
    ]
    values = [np.float32(y) for _, y in ends]
    free = jax.jit(lambda ys: [t.inverse(y) for (t, _), y in zip(ends, ys, strict=True)])(values)
    back = jax.jit(lambda xs: [t.forward(x) for (t, _), x in zip(ends, xs, strict=True)])(free)
    for (t, _), x, y, found in zip(ends, free, values, back, strict=True):
        assert np.all(np.isfinite(x)), t
        assert x.dtype == np.float32
        np.testing.assert_allclose(found, y, atol=1e-6)
    assert np.isfinite(nn.SigmoidT(0.1, 0.7).inverse(np.float32(0.70000005)))  # by rounding


def test_numbers_far_out_neither_overflow_nor_vanish():
    x = jnp.array([-80.0, 80.0], jnp.float32)
    bounded = nn.SigmoidT(0.0, 1.0), nn.TanhT(0.0, 1.0), nn.SoftplusT(0.0), nn.NegSoftplusT(0.0)
    slopes = jax.jit(lambda x: [jax.grad(lambda x: t.forward(x).sum())(x) for t in bounded])(x)  # noqa: B023
    logs = jax.jit(lambda x: [t.log_abs_det_jacobian(x) for t in bounded])(x)
    assert np.all(np.isfinite([slopes, logs]))
    np.testing.assert_allclose(nn.SoftplusT(0.0).inverse(np.float32(1e-9)), np.log(1e-9), 1e-6)
    pieces = nn.SimplexT().forward(np.full(3, 40.0, np.float32))
    assert np.all(pieces >= 0)
    np.testing.assert_allclose(pieces.sum(), 1.0)


@pytest.mark.parametrize(("make", "error", "text"), [
    (lambda: nn.SigmoidT(1.0, 1.0), ValueError, "SigmoidT needs lower < upper; found 1.0 and 1.0"),
    (lambda: nn.ClipT(np.nan, 1.0), ValueError, "ClipT needs lower < upper"),
    (lambda: nn.SigmoidT(0.0, 1.0 * u.mV), u.UnitMismatchError, "`upper` must be a plain number"),
    (lambda: nn.SoftplusT("0"), ValueError, "`lower` must be a number.*found '0'"),
    (lambda: nn.ScaledSigmoidT(0.0, 1.0, beta=0.0), ValueError, "`beta`.*positive; found 0.0"),
    (lambda: nn.AffineT(0.0, 1.0), ValueError, "`scale` of AffineT must not be 0"),
    (lambda: nn.ChainT(jnp.exp), TypeError, "ChainT is made of transformations"),
    (lambda: nn.MaskedT(True, nn.ExpT(0.0)), ValueError, "`mask` must be an array of bool"),
    (lambda: nn.MaskedT([True], nn.OrderedT()), ValueError, "single elements; found OrderedT"),
    (lambda: nn.SigmoidT(0, 2).inverse([0.0]), TypeError, r"found \[0.0\]"),
    (lambda: nn.SigmoidT(0, 2).inverse(2.1), ValueError, "from 0.0 to 2.0; found 2.1"),
    (lambda: nn.PositiveT(u.ms).inverse(-1.0 * u.ms), ValueError, "found -1. ms"),
    (lambda: nn.PositiveT().inverse(1.0 * u.ms), u.UnitMismatchError, "y of PositiveT.*plain"),
    (lambda: nn.PowerT(0.5).inverse(-2.1), ValueError, "from -2.0 to inf"),
    (lambda: nn.ClipT(0.0, 1.0).inverse(np.array([0.5, 3.0])), ValueError, "found 3.0"),
    (lambda: nn.OrderedT().inverse(np.array([2.0, 1.0])), ValueError, "increasing.*found"),
    (lambda: nn.OrderedT().forward(2.0), ValueError, "OrderedT.*takes vectors; found x=2.0"),
    (lambda: nn.SimplexT().inverse(np.array([0.5, 0.6])), ValueError, "sum 1; found"),
    (lambda: nn.UnitVectorT().inverse(np.array([0.5, 0.6])), ValueError, "length 1; found"),
    (lambda: nn.MaskedT(MASK, nn.ExpT(0.0)).forward(np.ones(3)), ValueError, "shape \\(4,\\)"),
    (lambda: nn.ChainT(nn.SimplexT(), nn.AffineT(2.0, 0.0)).log_abs_det_jacobian(np.ones(2)),
     ValueError, "no determinant: SimplexT"),
    (lambda: nn.Transform().forward(1.0), NotImplementedError, "must define forward"),
])  # fmt: skip
def test_what_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()
