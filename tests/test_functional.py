import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.special
import scipy.stats

import brainstate
import brainstate.functional as F

X = np.array([[-200.0, -2.0, -0.3, -0.0], [0.1, 0.3, 5.5, 89.0]])


def sigmoid(x):
    return scipy.special.expit(x)


def relu6(x):
    return np.clip(x, 0, 6)


def elu(x, alpha=1.0, scale=1.0):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / scale))


def glu(x):
    first, second = np.split(x, 2, axis=-1)
    return first * sigmoid(second)


# function, its value, arguments beside x
KEEPING_UNITS = [
    (F.relu, lambda x: np.maximum(x, 0)),
    (F.relu6, relu6),
    (F.leaky_relu, lambda x: np.where(x < 0, 0.01 * x, x)),
    (F.leaky_relu, lambda x: np.where(x < 0, 0.3 * x, x), 0.3),
    (F.elu, elu),
    (F.elu, lambda x: elu(x, 3.0), 3.0),
    (F.celu, elu),
    (F.celu, lambda x: elu(x, 2.0, 2.0), 2.0),
    (F.selu, lambda x: 1.0507009873554805 * elu(x, 1.6732632423543772)),
    (F.gelu, lambda x: x * scipy.stats.norm.cdf(x), False),
    (F.silu, lambda x: x * sigmoid(x)),
    (F.swish, lambda x: x * sigmoid(x)),
    (F.sigmoid, sigmoid),
    (F.log_sigmoid, lambda x: -np.logaddexp(-x, 0)),
    (F.hard_sigmoid, lambda x: relu6(x + 3) / 6),
    (F.hard_silu, lambda x: x * relu6(x + 3) / 6),
    (F.hard_swish, lambda x: x * relu6(x + 3) / 6),
    (F.sparse_sigmoid, lambda x: np.clip((x + 1) / 2, 0, 1)),
    (F.softplus, lambda x: np.logaddexp(x, 0)),
    (F.sparse_plus, lambda x: np.where(x < 1, np.maximum(x + 1, 0) ** 2 / 4, x)),
    (F.squareplus, lambda x: 2 / (np.hypot(x, 2) - x)),  # without cancellation
    (F.squareplus, lambda x: 0.5 / (np.hypot(x, 1) - x), 1),
    (F.soft_sign, lambda x: x / (1 + abs(x))),
    (F.hard_tanh, lambda x: np.clip(x, -1, 1)),
    (F.hard_tanh, lambda x: np.clip(x, -2, 0.5), -2.0, 0.5),
    (F.hard_shrink, lambda x: x * (abs(x) > 0.5)),
    (F.hard_shrink, lambda x: x * (abs(x) > 0.2), 0.2),
    (F.soft_shrink, lambda x: np.sign(x) * np.maximum(abs(x) - 0.5, 0)),
    (F.soft_shrink, lambda x: np.sign(x) * np.maximum(abs(x) - 0.2, 0), 0.2),
    (F.threshold, lambda x: np.where(x > 0.2, x, -7), 0.2, -7.0),
    (F.glu, glu),
    (F.softmax, lambda x: scipy.special.softmax(x, axis=-1)),
    (F.log_softmax, lambda x: scipy.special.log_softmax(x, axis=-1)),
]
OF_PLAIN_NUMBERS = [
    (F.tanh, np.tanh),
    (F.tanh_shrink, lambda x: x - np.tanh(x)),
    (F.mish, lambda x: x * np.tanh(np.logaddexp(x, 0))),
    (F.prelu, lambda x: np.where(x < 0, 0.25 * x, x)),
    (F.prelu, lambda x: np.where(x < 0, 0.5 * x, x), 0.5),
    (F.softmin, lambda x: scipy.special.softmax(-x, axis=-1)),
    (F.logsumexp, scipy.special.logsumexp),
]


def numbered(rows):
    names = [f"{fun.__name__}{list(options) or ''}" for fun, _, *options in rows]
    return pytest.mark.parametrize(("number", "row"), [*enumerate(rows)], ids=names)


def results(rows, x):
    """Of all functions, compiled at once."""
    return jax.jit(lambda x: [fun(x, *options) for fun, _, *options in rows])(x)


@pytest.fixture(scope="module")
def plain():
    return results(KEEPING_UNITS + OF_PLAIN_NUMBERS, jnp.asarray(X))


@pytest.fixture(scope="module")
def quantities():
    return results(KEEPING_UNITS, jnp.asarray(X) * u.mV)


@numbered(KEEPING_UNITS + OF_PLAIN_NUMBERS)
def test_values_and_types(number, row, plain):
    fun, truth, *options = row
    np.testing.assert_allclose(plain[number], truth(X), rtol=1e-4, atol=2e-5)
    for dtype in (jnp.float16, jnp.bfloat16):
        x = jax.ShapeDtypeStruct(X.shape, dtype)
        assert jax.eval_shape(lambda x: fun(x, *options), x).dtype == dtype


@numbered(KEEPING_UNITS)
def test_units_are_kept(number, row, quantities):
    assert quantities[number].unit == u.mV
    np.testing.assert_allclose(quantities[number].mantissa, row[1](X), rtol=1e-4, atol=2e-5)


@numbered(OF_PLAIN_NUMBERS)
def test_units_are_refused(number, row):
    with pytest.raises(TypeError, match="Quantity" if row[0] is F.logsumexp else "mV"):
        row[0](jnp.asarray(X) * u.mV, *row[2:])


def test_values_given_in_the_literature():
    """The tanh form of GELU, mish, SELU and the hard sigmoid."""
    x = jnp.array([-2.0, -0.3, 0.3, 2.0])
    for fun, values in (
        (F.gelu, [-0.045402, -0.114629, 0.185371, 1.954598]),
        (F.mish, [-0.252501, -0.151133, 0.208001, 1.943959]),
        (F.selu, [-1.520167, -0.455667, 0.315210, 2.101402]),
        (F.hard_sigmoid, [0.166667, 0.45, 0.55, 0.833333]),
    ):
        np.testing.assert_allclose(fun(x), values, atol=1e-6)
    assert F.gelu.__module__.startswith("brainstate.")


def test_limits_are_converted_to_the_unit():
    x = jnp.array([-3e-3, 2e-4, 7e-4]) * u.volt
    tanh = F.hard_tanh(x, -1.0 * u.mV, 0.5 * u.mV)
    np.testing.assert_allclose(tanh.to_decimal(u.mV), [-1.0, 0.2, 0.5], rtol=1e-6)
    shrunk = F.soft_shrink(x, 0.5 * u.mV)
    np.testing.assert_allclose(shrunk.to_decimal(u.mV), [-2.5, 0.0, 0.2], rtol=1e-5)
    hard = F.hard_shrink(x, 0.5 * u.mV)
    np.testing.assert_allclose(hard.to_decimal(u.mV), [-3.0, 0.0, 0.7], rtol=1e-6)
    above = F.threshold(x, 0.5 * u.mV, 1.0 * u.mV)
    np.testing.assert_allclose(above.to_decimal(u.mV), [1.0, 1.0, 0.7], rtol=1e-6)
    with pytest.raises(u.UnitMismatchError, match="lambd"):
        F.hard_shrink(x, 0.5 * u.mA)
    with pytest.raises(u.UnitMismatchError, match="max_val"):
        F.hard_tanh(jnp.ones(2), max_val=0.5 * u.mV)


def test_random_slopes():
    brainstate.random.seed(0)
    x = jnp.full((2000,), -2.0).at[0].set(3.0)
    first, second = F.rrelu(x), F.rrelu(x)
    assert first[0] == 3.0
    assert not np.array_equal(first, second)
    slopes = np.asarray(first[1:]) / -2
    assert scipy.stats.kstest(slopes, scipy.stats.uniform(1 / 8, 1 / 3 - 1 / 8).cdf).pvalue > 1e-3
    out = F.rrelu(jnp.full((9,), -1.0, jnp.bfloat16) * u.mV, 0.5, 0.5)
    assert out.unit == u.mV
    assert (out.mantissa == -0.5).all()
    assert out.mantissa.dtype == jnp.bfloat16


@pytest.mark.parametrize("axis", [-1, 0, (0, 1), None])
def test_standardize(axis):
    x = np.random.default_rng(0).normal(1000.0, 2.0, (6, 8))
    kept = {"axis": axis, "keepdims": True}
    expected = (x - x.mean(**kept)) / np.sqrt(x.var(**kept) + 0.5)
    found = F.standardize(jnp.asarray(x), axis, epsilon=0.5)
    np.testing.assert_allclose(found, expected, atol=1e-3)  # no loss through the large mean
    assert F.standardize(jnp.asarray(x) * u.mV, axis).unit == u.mV
    by_four = F.standardize(jnp.asarray(x), axis, 4.0, 0.0)
    np.testing.assert_allclose(by_four, (x - x.mean(**kept)) / 2, atol=1e-3)
    by_four = F.standardize(jnp.asarray(x) * u.mV, axis, 4.0e-6 * u.volt**2, 0.0)
    np.testing.assert_allclose(by_four.mantissa, (x - x.mean(**kept)) / 2, atol=1e-3)
    where = x > 999
    masked = np.ma.array(x, mask=~where)
    expected = (x - masked.mean(**kept)) / np.ma.sqrt(masked.var(**kept) + 1e-5)
    found = F.standardize(jnp.asarray(x), axis, where=where)
    np.testing.assert_allclose(found, np.asarray(expected), atol=5e-3)


def test_one_hot():
    labels = [[0, 2], [-1, 3]]
    expected = np.array([[[1, 0, 0], [0, 0, 1]], [[0, 0, 0], [0, 0, 0]]])
    np.testing.assert_array_equal(F.one_hot(labels, 3), expected)
    np.testing.assert_array_equal(F.one_hot(labels, 3, axis=0), np.moveaxis(expected, -1, 0))
    assert F.one_hot(labels, 3).dtype == jnp.float32
    assert F.one_hot(labels, 3, dtype=jnp.int8).dtype == jnp.int8
    with brainstate.environ.context(precision=16):
        assert F.one_hot(labels, 3).dtype == jnp.bfloat16


def test_glu_needs_an_even_axis():
    with pytest.raises(ValueError, match=r"odd.*\(2, 3\)"):
        F.glu(jnp.ones((2, 3)))


LOGIC = {
    "or": np.logical_or,
    "and": np.logical_and,
    "xor": np.logical_xor,
    "ixor": np.logical_xor,
    "iand": lambda x, y: ~x & y,
}


@pytest.mark.parametrize("op", LOGIC)
def test_spike_logic(op):
    x, y = np.array([False, False, True, True]), np.array([False, True, False, True])
    fun = getattr(F, f"spike_bitwise_{op}")
    for cast in (lambda z: jnp.asarray(z, jnp.float32), jnp.asarray):
        found = fun(cast(x), cast(y))
        assert found.dtype == jnp.float32
        np.testing.assert_array_equal(found, LOGIC[op](x, y))
        np.testing.assert_array_equal(F.spike_bitwise(cast(x), cast(y), op), found)
    # linear in each argument: the slope is the difference of what 1 and 0 give
    slope = jax.vmap(jax.grad(fun))(jnp.asarray(x, float), jnp.asarray(y, float))
    ones = np.ones(4, bool)
    np.testing.assert_array_equal(slope, LOGIC[op](ones, y) * 1.0 - LOGIC[op](~ones, y))


def test_spike_not_and_wrong_operations():
    np.testing.assert_array_equal(F.spike_bitwise_not(jnp.array([True, False])), [0.0, 1.0])
    with pytest.raises(ValueError, match=r"'or', 'and', 'iand', 'xor', 'ixor'.*'add'"):
        F.spike_bitwise(1.0, 0.0, "add")


def test_softmax_over_all_and_over_a_part():
    mild = X / 100
    over_all = F.softmax(jnp.asarray(mild), axis=None)
    np.testing.assert_allclose(over_all, scipy.special.softmax(mild), rtol=1e-5)
    where = np.array([True, False, True, True])
    inside = scipy.special.softmax(X[:, where], axis=-1)
    out = F.softmax(jnp.asarray(X), where=where)
    np.testing.assert_allclose(out[:, where], inside, rtol=1e-5, atol=1e-30)
    assert (out[:, 1] == 0).all()
    assert np.isneginf(F.log_softmax(jnp.asarray(X), where=where)[:, 1]).all()


TREE = {"w": np.arange(6.0).reshape(1, 2, 3), "b": (np.array([-3.0, 4.0]), np.float64(2.0))}


@pytest.mark.parametrize("max_norm", [0.5, 3.0, 100.0])
def test_clipping_agrees_with_optax(max_norm):
    tree = {
        key: jnp.asarray(TREE[key]) if key == "w" else jnp.asarray(TREE[key][0]) for key in TREE
    }
    expected, _ = optax.clip_by_global_norm(max_norm).update(tree, None)
    found, norm = F.clip_grad_norm(tree, max_norm, return_norm=True)
    np.testing.assert_allclose(
        norm, np.sqrt(sum((leaf**2).sum() for leaf in tree.values())), rtol=1e-6
    )
    for key in tree:
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-5)


@pytest.mark.parametrize("order", [None, 1, 2, 3, jnp.inf])
def test_clipping_by_other_norms_looks_at_all_numbers(order):
    numbers = np.concatenate([np.ravel(TREE["w"]), TREE["b"][0], [TREE["b"][1]]])
    norm = np.linalg.norm(numbers, order)
    found = F.clip_grad_norm(TREE, norm / 2, norm_type=order)
    np.testing.assert_allclose(found["w"], TREE["w"] / 2, rtol=1e-5)
    np.testing.assert_allclose(found["b"][1], TREE["b"][1] / 2, rtol=1e-5)
    same = F.clip_grad_norm(TREE, norm * 2, norm_type=order)
    np.testing.assert_array_equal(same["w"], TREE["w"].astype(np.float32))


def test_clipping_keeps_units_types_and_empty_trees():
    out = F.clip_grad_norm({"w": jnp.array([3.0, 4.0], jnp.bfloat16) * u.mV}, 1.0)["w"]
    assert out.unit == u.mV
    assert out.mantissa.dtype == jnp.bfloat16
    np.testing.assert_allclose(out.mantissa.astype(float), [0.6, 0.8], rtol=1e-2)
    assert F.clip_grad_norm({}, 1.0) == {}
