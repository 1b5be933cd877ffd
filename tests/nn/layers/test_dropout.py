import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import brainstate
from brainstate import nn
from brainstate import transform as bt

CHANNELS = [nn.Dropout1d, nn.Dropout2d, nn.Dropout3d]


def fit(value=True):
    return brainstate.environ.context(fit=value)


def plausible(kept, total, prob):
    return scipy.stats.binomtest(int(kept), int(total), prob).pvalue > 1e-3


def test_dropout_keeps_with_the_probability_given():
    brainstate.random.seed(0)
    layer = nn.Dropout(0.8)
    x = jnp.arange(1.0, 2001.0)
    with fit():
        first, second = bt.jit(lambda: (layer(x), layer(x)))()
    kept = first != 0
    np.testing.assert_allclose(first[kept], x[kept] / 0.8, rtol=1e-6)
    assert plausible(kept.sum(), x.size, 0.8)
    assert (kept != (second != 0)).any()
    with fit(False):
        np.testing.assert_array_equal(layer(x), x)


def test_extremes_and_their_slopes():
    x = jnp.arange(3.0)
    with fit():
        np.testing.assert_array_equal(nn.Dropout(1.0)(x), x)
        np.testing.assert_array_equal(nn.Dropout(0.0)(x), np.zeros(3))
        slope = bt.grad(lambda x: nn.Dropout(0.0)(x).sum())(x)
    np.testing.assert_array_equal(slope, np.zeros(3))


@pytest.mark.parametrize("dims", [(-2,), (0, 2)])
def test_numbers_along_broadcast_dims_fall_together(dims):
    brainstate.random.seed(0)
    with fit():
        y = np.asarray(bt.jit(nn.Dropout(0.5, broadcast_dims=dims))(jnp.ones((20, 3, 20))))
    np.testing.assert_array_equal(y, np.broadcast_to(y.mean(dims, keepdims=True), y.shape))
    assert len(np.unique(y)) == 2


@pytest.mark.parametrize(("n", "channel_axis"), [(1, -1), (2, 0), (3, -1)])
def test_channels_fall_together(n, channel_axis):
    """Of each item of a batch by itself."""
    brainstate.random.seed(0)
    layer = CHANNELS[n - 1](0.7, channel_axis)
    assert layer.minimal_dim == n + 1
    shape = [3] * n
    shape.insert(0 if channel_axis == 0 else n, 40)
    with fit():
        single, batch = bt.jit(lambda: (layer(jnp.ones(shape)), layer(jnp.ones((10, *shape)))))()
    for y, lead in ((np.asarray(single), 0), (np.asarray(batch), 1)):
        channels = channel_axis + lead if channel_axis == 0 else y.ndim - 1
        axes = tuple(i for i in range(lead, y.ndim) if i != channels)
        masks = y.max(axes)
        np.testing.assert_array_equal(masks, y.min(axes))
        np.testing.assert_allclose(np.unique(masks), [0, 1 / 0.7], rtol=1e-6)
    assert plausible((masks > 0).sum(), masks.size, 0.7)
    assert (masks[0] != masks[1]).any()


SELU_LOW = -1.0507009873554805 * 1.6732632423543772


@pytest.mark.parametrize(("kind", "prob"), [(nn.AlphaDropout, 0.3), (nn.FeatureAlphaDropout, 0.8)])
def test_alpha_dropout_keeps_mean_and_variance(kind, prob):
    brainstate.random.seed(0)
    x = jax.random.normal(jax.random.key(0), (50, 40, 20))
    with fit():
        y = np.asarray(bt.jit(kind(prob))(x))
    np.testing.assert_allclose(y.mean(), 0, atol=0.1)
    np.testing.assert_allclose(y.std(), 1, atol=0.1)
    # a line through the kept ones, one value for the others
    a = (prob + SELU_LOW**2 * prob * (1 - prob)) ** -0.5
    b = -a * (1 - prob) * SELU_LOW
    low = np.isclose(y, a * SELU_LOW + b, rtol=1e-5)
    np.testing.assert_allclose(y[~low], a * np.asarray(x)[~low] + b, rtol=1e-4, atol=1e-5)
    if kind is nn.FeatureAlphaDropout:
        assert (low == low[:, :1]).all()
        low = low[:, 0]
    assert plausible((~low).sum(), low.size, prob)
    with fit(False):
        assert kind(prob)(x) is x


def test_one_mask_for_a_run():
    brainstate.random.seed(0)
    layer = nn.init_all_states(nn.DropoutFixed(500, 0.6))
    x = jnp.arange(1.0, 501.0)
    with fit():
        run = bt.for_loop(lambda i: layer(x + i), jnp.arange(3.0))
        kept = run[0] != 0
        for i, y in enumerate(run):
            np.testing.assert_allclose(y, np.where(kept, (x + i) / 0.6, 0), rtol=1e-6)
        assert plausible(kept.sum(), 500, 0.6)
        nn.reset_all_states(layer)
        assert ((layer(x) != 0) != kept).any()
        nn.init_all_states(layer, 3)
        masks = layer(jnp.ones((3, 500))) != 0
        assert (masks[0] != masks[1]).any()
        with pytest.raises(ValueError, match=r"a mask of shape \(3, 500\).*\(500,"):
            layer(x)
    assert isinstance(layer.mask, brainstate.ShortTermState)
    with fit(False):
        assert layer(x) is x


def test_units_and_types():
    x = jnp.array([1.0, -2.0], jnp.bfloat16)
    fixed = nn.init_all_states(nn.DropoutFixed(2, 0.5))
    with fit():
        for layer in (nn.Dropout(0.5), nn.AlphaDropout(0.5), fixed):
            out = bt.jit(layer)(x * u.mV)
            assert out.unit == u.mV
            assert out.mantissa.dtype == jnp.bfloat16


@pytest.mark.parametrize("prob", [-0.1, 1.5])
@pytest.mark.parametrize("kind", [nn.Dropout, nn.Dropout2d, nn.AlphaDropout])
def test_probabilities_are_checked(kind, prob):
    with pytest.raises(ValueError, match=f"`prob`, the probability to keep.*{prob}"):
        kind(prob)


def test_other_errors():
    with pytest.raises(KeyError, match="fit"):
        nn.Dropout(0.5)(jnp.ones(3))
    with pytest.raises(ValueError, match="above 0"):
        nn.AlphaDropout(0.0)
    with pytest.raises(ValueError, match="channel_axis"):
        nn.Dropout1d(channel_axis=2)
    with fit(), pytest.raises(ValueError, match=r"Dropout2d takes 3 axes.*\(3, 4\)"):
        nn.Dropout2d()(jnp.ones((3, 4)))
    with fit(), pytest.raises(ValueError, match="`broadcast_dims` is 1"):
        nn.Dropout(broadcast_dims=(1,))(jnp.ones(3))
