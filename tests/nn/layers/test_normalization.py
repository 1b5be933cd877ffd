import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import init, nn
from brainstate import transform as bt

BATCH_NORMS = [nn.BatchNorm0d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d]


def fit(value):
    return brainstate.environ.context(fit=value)


def numbers(*shape, mean=3.0):
    return np.random.default_rng(0).normal(mean, 2.0, shape).astype(np.float32)


def standardized(x, axes, epsilon):
    x = np.asarray(x, np.float64)
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(var + epsilon)


@pytest.mark.parametrize("spatial", range(4))
def test_batch_norm(spatial):
    size = (4, 3, 2, 5)[3 - spatial :]
    layer = BATCH_NORMS[spatial](size, momentum=0.8, scale_initializer=2.0, bias_initializer=0.5)
    assert layer.num_spatial_dims == spatial
    assert layer.in_size == layer.out_size == size
    shape = (1,) * spatial + (5,)
    assert {k: v.shape for k, v in layer.weight.value.items()} == {"bias": shape, "scale": shape}
    x, axes = numbers(6, *size), tuple(range(spatial + 1))
    mean, var = np.zeros(5), np.ones(5)
    for shift in (0.0, 10.0):
        with fit(True):
            found = bt.jit(layer)(x + shift)
        np.testing.assert_allclose(found, 2 * standardized(x, axes, 1e-5) + 0.5, atol=1e-4)
        mean = 0.8 * mean + 0.2 * (x + shift).mean(axes)
        var = 0.8 * var + 0.2 * x.var(axes)
    np.testing.assert_allclose(layer.running_mean.value.ravel(), mean, rtol=1e-5)
    np.testing.assert_allclose(layer.running_var.value.ravel(), var, rtol=1e-5)
    assert isinstance(layer.running_mean, brainstate.LongTermState)
    with fit(False):
        ys = bt.jit(lambda: (layer(x), layer(x[0])))()
        for part, y in zip((x, x[0]), ys, strict=True):
            expected = 2 * (part - mean) / np.sqrt(var + 1e-5) + 0.5
            np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.running_mean.value.ravel(), mean, rtol=1e-5)


def test_batch_norm_without_running_statistics_uses_the_batch():
    layer = nn.BatchNorm0d(3, track_running_stats=False, affine=False)
    assert not layer.states()
    x = numbers(8, 3)
    np.testing.assert_allclose(layer(x), standardized(x, 0, 1e-5), atol=1e-5)
    assert list(nn.BatchNorm0d(3, track_running_stats=False).states()) == [("weight",)]


def test_batch_norm_keeps_digits_where_the_mean_is_large():
    x = numbers(100, 2, mean=1e4)
    with fit(True):
        found = bt.jit(nn.BatchNorm0d(2))(x)
    np.testing.assert_allclose(found, standardized(x, 0, 1e-5), atol=5e-3)


@pytest.mark.parametrize("feature_axis", [0, (0, -1)])
def test_batch_norm_over_other_axes(feature_axis):
    layer = nn.BatchNorm1d((4, 3), feature_axis)
    x = numbers(5, 4, 3)
    features = {0: (1,), 1: (2,), (0, -1): (1, 2)}[feature_axis]
    axes = tuple(i for i in range(3) if i not in features)
    with fit(True):
        found = bt.jit(layer)(x)
    np.testing.assert_allclose(found, standardized(x, axes, 1e-5), atol=1e-5)
    assert layer.running_mean.value.shape == tuple(
        n if i + 1 in features else 1 for i, n in enumerate((4, 3))
    )


def test_lanes_with_a_name_are_one_batch():
    """Values, running statistics and gradients are those of a batch."""
    x = numbers(4, 6, 3)
    lanes = nn.BatchNorm0d(3, axis_name="lanes", scale_initializer=2.0)
    whole = nn.BatchNorm0d(3, scale_initializer=2.0)

    def run(layer, function):
        with fit(True):
            return bt.jit(bt.grad(function, layer.weight, has_aux=True, return_value=True))()

    def loss_in_lanes():
        y = bt.vmap(lanes, axis_name="lanes")(x)
        return jnp.sum(jnp.sin(y)), y

    def loss_of_batch():
        y = whole(x)
        return jnp.sum(jnp.sin(y)), y

    found, expected = run(lanes, loss_in_lanes), run(whole, loss_of_batch)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), found, expected)
    np.testing.assert_allclose(found[2], 2 * standardized(x, (0, 1), 1e-5), atol=1e-4)
    for name in ("running_mean", "running_var"):
        state, other = getattr(lanes, name).value, getattr(whole, name).value
        np.testing.assert_allclose(state, other, rtol=1e-5)
        assert state.shape == (3,)
    with fit(False):  # no lanes are needed then
        np.testing.assert_allclose(lanes(x), whole(x), rtol=1e-4, atol=1e-5)


def test_lanes_without_a_name_may_not_share_running_statistics():
    layer = nn.BatchNorm1d((6, 3))
    with fit(True), pytest.raises(brainstate.util.BatchAxisError, match="running_mean"):
        bt.vmap(layer)(numbers(4, 6, 3))


@pytest.mark.parametrize(("axes", "fast"), [(-1, True), (0, False), ((0, 1), True)])
def test_layer_norm(axes, fast):
    with brainstate.environ.context(precision=64):
        layer = nn.LayerNorm(
            (4, 3), axes, (0, 1), epsilon=0.1, use_fast_variance=fast,
            bias_init=init.Normal(), scale_init=init.Normal(),
        )  # fmt: skip
        x = numbers(2, 5, 4, 3).astype(np.float64)
        found = np.asarray(bt.jit(layer)(x))
        weight = jax.tree.map(np.asarray, layer.weight.value)
    over = tuple(axis + 2 for axis in np.atleast_1d(np.arange(-2, 0)[np.asarray(axes)]) + 2)
    expected = standardized(x, over, 0.1) * weight["scale"] + weight["bias"]
    assert weight["scale"].shape == (4, 3)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_rms_norm():
    x = numbers(5, 4, 3)
    scale = np.arange(3.0)
    expected = x / np.sqrt((x**2).mean(-1, keepdims=True) + 0.1) * scale
    layer = nn.RMSNorm((4, 3), epsilon=0.1, scale_init=scale)
    np.testing.assert_allclose(bt.jit(layer)(x), expected, rtol=1e-5)
    assert list(layer.weight.value) == ["scale"]
    over_both = x / np.sqrt((x**2).mean((1, 2), keepdims=True) + 0.1)
    plain = nn.RMSNorm((4, 3), epsilon=0.1, use_scale=False, reduction_axes=(0, 1))
    np.testing.assert_allclose(plain(x), over_both, rtol=1e-5)
    assert not plain.states()


@pytest.mark.parametrize(
    ("feature_axis", "groups"), [(-1, {"num_groups": 2}), (0, {"group_size": 3})]
)
def test_group_norm(groups, feature_axis):
    size = (4, 6) if feature_axis == -1 else (6, 4)
    layer = nn.GroupNorm(size, feature_axis, scale_init=2.0, epsilon=0.1, **groups)
    x = numbers(3, *size)
    channels_last = np.moveaxis(x, feature_axis if feature_axis < 0 else feature_axis + 1, -1)
    parts = [standardized(part, (1, 2), 0.1) for part in np.split(channels_last, 2, -1)]
    expected = 2 * np.moveaxis(np.concatenate(parts, -1), -1, -1 if feature_axis else 1)
    np.testing.assert_allclose(bt.jit(layer)(x), expected, atol=1e-5)
    assert layer.num_groups == 2


def test_types_of_results():
    half = jnp.ones((2, 3), jnp.bfloat16)
    assert nn.LayerNorm(3)(half).dtype == jnp.float32
    assert nn.LayerNorm(3, dtype=jnp.bfloat16)(half).dtype == jnp.bfloat16
    assert nn.LayerNorm(3)(np.ones((2, 3), int)).dtype == jnp.float32
    with brainstate.environ.context(precision=16, fit=True):
        layer = nn.BatchNorm0d(3)
        assert layer(half).dtype == jnp.bfloat16
        assert layer.running_mean.value.dtype == jnp.float32  # small steps would vanish


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.BatchNorm2d((3, 4)), "BatchNorm2d must have 3 elements"),
        (lambda: nn.BatchNorm0d(()), "in_size"),
        (lambda: nn.BatchNorm1d((3, 4), feature_axis=2), "`feature_axes` is 2.*2 axes"),
        (lambda: nn.LayerNorm(3, reduction_axes=(0, 1)), "`reduction_axes` is 1.*1 axes"),
        (lambda: nn.GroupNorm(6), "6 channels.*num_groups=32"),
        (lambda: nn.GroupNorm(6, group_size=4), "6 channels.*group_size=4"),
        (lambda: nn.RMSNorm(3)(jnp.ones(4)), r"RMSNorm takes.*\(\.\.\., 3\); found \(4,\)"),
    ],
)
def test_what_does_not_fit(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_other_errors():
    with pytest.raises(KeyError, match="fit"):
        nn.BatchNorm0d(3)(jnp.ones((2, 3)))
    with pytest.raises(TypeError, match=r"LayerNorm takes plain numbers.*mV"):
        nn.LayerNorm(3)(jnp.ones(3) * u.mV)
