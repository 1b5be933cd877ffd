"""Units of parameters and samples."""

import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import random
from brainstate._units import attach, is_quantity, number_in, split, unit_of


def same(sample, expected, unit):
    assert sample.unit == unit
    np.testing.assert_allclose(sample.mantissa, expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["normal", "gumbel", "laplace", "logistic"])
def test_location_and_scale(name):
    law = getattr(random, name)
    same(law(1.0 * u.volt, 2.0 * u.mV, size=3, key=0), law(1000.0, 2.0, size=3, key=0), u.mV)
    same(law(scale=2.0 * u.mV, size=3, key=0), law(None, 2.0, size=3, key=0), u.mV)
    for loc, scale in [(1.0 * u.mV, None), (0.0, 1.0 * u.mV), (1.0 * u.mV, 1.0 * u.ms)]:
        with pytest.raises(u.UnitMismatchError, match="`loc` must be"):
            law(loc, scale)


def test_uniform():
    sample = random.uniform(1.0 * u.mV, 0.002 * u.volt, size=3, key=0)
    same(sample, random.uniform(1.0, 2.0, size=3, key=0), u.mV)
    for low, high in [(0.0, 1.0 * u.mV), (1.0 * u.mV, 2.0)]:
        with pytest.raises(u.UnitMismatchError, match="`high` must be"):
            random.uniform(low, high)


def test_truncated_normal_and_triangular():
    millivolts = [x * u.mV for x in (-1.0, 1.0, 0.5, 2.0)]
    lower, upper, loc, scale = millivolts
    sample = random.truncated_normal(lower, upper, 3, loc, scale, key=0)
    same(sample, random.truncated_normal(-1.0, 1.0, 3, 0.5, 2.0, key=0), u.mV)
    with pytest.raises(u.UnitMismatchError, match="`loc` must be"):
        random.truncated_normal(lower, upper)
    sample = random.triangular(lower, loc, upper, size=3, key=0)
    same(sample, random.triangular(-1.0, 0.5, 1.0, size=3, key=0), u.mV)


def test_lognormal():
    sample = random.lognormal(1.0 * u.mV, 0.0005 * u.volt, size=3, key=0)
    same(sample, random.lognormal(1.0, 0.5, size=3, key=0), u.mV)


def test_scale_gives_the_unit():
    same(random.exponential(4.0 * u.ms, 3, key=0), random.exponential(4.0, 3, key=0), u.ms)
    same(random.gamma(2.0, 4.0 * u.ms, 3, key=0), random.gamma(2.0, 4.0, 3, key=0), u.ms)
    same(random.rayleigh(4.0 * u.ms, 3, key=0), random.rayleigh(4.0, 3, key=0), u.ms)
    same(
        random.weibull_min(2.0, 4.0 * u.ms, 3, key=0), random.weibull_min(2.0, 4.0, 3, key=0), u.ms
    )


def test_array_parameters_with_units():
    mean = jnp.array([0.0, 1000.0]) * u.mV
    sample = random.normal(mean, 1.0 * u.mV)
    assert sample.shape == (2,)
    assert sample[1] > 900 * u.mV


def test_multivariate_normal_keeps_the_unit():
    mean, cov = np.array([1.0, 2.0]), np.eye(2)
    sample = random.multivariate_normal(mean * u.mV, cov * u.mV**2, key=0)
    same(sample, random.multivariate_normal(mean, cov, key=0), u.mV)
    with pytest.raises(u.UnitMismatchError, match="`cov` must be"):
        random.multivariate_normal(mean * u.mV, cov * u.mV)
    with pytest.raises(u.UnitMismatchError, match="`cov` must be a plain number"):
        random.multivariate_normal(mean, cov * u.mV**2)


def test_reordering_keeps_the_unit():
    x = np.arange(5.0)
    same(random.permutation(x * u.mV, key=0), random.permutation(x, key=0), u.mV)
    same(random.shuffle(x * u.mV, key=0), random.shuffle(x, key=0), u.mV)


@pytest.mark.parametrize(
    "call",
    [
        lambda q: random.beta(q, 1.0),
        lambda q: random.gamma(q, 1.0),
        lambda q: random.poisson(q),
        lambda q: random.bernoulli(q),
        lambda q: random.wald(q, 1.0),
        lambda q: random.choice(jnp.ones(3) * q),
        lambda q: random.randint(q),
    ],
)
def test_other_parameters_take_no_unit(call):
    with pytest.raises(TypeError, match=r"takes no unit here, but is in mV"):
        call(0.5 * u.mV)


def test_dimensionless_quantity_is_a_number():
    p = u.Quantity(0.5)
    assert random.bernoulli(p).dtype == bool
    sample = random.normal(u.Quantity(1.0), u.Quantity(2.0), size=3, key=0)
    np.testing.assert_allclose(sample, random.normal(1.0, 2.0, size=3, key=0))


def test_shape_of_a_quantity():
    assert random.rand_like(jnp.ones((2, 3)) * u.mV).shape == (2, 3)


def test_helpers():
    q = 2.0 * u.mV
    assert is_quantity(q)
    assert not is_quantity(2.0)
    assert split(q) == (2.0, u.mV)
    assert split(2.0) == (2.0, None)
    assert unit_of(q) == u.mV
    assert unit_of(2.0) is None
    assert unit_of(u.Quantity(2.0)) is None
    assert attach(2.0, None) == 2.0
    assert attach(2.0, u.mV) == q
    assert attach(2.0, u.mV / u.volt) == pytest.approx(0.002)
    assert split(u.Quantity(2.0, unit=u.mV / u.volt)) == (pytest.approx(0.002), None)
    assert number_in(q, u.volt) == pytest.approx(0.002)
    assert number_in(3.0, None) == 3.0
    with pytest.raises(u.UnitMismatchError, match="`tau` must be a quantity in a unit such as ms"):
        number_in(q, u.ms, "tau")
    with pytest.raises(u.UnitMismatchError, match=r"`tau`.* found the plain 3"):
        number_in(3.0, u.ms, "tau")
