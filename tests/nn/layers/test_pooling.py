import itertools

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import nn
from brainstate import transform as bt

RNG = np.random.default_rng(0)
ADAPTIVE = {
    np.mean: [nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d],
    np.max: [nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d],
}


def distinct(*shape):
    """Numbers of both signs, no two of them equal."""
    size = int(np.prod(shape))
    return ((RNG.permutation(size) - size // 3) / 8).astype(np.float32).reshape(shape)


def pooled(x, kernel, stride, pairs, function):
    """`function` of each window of the axes before the last, by slicing; nan is padding."""
    count = len(kernel)
    axes = range(x.ndim - 1 - count, x.ndim - 1)
    widths = dict(zip(axes, pairs, strict=True))
    x = np.pad(x, [widths.get(i, (0, 0)) for i in range(x.ndim)], constant_values=np.nan)
    steps = [
        range(0, x.shape[axis] - k + 1, s) for axis, k, s in zip(axes, kernel, stride, strict=True)
    ]
    out = [
        function(
            x[(..., *[slice(i, i + k) for i, k in zip(start, kernel, strict=True)], slice(None))],
            tuple(axes),
        )
        for start in itertools.product(*steps)
    ]
    shape = (*x.shape[: axes[0]], *map(len, steps), x.shape[-1])
    return np.stack(out, -2).reshape(shape)


def norm_of(p):
    return lambda x, axes: np.nansum(np.abs(x) ** p, axes) ** (1 / p)


FUNCTIONS = [
    np.nanmax,
    np.nanmean,
    norm_of(3),
    lambda x, axes: np.nanmax(np.abs(x), axes),
]


def pools(count, *args, **kwargs):
    """The layers that compute `FUNCTIONS`, for this number of spatial axes."""
    norm = getattr(nn, f"LPPool{count}d")
    return [
        getattr(nn, f"MaxPool{count}d")(*args, **kwargs),
        getattr(nn, f"AvgPool{count}d")(*args, **kwargs),
        norm(3, *args, **kwargs),
        norm(np.inf, *args, **kwargs),
    ]


def together(layers, x):
    """What the layers give, compiled at once."""
    return jax.jit(lambda x: [layer(x) for layer in layers])(x)


WINDOWS = [  # kernel, stride, padding as written, padding of each axis
    ((3,), (2,), 1, [(1, 1)]),
    ((3,), (1,), (0, 2), [(0, 2)]),
    ((3, 2), (1, 2), "SAME", [(1, 1), (0, 0)]),
    ((3, 2), (2, 1), (2, 1), [(2, 2), (1, 1)]),
    ((3, 2), (2, 3), [(1, 2), (0, 1)], [(1, 2), (0, 1)]),
    ((2, 2, 2), (2, 1, 2), [(0, 1)], [(0, 1)] * 3),
    ((1, 2, 3), (1, 1, 2), "valid", [(0, 0)] * 3),
]


@pytest.mark.parametrize(("kernel", "stride", "padding", "pairs"), WINDOWS)
def test_windows(kernel, stride, padding, pairs):
    n = len(kernel)
    x = distinct(2, *(5, 4, 6)[3 - n :], 3)
    layers = pools(n, kernel, stride, padding, in_size=x.shape[1:])
    for layer, found, function in zip(layers, together(layers, x), FUNCTIONS, strict=True):
        expected = pooled(x, kernel, stride, pairs, function)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
        assert layer.out_size == expected.shape[1:]


def test_default_strides():
    assert nn.MaxPool2d((2, 3)).stride == nn.LPPool2d(2, (2, 3)).stride == (2, 3)
    assert nn.AvgPool2d((2, 3)).stride == (1, 1)
    assert nn.AvgPool2d((2, 3), None).stride == (2, 3)
    x = jnp.arange(4.0)[:, None]
    out = nn.AvgPool1d(3, padding="SAME")(x)
    np.testing.assert_allclose(out[:, 0], [0.5, 1.0, 2.0, 2.5])


@pytest.mark.parametrize(
    ("channel_axis", "shape", "in_size"),
    [
        (0, (3, 4, 5), None),
        (-2, (2, 4, 3, 5), None),
        (None, (3, 4, 5), None),
        (1, (2, 4, 3, 5), (4, 3, 5)),
    ],
)
def test_channel_axes(channel_axis, shape, in_size):
    """All the same as channels last; with an `in_size`, axes count in it."""
    x = distinct(*shape)
    if channel_axis is None:
        channels_last, back = x[..., None], lambda y: y[..., 0]
    else:
        axis = channel_axis + (len(shape) - 3 if in_size else 0)
        channels_last, back = np.moveaxis(x, axis, -1), lambda y: np.moveaxis(y, -1, axis)
    kinds = nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d
    found = together([kind(2, channel_axis=channel_axis, in_size=in_size) for kind in kinds], x)
    expected = together([kind(2) for kind in kinds], channels_last)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, back(np.asarray(b)), rtol=1e-6)


@pytest.mark.parametrize("target", [(3,), (8,), (2, 3), (1, 1), (2, 3, 4)])
def test_adaptive(target):
    x = distinct(2, *(5, 7, 8)[3 - len(target) :], 3)
    layers = [kinds[len(target) - 1](target, in_size=x.shape[1:]) for kinds in ADAPTIVE.values()]
    for function, layer, found in zip(ADAPTIVE, layers, together(layers, x), strict=True):
        expected = x
        for axis, count in enumerate(target, 1):  # array_split makes the first parts longer, too
            parts = np.array_split(expected, count, axis)
            expected = np.concatenate([function(p, axis=axis, keepdims=True) for p in parts], axis)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
        assert layer.out_size == (*target, 3)


@pytest.mark.parametrize(("kernel", "stride", "padding", "pairs"), WINDOWS[::2])
def test_indices_of_the_largest(kernel, stride, padding, pairs):
    n = len(kernel)
    x = distinct(2, *(5, 4, 6)[3 - n :], 3)
    pool = getattr(nn, f"MaxPool{n}d")(kernel, stride, padding, return_indices=True)
    unpool = getattr(nn, f"MaxUnpool{n}d")(kernel, stride, padding)
    (y, indices), back = jax.jit(lambda x: (pool(x), unpool(*pool(x), x.shape[1:-1])))(x)
    planes = np.moveaxis(x, -1, 1).reshape(2, 3, -1)
    flat = np.moveaxis(np.asarray(indices), -1, 1).reshape(2, 3, -1)
    found = np.take_along_axis(planes, flat, -1).reshape(2, 3, *y.shape[1:-1])
    np.testing.assert_array_equal(np.moveaxis(found, 1, -1), y)

    kept = np.zeros(planes.shape, bool)
    np.put_along_axis(kept, flat, True, -1)
    kept = np.moveaxis(kept.reshape(2, 3, *x.shape[1:-1]), 1, -1)
    np.testing.assert_array_equal(back, np.where(kept, x, 0))


def test_indices_of_equal_numbers_and_of_lanes():
    pool = nn.MaxPool1d(3, channel_axis=None, return_indices=True)
    assert pool(jnp.array([1.0, 2.0, 2.0, -jnp.inf, -jnp.inf, -jnp.inf]))[1].tolist() == [1, 3]
    x = distinct(4, 6)
    np.testing.assert_array_equal(bt.vmap(pool)(x)[1], pool(x)[1])
    unpool = nn.MaxUnpool1d(3, channel_axis=None)
    found = jax.grad(lambda x: jnp.sum(unpool(*pool(x)) ** 2))(jnp.asarray(x[0]))
    np.testing.assert_allclose(found, 2 * unpool(*pool(x[0])), rtol=1e-6)


def test_size_after_unpooling():
    assert nn.MaxUnpool2d((2, 3), in_size=(4, 5, 3)).out_size == (8, 15, 3)
    unpool = nn.MaxUnpool1d(3, 2, padding=1, in_size=(4, 2))
    assert unpool.out_size == (7, 2)
    assert nn.MaxPool1d(3, 2, padding=1, in_size=(7, 2)).out_size == (4, 2)


def test_units_and_other_types():
    layers = nn.MaxPool1d(2), nn.AvgPool1d(2, 2), nn.LPPool1d(2, 2), nn.AdaptiveAvgPool1d(2)
    x = distinct(6, 2)
    for quantity, number in zip(together(layers, x * u.mV), together(layers, x), strict=True):
        assert quantity.unit == u.mV
        np.testing.assert_array_equal(quantity.mantissa, number)
    for layer in layers:
        half = jax.ShapeDtypeStruct((6, 2), jnp.bfloat16)
        assert jax.eval_shape(layer, half).dtype == jnp.bfloat16
    integers = np.arange(-6, 6).reshape(6, 2)
    largest, mean, *_ = together(layers, integers)
    np.testing.assert_array_equal(largest, [[-4, -3], [0, 1], [4, 5]])
    np.testing.assert_array_equal(mean, [[-5, -4], [-1, 0], [3, 4]])
    assert largest.dtype == jnp.int32
    np.testing.assert_array_equal(layers[0](integers < -4), [[1, 1], [0, 0], [0, 0]])


def test_slope_of_a_norm_is_finite_where_all_is_zero():
    slope = jax.grad(lambda x: nn.LPPool1d(2, 2, channel_axis=None)(x).sum())
    np.testing.assert_allclose(slope(jnp.array([0.0, 0.0, 3.0, 4.0])), [0, 0, 0.6, 0.8], rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.MaxPool2d((1, 2, 3)), r"`kernel_size`.*2 of them.*\(1, 2, 3\)"),
        (lambda: nn.MaxPool2d(2, stride=0), "`stride`.*positive.*0"),
        (lambda: nn.AvgPool1d(2, padding=2), r"`padding` must be smaller.*\(2,\)"),
        (lambda: nn.AvgPool1d(2, padding="FULL"), "padding.*FULL"),
        (lambda: nn.AvgPool2d(2, padding=[(0, 1)] * 3), "padding"),
        (lambda: nn.LPPool1d(0, 2), "norm_type.*0"),
        (lambda: nn.MaxPool2d(2)(jnp.ones((4, 4))), r"MaxPool2d takes arrays with 2.*\(4, 4\)"),
        (lambda: nn.MaxPool1d(2, channel_axis=None)(1.0), r"MaxPool1d takes.*\(\)"),
        (lambda: nn.MaxPool1d(2, channel_axis=2)(jnp.ones((4, 4))), "`channel_axis` is 2"),
        (lambda: nn.MaxPool1d(5)(jnp.ones((4, 1))), r"kernel_size of \(5,\).*\(4, 1\)"),
        (lambda: nn.AdaptiveAvgPool1d(5)(jnp.ones((4, 1))), r"target_size=\(5,\).*\(4, 1\)"),
        (lambda: nn.MaxPool1d(2, in_size=(4, 1))(jnp.ones((5, 1))), r"\(\.\.\., 4, 1\)"),
        (lambda: nn.MaxUnpool1d(2)(jnp.ones((2, 1)), jnp.ones((2, 1))), "integer index.*float32"),
    ],
)  # fmt: skip
def test_what_does_not_fit(make, message):
    with pytest.raises(ValueError, match=message):
        make()
