import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import brainstate
from brainstate import init

FANS = {
    "Kaiming": (2.0, "fan_in"),
    "Xavier": (1.0, "fan_avg"),
    "Lecun": (1.0, "fan_in"),
}
SCALED = [
    (f"{name}{law}", scale, mode, distribution)
    for name, (scale, mode) in FANS.items()
    for law, distribution in [("Uniform", "uniform"), ("Normal", "truncated_normal")]
]


# ---------------------------------------------------------------- values


@pytest.mark.parametrize("shape", [3, (3,), [2, 3], ()])
def test_constants(shape):
    size = init.to_size(shape)
    np.testing.assert_array_equal(init.ZeroInit()(shape), np.zeros(size))
    np.testing.assert_array_equal(init.Constant(2.5)(shape), np.full(size, 2.5))


def test_constants_with_units_and_types():
    zeros = init.ZeroInit(unit=u.mV)((2,))
    assert zeros.unit == u.mV
    assert init.ZeroInit(unit=u.UNITLESS)((2,)).shape == (2,)
    rest = init.Constant(-65.0 * u.mV)((2, 3))
    assert rest.shape == (2, 3)
    np.testing.assert_allclose(rest.to_decimal(u.volt), -65e-3, rtol=1e-6)
    assert init.Constant(2)((2,)).dtype == jnp.float32
    assert init.ZeroInit()((2,), jnp.int32).dtype == jnp.int32
    np.testing.assert_array_equal(init.Constant(np.arange(3.0))((2, 3)), [[0, 1, 2]] * 2)


def test_identity():
    np.testing.assert_array_equal(init.Identity(2.0)((2, 3)), 2 * np.eye(2, 3))
    np.testing.assert_array_equal(init.Identity()(3), np.eye(3))
    assert init.Identity(1.0, unit=u.mS)((2, 2)).unit == u.mS
    with pytest.raises(ValueError, match=r"\(2, 2, 2\)"):
        init.Identity()((2, 2, 2))


LAWS = [
    (init.Normal(1.0, 2.0, seed=0), scipy.stats.norm(1, 2)),
    (init.Uniform(-1.0, 3.0, seed=0), scipy.stats.uniform(-1, 4)),
    (init.TruncatedNormal(1.0, 2.0, seed=0), scipy.stats.truncnorm(-2, 2, 1, 2)),
    (init.TruncatedNormal(1.0, 2.0, lower=0.0, seed=0), scipy.stats.truncnorm(-0.5, 2, 1, 2)),
    (init.TruncatedNormal(0.0, 1.0, upper=0.5, seed=0), scipy.stats.truncnorm(-2, 0.5)),
    (init.Gamma(2.0, scale=3.0, seed=0), scipy.stats.gamma(2, scale=3)),
    (init.Exponential(4.0, seed=0), scipy.stats.expon(scale=4)),
]


@pytest.mark.parametrize(("initializer", "law"), LAWS)
def test_random_laws(initializer, law):
    sample = np.asarray(initializer((50, 100)), np.float64).ravel()
    assert scipy.stats.kstest(sample, law.cdf).pvalue > 1e-3


@pytest.mark.parametrize(("name", "scale", "mode", "distribution"), SCALED)
def test_variance_scaling_is_that_of_jax(name, scale, mode, distribution):
    shape = (3, 4, 20, 30)
    key = brainstate.random.RandomState(3).split_key()
    theirs = jax.nn.initializers.variance_scaling(scale, mode, distribution)(key, shape)
    np.testing.assert_allclose(getattr(init, name)(seed=3)(shape), theirs, rtol=1e-6)


@pytest.mark.parametrize("distribution", ["uniform", "normal", "truncated_normal"])
@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
def test_variance_follows_the_fan(mode, distribution):
    fan = {"fan_in": 100, "fan_out": 400, "fan_avg": 250}[mode]
    w = init.VarianceScaling(3.0, mode, distribution, seed=0)((100, 400))
    np.testing.assert_allclose(np.var(w), 3.0 / fan, rtol=0.03)
    swapped = init.VarianceScaling(3.0, mode, distribution, in_axis=1, out_axis=0, seed=0)
    np.testing.assert_allclose(np.var(swapped((400, 100))), 3.0 / fan, rtol=0.03)


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 5)])
def test_orthogonal(shape):
    q = np.asarray(init.Orthogonal(scale=2.0)(shape)) / 2
    smaller = q @ q.T if shape[0] <= shape[1] else q.T @ q
    np.testing.assert_allclose(smaller, np.eye(min(shape)), atol=1e-5)


def test_orthogonal_in_16_bits():
    with brainstate.environ.context(precision=16):
        q = init.Orthogonal()((4, 6))
    assert q.dtype == jnp.bfloat16
    np.testing.assert_allclose(np.float32(q) @ np.float32(q).T, np.eye(4), atol=0.02)


def test_orthogonal_along_another_axis_and_at_the_centre():
    q = np.asarray(init.Orthogonal(axis=0)((3, 2, 4))).reshape(3, 8)
    np.testing.assert_allclose(q @ q.T, np.eye(3), atol=1e-5)
    kernel = np.array(init.DeltaOrthogonal()((3, 5, 2, 4)))
    np.testing.assert_allclose(kernel[1, 2] @ kernel[1, 2].T, np.eye(2), atol=1e-5)
    kernel[1, 2] = 0
    assert not kernel.any()


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (init.KaimingNormal, (3,)),
        (init.Orthogonal, (3,)),
        (init.DeltaOrthogonal, (2, 3)),
        (init.DeltaOrthogonal, (3, 4, 2)),
    ],
)
def test_shapes_that_do_not_fit(make, shape):
    with pytest.raises(ValueError, match=str(shape)[1:-1]):
        make()(shape)


def test_wrong_choices_are_named():
    with pytest.raises(ValueError, match=r"`mode`.*'fan_up'"):
        init.VarianceScaling(1.0, "fan_up", "normal")
    with pytest.raises(ValueError, match="`distribution`"):
        init.VarianceScaling(1.0, "fan_in", "cauchy")
    with pytest.raises(ValueError, match="nonlinearity"):
        init.calculate_gain("cosine")


def test_gains():
    assert init.calculate_gain("relu") == pytest.approx(2**0.5)
    assert init.calculate_gain("leaky_relu", 0.2) == pytest.approx((2 / 1.04) ** 0.5)
    assert init.calculate_gain("tanh") == pytest.approx(5 / 3)


# ---------------------------------------------------------------- generators


RANDOM = [
    init.Normal,
    init.Uniform,
    init.TruncatedNormal,
    init.Exponential,
    init.KaimingNormal,
    init.XavierUniform,
    init.Orthogonal,
]


@pytest.mark.parametrize("make", RANDOM)
def test_draws_differ_and_seeds_repeat(make):
    brainstate.random.seed(0)
    default = make()
    a, b = default((4, 5)), default((4, 5))
    assert not np.array_equal(a, b)
    brainstate.random.seed(0)
    np.testing.assert_array_equal(make()((4, 5)), a)
    own = make(seed=7)
    c, d = own((4, 5)), own((4, 5))
    assert not np.array_equal(c, d)
    np.testing.assert_array_equal(make(seed=7)((4, 5)), c)


@pytest.mark.parametrize("make", RANDOM)
def test_units_and_types(make):
    out = make(unit=u.nS)((4, 5))
    assert out.unit == u.nS
    assert make()((4, 5)).dtype == jnp.float32
    with brainstate.environ.context(precision=64):
        assert make()((4, 5)).dtype == jnp.float64


def test_a_seed_of_its_own_leaves_the_default_generator_alone():
    key = brainstate.random.get_key()
    init.KaimingNormal(seed=0)((3, 3))
    np.testing.assert_array_equal(brainstate.random.get_key(), key)


def test_parameters_with_units():
    sample = init.Normal(-65.0 * u.mV, 5.0 * u.mV, seed=0)((1000,))
    assert abs(sample.to_decimal(u.mV).mean() + 65) < 1
    sample = init.TruncatedNormal(0.0 * u.mV, 1.0 * u.mV, lower=0.0 * u.volt, seed=0)((100,))
    assert sample.unit == u.mV
    assert (sample.mantissa > 0).all()
    with pytest.raises(u.UnitMismatchError, match="scale"):
        init.TruncatedNormal(0.0 * u.mV, 1.0)((100,))


def test_lanes_draw_their_own_numbers():
    w = brainstate.augment.vmap(lambda x: init.KaimingNormal()((2, 3)))(jnp.arange(4))
    assert len({row.tobytes() for row in np.asarray(w)}) == 4


def test_compiled_draws_are_the_eager_ones():
    make = init.XavierNormal()
    brainstate.random.seed(0)
    eager = [make((2, 3)), make((2, 3))]
    brainstate.random.seed(0)
    compiled = brainstate.compile.jit(lambda: make((2, 3)))
    for expected in eager:
        np.testing.assert_allclose(compiled(), expected, rtol=1e-6)


def test_repr_lists_the_parameters():
    assert repr(init.Normal(0.0, 2.0)) == "Normal(\n  mean=0.0,\n  scale=2.0\n)"


def test_own_initializers_and_missing_shapes():
    with pytest.raises(NotImplementedError, match="_number"):
        init.Initializer()((2,))
    with pytest.raises(ValueError, match="shape"):
        init.ZeroInit()(None)


# ---------------------------------------------------------------- helpers


@pytest.mark.parametrize(
    ("given_size", "size"),
    [(3, (3,)), (np.int64(3), (3,)), ((2, np.int32(3)), (2, 3)), ([2, 3], (2, 3)), (None, None)],
)
def test_sizes(given_size, size):
    assert init.to_size(given_size) == size


@pytest.mark.parametrize("wrong", ["3", 3.0, (2, 3.0), {2}, jnp.ones(2)])
def test_sizes_that_are_none(wrong):
    with pytest.raises(ValueError, match="size"):
        init.to_size(wrong)


@pytest.mark.parametrize("scalar", [2, 2.0, np.float32(2), jnp.float32(2), 2.0 * u.mV])
def test_scalars_stay_as_they_are(scalar):
    assert init.param(scalar, (2, 3)) is scalar
    assert init.param(scalar, (2, 3), batch_size=4) is scalar
    with pytest.raises(ValueError, match="scalar"):
        init.param(scalar, (2, 3), allow_scalar=False)


def test_functions_get_the_shape():
    assert init.param(lambda shape: shape, 3) == (3,)
    assert init.param(lambda shape: shape, (2, 3), batch_size=4) == (4, 2, 3)


@given(
    shape=st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple),
    drop=st.integers(0, 2),
    ones=st.lists(st.booleans(), min_size=3, max_size=3),
    batch=st.none() | st.integers(1, 4),
)
def test_arrays_broadcast_to_the_layer(shape, drop, ones, batch):
    found = tuple(1 if one else n for n, one in zip(shape, ones, strict=False))[drop:]
    if not found:
        return
    array = np.arange(np.prod(found), dtype=float).reshape(found)
    out = init.param(array, shape, batch_size=batch)
    if batch is None:
        assert out is array
    else:
        assert out.shape[0] == batch
        expected = np.broadcast_to(array, (batch, *shape))
        np.testing.assert_array_equal(np.broadcast_to(out, (batch, *shape)), expected)


def test_arrays_with_their_own_batch_axis():
    array = jnp.arange(12.0).reshape(4, 3) * u.mV
    assert init.param(array, 3, batch_size=4) is array
    with pytest.raises(ValueError, match=r"batch_size=5"):
        init.param(array, 3, batch_size=5)
    assert init.param(jnp.arange(3.0), (2, 3), batch_size=4).shape == (4, 1, 3)


@pytest.mark.parametrize("wrong", [np.ones(2), np.ones((2, 3)), np.ones((3, 3))])
def test_arrays_that_do_not_fit(wrong):
    with pytest.raises(ValueError, match=r"does not fit a layer of shape \(3,\)"):
        init.param(wrong, 3)


def test_none_lists_and_unknown_sizes():
    assert init.param(None, 3) is None
    with pytest.raises(ValueError, match="needed"):
        init.param(None, 3, allow_none=False)
    with pytest.raises(ValueError, match="a number, an array"):
        init.param([1.0, 2.0, 3.0], 3)
    with pytest.raises(ValueError, match="size of the layer"):
        init.param(jnp.zeros, None)


def test_a_state_gives_a_state_of_its_class():
    given_state = brainstate.ParamState(jnp.arange(3.0), name="w")
    out = init.param(given_state, 3, batch_size=2)
    assert type(out) is brainstate.ParamState
    assert out is not given_state
    assert out.name == "w"
    np.testing.assert_array_equal(out.value, [[0, 1, 2]] * 2)


def test_states():
    assert init.state(jnp.zeros, 3, batch_size=2).value.shape == (2, 3)
    assert init.state(np.ones(3)).value.shape == (3,)
    batched = init.state(np.arange(3.0) * u.mV, 3, batch_size=2).value
    np.testing.assert_array_equal(batched.mantissa, [[0, 1, 2]] * 2)
    with pytest.raises(ValueError, match=r"\(3,\); expected \(4,\)"):
        init.state(np.ones(3), 4)
    with pytest.raises(ValueError, match="sizes"):
        init.state(jnp.zeros)


def test_noise():
    def own(t):
        return t

    assert init.noise(None, 3) is None
    assert init.noise(own, 3) is own
    assert init.noise(0.5, 3)(1, 2, a=3) == 0.5
    assert init.noise(0.5, 3, num_vars=3, noise_idx=2)() == (None, None, 0.5)
