"""Sizes, types, parameters and their checks."""

import inspect
import pickle

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import random
from brainstate.random import RandomState

LAWS = [
    name
    for name, method in inspect.getmembers(random, inspect.isfunction)
    if hasattr(RandomState, name) and "key" in inspect.signature(method).parameters
]


def abstract(law, *parameters, **options):
    """Shape and type of a sample, without compiling anything."""
    return jax.eval_shape(lambda: law(*parameters, key=0, **options))


@pytest.mark.parametrize(
    ("size", "shape"),
    [(None, ()), (3, (3,)), (np.int64(3), (3,)), ((2, 3), (2, 3)), ([2, 3], (2, 3)), ((), ())],
)
def test_size(size, shape):
    assert random.rand_like(np.zeros(shape)).shape == shape
    assert abstract(random.normal, size=size).shape == shape
    assert abstract(random.normal, 1.0, 2.0, size=size).shape == shape
    assert abstract(random.zipf, 2.0, size=size).shape == shape
    assert abstract(random.choice, 4, size=size).shape == shape


@pytest.mark.parametrize(("size", "error"), [(1.5, TypeError), (-1, ValueError), ("a", TypeError)])
def test_wrong_size(size, error):
    with pytest.raises(error, match="A shape"):
        random.normal(size=size)


def test_dimensions_are_separate_integers():
    assert random.rand().shape == random.randn().shape == ()
    assert random.rand(2, np.int64(3)).shape == random.randn(2, 3).shape == (2, 3)
    with pytest.raises(TypeError, match="A shape is made of integers"):
        random.rand((2, 3))


ARRAYS = {
    "beta": (np.ones((3, 1)), np.ones(4)),
    "t": (np.full((3, 4), 2.0),),
    "standard_t": (np.full((3, 4), 2.0),),
    "chisquare": (np.full((3, 4), 2.0),),
    "weibull": (np.full((3, 4), 2.0),),
    "normal": (np.zeros((3, 1)), np.ones(4)),
    "uniform": (np.zeros((3, 1)), np.ones(4)),
    "truncated_normal": (np.zeros((3, 1)), np.ones(4)),
    "triangular": (-np.ones((3, 1)), np.zeros(4), np.ones(4)),
    "wald": (np.ones((3, 1)), np.ones(4)),
    "vonmises": (np.ones((3, 1)), np.ones(4)),
    "noncentral_f": (np.ones((3, 1)), np.ones(4), 2.0),
    "randint": (np.zeros((3, 1), int), np.full(4, 5)),
    "binomial": (np.full((3, 1), 9), np.full(4, 0.5)),
    "hypergeometric": (np.full((3, 1), 9), np.full(4, 5), 3),
    "zipf": (np.full((3, 4), 2.0),),
    "bernoulli": (np.full((3, 4), 0.5),),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_shape_follows_the_parameters(name):
    law = getattr(random, name)
    assert abstract(law, *ARRAYS[name]).shape == (3, 4)
    assert abstract(law, *(np.asarray(x).tolist() for x in ARRAYS[name])).shape == (3, 4)
    arrays = map(jnp.asarray, ARRAYS[name])
    assert abstract(law, *arrays, size=(2, 3, 4)).shape == (2, 3, 4)
    with pytest.raises(ValueError, match=r"must broadcast to `size` \(5,\)"):
        law(*ARRAYS[name], size=5)


def test_parameters_that_do_not_fit_each_other():
    with pytest.raises(ValueError, match=r"with each other.*`a` \(2,\), `b` \(3,\)"):
        random.beta(np.ones(2), np.ones(3))


def test_array_parameters_apply_element_by_element():
    sample = random.normal(np.array([0.0, 100.0]), np.array([1.0, 1e-3]), size=(1000, 2))
    np.testing.assert_allclose(sample.mean(0), [0, 100], atol=0.2)
    assert sample[:, 1].std() < 0.01


# ---------------------------------------------------------------- types


@pytest.mark.parametrize("dtype", ["float16", jnp.bfloat16, np.float32, np.dtype("float32")])
def test_dtype(dtype):
    for law, *parameters in (
        (random.random,),
        (random.normal, np.float32(1), 2.0),
        (random.truncated_normal, -1.0, 1.0),
        (random.wald, 1.0, 2.0),
        (random.gamma, 2.0),
        (random.vonmises, 0.0, 1.0),
        (random.noncentral_f, 2.0, 3.0, 1.0),
        (random.multivariate_normal, np.zeros(2), np.eye(2)),
    ):
        assert abstract(law, *parameters, dtype=dtype).dtype == jnp.dtype(dtype)


def test_low_precision_stays_inside_the_bounds():
    sample = random.truncated_normal(-1.0, 1.0, size=5000, dtype=jnp.bfloat16)
    assert bool((abs(sample) < 1).all())
    sample = random.rand(5000, dtype=jnp.bfloat16)
    assert bool(((sample >= 0) & (sample < 1)).all())


def test_default_types_follow_the_precision():
    with brainstate.environ.context(precision=64):
        assert random.rand().dtype == abstract(random.gamma, 2.0).dtype == np.float64
        assert abstract(random.poisson).dtype == abstract(random.randint, 3).dtype == np.int64
    with brainstate.environ.context(precision=16):
        assert abstract(random.random).dtype == jnp.bfloat16
        assert abstract(random.exponential, 2.0).dtype == jnp.bfloat16
        assert abstract(random.randint, 3).dtype == np.int16
    assert abstract(random.binomial, 5, 0.5, dtype=np.uint8).dtype == np.uint8


def test_real_law_refuses_an_integer_type():
    with pytest.raises(TypeError, match=r"floating-point type.*int32"):
        random.normal(dtype=np.int32)


def test_like():
    x = np.ones((2, 3), np.int32)
    assert random.rand_like(x).shape == random.randn_like(x).shape == (2, 3)
    assert random.rand_like(x).dtype == np.float32
    assert random.randn_like(x, dtype=jnp.bfloat16).dtype == jnp.bfloat16
    whole = random.randint_like(np.array([[5, 6], [7, 8]]), 7)
    assert (whole == 7).all()
    assert (random.randint_like(x, 3, 4) == 3).all()


# ---------------------------------------------------------------- ranges


def test_argument_orders_of_randint():
    assert random.randint(0, 5, 3, 1, np.int16).dtype == np.int16
    assert RandomState(0).randint(0, 5, 3, np.int16, 1).dtype == np.int16


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [
        (0, 256, np.uint8),
        (-(2**31), 2**31, np.int32),
        (0, 2**31, np.int32),
        (2**31 + 1, 2**32 - 1, np.uint32),
    ],
)
def test_randint_reaches_the_ends_of_its_type(low, high, dtype):
    sample = np.asarray(random.randint(low, high, 5000, dtype=dtype), float)
    assert sample.dtype == float
    assert low <= sample.min() < low + (high - low) / 100
    assert high - (high - low) / 100 - 1 < sample.max() < high


def test_random_integers_include_both_ends():
    assert set(random.random_integers(3, size=200).tolist()) == {1, 2, 3}
    assert set(random.random_integers(254, 255, 50, dtype=np.uint8).tolist()) == {254, 255}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: random.randint(3, 3), "`low` must be below `high`"),
        (lambda: random.randint(jnp.array([1, 5]), 3), "`low` must be below `high`"),
        (lambda: random.randint(0, 300, dtype=np.uint8), "does not fit into uint8"),
        (lambda: random.randint(0, 2**40), "does not fit into int32"),
        (lambda: random.bernoulli(1.5), r"`p` must lie in \[0, 1\]; found 1.5"),
        (lambda: random.bernoulli(np.nan), "`p` must lie"),
        (lambda: random.bernoulli(jnp.array([0.5, -0.5])), "`p` must lie"),
        (lambda: random.binomial(5, 1.5), "`p` must lie"),
        (lambda: random.binomial(-1, 0.5), "`n` must not be negative"),
        (lambda: random.geometric(-0.1), "`p` must lie"),
        (lambda: random.negative_binomial(3, 2.0), "`p` must lie"),
        (lambda: random.zipf(1.0), "`a` must be above 1"),
        (lambda: random.hypergeometric(2, 3, 6), "nor `nsample` above"),
        (lambda: random.normal(0.0, -1.0), "`scale` must not be negative; found -1.0"),
        (lambda: random.normal(0.0, -1.0 * u.mV / u.mV), "`scale` must not be negative"),
        (lambda: random.laplace(0.0 * u.mV, -1.0 * u.mV), "`scale` must not be negative"),
        (lambda: random.exponential(np.array([1.0, -2.0])), "`scale` must not be negative"),
        (lambda: random.gamma(-1.0, 2.0), "`shape` must not be negative"),
        (lambda: random.lognormal(0.0, -1.0), "`sigma` must not be negative"),
        (lambda: random.poisson(-1), "`lam` must not be negative"),
        (lambda: random.beta(-1.0, 2.0), "`a` must not be negative"),
        (lambda: random.t(-1.0), "`df` must not be negative"),
        (lambda: random.uniform(2.0, 1.0), "`low` must not be above `high`; found 2.0 and 1.0"),
        (lambda: random.truncated_normal(2.0, np.zeros(2)), "`lower` must not be above `upper`"),
        (lambda: random.triangular(0.0, 2.0, 1.0), "`mode` must not be above `right`"),
    ],
)
def test_values_out_of_range(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_ranges_are_checked_inside_transformations_where_known():
    with pytest.raises(ValueError, match="`p` must lie"):
        brainstate.transform.jit(lambda: random.bernoulli(np.array(1.5)))()
    known = jnp.array(1.5)
    with pytest.raises(ValueError, match="`p` must lie"):
        brainstate.transform.jit(lambda: random.bernoulli(known))()
    inside = brainstate.transform.jit(lambda p: random.bernoulli(p))
    assert bool(inside(1.5)) is True


# ---------------------------------------------------------------- functions and methods


def test_functions_name_their_parameters():
    for name in LAWS:
        function = inspect.signature(getattr(random, name)).parameters
        method = inspect.signature(getattr(RandomState, name)).parameters
        expected = [*method][1:]
        if name == "randint":
            expected = ["low", "high", "size", "key", "dtype"]
        assert [*function] == expected, name
        assert getattr(random, name).__doc__
    assert len(LAWS) == 57


def test_functions_draw_from_the_default_generator():
    with random.seed_context(3):
        assert (random.normal(size=4) == RandomState(3).normal(size=4)).all()


def test_functions_can_be_pickled():
    assert pickle.loads(pickle.dumps(random.gamma)) is random.gamma
    assert pickle.loads(pickle.dumps(random.DEFAULT)) is not random.DEFAULT


def test_default_probability_of_bernoulli():
    assert 400 < random.bernoulli(size=1000).sum() < 600
    with pytest.raises(TypeError):
        RandomState(0).bernoulli()


# ---------------------------------------------------------------- keys of a single draw


@pytest.mark.parametrize(
    "key", [5, np.int32(5), np.array([0, 5], np.uint32), jax.random.PRNGKey(5), jax.random.key(5)]
)
def test_explicit_key(key):
    before = np.asarray(random.get_key())
    sample = random.normal(size=4, key=key)
    np.testing.assert_array_equal(sample, jax.random.normal(jax.random.PRNGKey(5), (4,)))
    np.testing.assert_array_equal(random.get_key(), before)


@pytest.mark.parametrize(
    "draw",
    [
        lambda **key: random.wald(1.0, 2.0, **key),
        lambda **key: random.zipf(2.0, **key),
        lambda **key: random.noncentral_f(2.0, 3.0, 1.0, **key),
        lambda **key: random.logseries(0.99, **key),
        lambda **key: random.hypergeometric(500, 500, 300, **key),
    ],
)
def test_key_decides_and_spares_the_generator(draw):
    before = np.asarray(random.get_key())
    first = draw(size=50, key=1)
    np.testing.assert_array_equal(first, draw(size=50, key=1))
    assert (draw(size=50, key=2) != first).any()
    np.testing.assert_array_equal(random.get_key(), before)


def test_explicit_key_inside_plain_jax():
    sample = jax.jit(lambda key: random.normal(size=3, key=key))(jax.random.PRNGKey(1))
    np.testing.assert_array_equal(sample, random.normal(size=3, key=1))


def test_poisson_with_a_key_of_another_kind():
    sample = random.poisson(4.0, size=20_000, key=jax.random.key(0, impl="rbg"))
    assert float(sample.mean()) == pytest.approx(4, rel=0.03)
    assert float(sample.var()) == pytest.approx(4, rel=0.06)
    with jax.default_prng_impl("rbg"):
        raw = random.poisson(4.0, size=20_000, key=0)
    np.testing.assert_array_equal(raw, sample)
