import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import nn

X = np.arange(120.0).reshape(2, 3, 4, 5)


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (120,)),
        ({"start_axis": 1}, (2, 60)),
        ({"start_axis": 1, "end_axis": 2}, (2, 12, 5)),
        ({"start_axis": -3, "end_axis": -2}, (2, 12, 5)),
        ({"start_axis": 2, "end_axis": 2}, (2, 3, 4, 5)),
        ({"in_size": (3, 4, 5)}, (2, 60)),
        ({"in_size": (4, 5)}, (2, 3, 20)),
        ({"start_axis": 1, "in_size": (3, 4, 5)}, (2, 3, 20)),
        ({"start_axis": 0, "end_axis": 1, "in_size": (3, 4, 5)}, (2, 12, 5)),
        ({"start_axis": -2, "end_axis": 2, "in_size": (3, 4, 5)}, (2, 3, 20)),
    ],
)
def test_flatten(options, shape):
    layer = nn.Flatten(**options)
    np.testing.assert_array_equal(layer(X), X.reshape(shape))
    if layer.in_size:
        batch = X.ndim - len(layer.in_size)
        assert layer.out_size == shape[batch:]
        single = X[(0,) * batch]
        np.testing.assert_array_equal(layer(single), single.reshape(shape[batch:]))
    out = layer(X * u.mV)
    assert out.unit == u.mV
    assert out.shape == shape


@pytest.mark.parametrize(
    ("axis", "sizes", "in_size", "shape"),
    [
        (-1, (5, 1), None, (2, 3, 4, 5, 1)),
        (-2, [2, 2], None, (2, 3, 2, 2, 5)),
        (2, (-1, 2), None, (2, 3, 2, 2, 5)),
        (0, (1, 2, 1), None, (1, 2, 1, 3, 4, 5)),
        (1, (2, 2), (3, 4, 5), (2, 3, 2, 2, 5)),
        (0, (2, -1), (4, 5), (2, 3, 2, 2, 5)),
        (-2, (2, 2), (4, 5), (2, 3, 2, 2, 5)),
    ],
)
def test_unflatten(axis, sizes, in_size, shape):
    layer = nn.Unflatten(axis, sizes, in_size=in_size)
    np.testing.assert_array_equal(layer(X), X.reshape(shape))
    if in_size:
        assert layer.out_size == shape[X.ndim - len(in_size) :]
    assert layer(X * u.mV).unit == u.mV


def test_in_a_chain_of_described_layers():
    net = nn.Sequential(
        nn.MaxPool1d(2, in_size=(6, 2)), nn.Flatten.desc(), nn.Linear.desc(out_size=4),
        nn.Unflatten.desc(-1, (2, 2)),
    )  # fmt: skip
    assert net.out_size == (2, 2)
    assert net(jnp.ones((5, 6, 2))).shape == (5, 2, 2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Flatten(2, 1)(X), ValueError, r"Flatten flattens from axis 2 to 1"),
        (lambda: nn.Flatten(4)(X), ValueError, "`start_axis` is 4.*4 axes"),
        (lambda: nn.Flatten(end_axis=2, in_size=(4, 5)), ValueError, "`end_axis` is 2.*2 axes"),
        (lambda: nn.Flatten(in_size=(4, 4))(X), ValueError, r"\(\.\.\., 4, 4\)"),
        (lambda: nn.Unflatten(-1, (2, 3))(X), ValueError, r"the 5 numbers of axis -1.*\(2, 3\)"),
        (lambda: nn.Unflatten(-1, (2, 3), in_size=5), ValueError, r"the 5 numbers"),
        (lambda: nn.Unflatten(-1, 6), TypeError, "`sizes`.*6"),
        (lambda: nn.Unflatten(-1, (2.0, 3)), TypeError, "`sizes`.*2.0"),
    ],
)
def test_what_does_not_fit(make, error, message):
    with pytest.raises(error, match=message):
        make()
