import itertools

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import nn
from brainstate.transform import jit

RNG = np.random.default_rng(0)
CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
SCALED = {1: nn.ScaledWSConv1d, 2: nn.ScaledWSConv2d, 3: nn.ScaledWSConv3d}
TRANSPOSED = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}


def spread(x, steps):
    """`x` with ``step - 1`` zeros between neighbours along each of its first axes."""
    size = [(n - 1) * step + 1 for n, step in zip(x.shape, steps, strict=False)]
    out = np.zeros((*size, *x.shape[len(steps) :]))
    out[tuple(slice(None, None, step) for step in steps)] = x
    return out


def same(x, w, stride):
    """Padding for an output of length ``⌈n / stride⌉``; a larger half stands at the end."""
    pairs = []
    for n, k, s in zip(x.shape, w.shape, stride, strict=False):
        total = max((-(-n // s) - 1) * s + k - n, 0)
        pairs.append((total // 2, total - total // 2))
    return pairs


def convolved(x, w, stride, pairs, groups=1):
    """The definition, output by output; the channels of each group by themselves."""
    axes = len(stride)
    x = np.pad(x, [*pairs, (0, 0)])
    sizes = [(n - k) // s + 1 for n, k, s in zip(x.shape, w.shape, stride, strict=False)]
    out = np.zeros((*sizes, w.shape[-1]))
    c_in, c_out = w.shape[-2], w.shape[-1] // groups
    for place in itertools.product(*map(range, sizes)):
        window = tuple(
            slice(i * s, i * s + k) for i, s, k in zip(place, stride, w.shape, strict=False)
        )
        for g in range(groups):
            ins, outs = slice(g * c_in, (g + 1) * c_in), slice(g * c_out, (g + 1) * c_out)
            out[place][outs] = np.tensordot(x[(*window, ins)], w[..., outs], axes + 1)
    return out


@pytest.mark.parametrize(
    ("size", "kernel", "options"),
    [
        ((7,), 3, {}),
        ((8,), 4, {"stride": 3, "padding": "same"}),
        ((7,), (2,), {"padding": "VALID", "groups": 2}),
        ((6,), 3, {"padding": (0, 2), "lhs_dilation": 2, "rhs_dilation": 2}),
        ((5, 6), (3, 2), {"stride": (1, 2), "padding": [(0, 1), (2, 1)], "lhs_dilation": (2, 1)}),
        ((3, 4, 3), (2, 3, 1), {"padding": 1, "stride": 2}),
    ],
)
def test_convolution(size, kernel, options):
    n = len(size)
    every = lambda x: (x,) * n if isinstance(x, int) else x * (n // len(x))  # noqa: E731
    groups, stride = options.get("groups", 1), every(options.get("stride", 1))
    w = RNG.normal(size=(*every(kernel), 4 // groups, 6)).astype(np.float32)
    layer = CONV[n]((*size, 4), 6, kernel, w_init=w, b_init=np.arange(6.0), **options)
    assert w.shape == layer.kernel_shape
    assert layer.weight.value["bias"].shape == (1,) * n + (6,)
    x = RNG.normal(size=(2, *size, 4)).astype(np.float32)
    kernel = spread(w, every(options.get("rhs_dilation", 1)))
    expected = []
    for sample in x:
        spaced = spread(sample, every(options.get("lhs_dilation", 1)))
        pairs = layer.padding
        if isinstance(pairs, str):
            pairs = same(spaced, kernel, stride) if pairs == "SAME" else [(0, 0)] * n
        expected.append(convolved(spaced, kernel, stride, pairs, groups) + np.arange(6.0))
    found = jit(layer)(x)
    assert found.shape == (2, *layer.out_size)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_sizes_and_attributes():
    assert nn.Conv2d((8, 8, 3), 4, 3, w_init=1.0).out_size == (8, 8, 4)
    layer = nn.Conv2d((8, 8, 3), 4, 3, stride=2, padding="VALID", w_init=1.0)
    assert layer.out_size == (3, 3, 4)
    assert (layer.in_channels, layer.out_channels, layer.groups) == (3, 4, 1)
    assert (layer.kernel_size, layer.stride, layer.padding) == ((3, 3), (2, 2), "VALID")
    assert (layer.lhs_dilation, layer.rhs_dilation) == ((1, 1), (1, 1))
    assert layer.kernel_shape == (3, 3, 3, 4)
    assert list(layer.weight.value) == ["weight"]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_standardized_kernels(n):
    kernel = RNG.normal(size=(*(3, 2, 2)[:n], 2, 4)).astype(np.float32)
    mask = RNG.integers(0, 2, size=kernel.shape)
    size, k = (*(4, 3, 3)[:n], 2), kernel.shape[:n]
    layer = SCALED[n](size, 4, k, w_init=kernel * u.mS, w_mask=mask)
    value = layer.weight.value
    assert value["gain"].shape == (1,) * (n + 1) + (4,)
    layer.weight.value = value | {"gain": 2.0 * value["gain"]}
    axes = tuple(range(n + 1))
    w = kernel - kernel.mean(axes)
    w = 2 * w / np.sqrt((w**2).sum(axes)) * mask
    x = RNG.normal(size=size).astype(np.float32)
    plain = CONV[n](size, 4, k, w_init=w)
    np.testing.assert_allclose(jit(layer)(x), jit(plain)(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "dilation", "out"),
    [
        ((4,), (3,), 2, "SAME", 1, (8,)),
        ((4,), (2,), 3, "SAME", 1, (12,)),
        ((4,), (3,), 2, "VALID", 1, (9,)),
        ((4,), (1,), 2, "VALID", 1, (8,)),
        ((4,), (3,), 2, (1, 2), 2, (8,)),
        ((3, 2), (2, 4), (1, 3), "SAME", 1, (3, 6)),
        ((2, 2, 1), (3, 2, 1), 2, ((1, 0), (0, 0), (0, 0)), 1, (4, 4, 1)),
    ],
)
def test_transposed_convolution_is_the_transpose(size, kernel, stride, padding, dilation, out):
    """The map that takes the derivative by the output of a convolution to that by its input."""
    n = len(size)
    w = RNG.normal(size=(*kernel, 3, 2)).astype(np.float32)
    layer = TRANSPOSED[n]((*size, 2), 3, kernel, stride, padding, dilation, w_init=w)
    assert layer.out_size == (*out, 3)
    assert layer.kernel_shape == w.shape
    x = RNG.normal(size=(*size, 2)).astype(np.float32)
    axes = "DHW"[-n:]
    numbers = f"N{axes}C", f"{axes}IO", f"N{axes}C"

    def plain(y):
        y, pads = y[None], layer.padding
        return jax.lax.conv_general_dilated(
            y, w, layer.stride, pads, None, (dilation,) * n, numbers
        )[0]

    _, pull = jax.vjp(plain, np.zeros((*out, 3), np.float32))
    (expected,) = pull(x)
    np.testing.assert_allclose(jit(layer)(x), expected, rtol=1e-4, atol=1e-5)


def test_transposed_convolution_by_hand():
    """Each input adds its multiple of the kernel, `stride` further on."""
    w = RNG.normal(size=(3, 4, 2)).astype(np.float32)
    x = RNG.normal(size=(5, 4)).astype(np.float32)
    expected = np.zeros((11, 4))
    for i, g in itertools.product(range(5), range(2)):
        pair = slice(2 * g, 2 * g + 2)
        expected[2 * i : 2 * i + 3, pair] += w[:, pair] @ x[i, pair]
    bias = np.arange(4.0)
    options = {"stride": 2, "padding": "VALID", "groups": 2, "w_init": w * u.mS}
    layer = nn.ConvTranspose1d((5, 4), 4, 3, b_init=bias * u.uA, **options)
    found = layer(x * u.mV).to_decimal(u.uA)
    np.testing.assert_allclose(found, expected + bias, rtol=1e-4, atol=1e-5)
    hidden = nn.ConvTranspose1d((5, 4), 4, 3, w_mask=np.zeros((3, 1, 1)), **options)
    assert not hidden(x).mantissa.any()


def test_units_masks_and_types():
    x = np.arange(5)[:, None]
    mask = np.array([1, 0, 1])[:, None, None]
    options = {"padding": "VALID", "w_init": 2.0 * u.mS, "w_mask": mask}
    layer = nn.Conv1d((5, 1), 1, 3, b_init=1.0 * u.uA, **options)
    np.testing.assert_allclose(layer(x * u.mV).to_decimal(u.uA)[:, 0], [5, 9, 13])
    with pytest.raises(u.UnitMismatchError, match="bias"):
        layer(x)
    assert nn.Conv1d((5, 1), 1, 3, **options)(x > 2).unit == u.mS


@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ScaledWSConv2d, nn.ConvTranspose2d])
@pytest.mark.parametrize(
    ("size", "out", "kernel", "options", "text"),
    [
        ((8, 3), 4, 3, {}, r"`in_size` of .*2d must have 3 elements.*\(8, 3\)"),
        (8, 4, 3, {}, "`in_size`.*3 elements"),
        ((8, 8, 3), 4, (3, 3, 3), {}, "`kernel_size`.*2 of them"),
        ((8, 8, 3), 4, 0, {}, "`kernel_size` must be a positive"),
        ((8, 8, 3), 4, 3, {"stride": -1}, "`stride` must be a positive"),
        ((8, 8, 3), 4, 3, {"rhs_dilation": 0}, "`rhs_dilation` must be a positive"),
        ((8, 8, 3), 4, 3, {"groups": 2}, "`groups` must divide.*3 and 4; found 2"),
        ((8, 8, 3), 4, 3, {"padding": "FULL"}, "'SAME', 'VALID'.*'FULL'"),
        ((8, 8, 3), 4, 3, {"padding": (1, 2, 3, 4)}, r"2 such pairs; found \(1, 2, 3, 4\)"),
        ((8, 8, 3), 4, 3, {"padding": [(1, 2, 3)]}, "2 such pairs"),
        ((8, 8, 3), 4, 3, {"padding": 1.5}, "integer.*found 1.5"),
        ((8, 8, 3), 4, 3, {"w_mask": np.ones((2, 3, 1, 1))}, r"\(2, 3, 1, 1\).*\(3, 3, "),
    ],
)
def test_wrong_arguments(kind, size, out, kernel, options, text):
    with pytest.raises(ValueError, match=text):
        kind(size, out, kernel, **options)


def test_wrong_inputs_and_combinations():
    layer = nn.Conv1d((4, 2), 3, 3, w_init=1.0)
    with pytest.raises(ValueError, match=r"at most one batch axis.*\(1, 1, 4, 2\)"):
        layer(jnp.ones((1, 1, 4, 2)))
    with pytest.raises(ValueError, match=r"`lhs_dilation`=2 needs .*ConvTranspose1d"):
        nn.Conv1d((4, 2), 3, 3, lhs_dilation=2)
