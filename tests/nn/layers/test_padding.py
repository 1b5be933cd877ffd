import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import nn

KINDS = {
    "Reflection": {"mode": "reflect"},
    "Replication": {"mode": "edge"},
    "Circular": {"mode": "wrap"},
    "Zero": {"mode": "constant"},
    "Constant": {"mode": "constant", "constant_values": 7},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_padding(kind, n):
    pairs = [(1, 2), (0, 1), (1, 0)][:n]
    size = (3, 2, 4)[:n]
    value = {"value": 7.0 * u.mV} if kind == "Constant" else {}
    layer = getattr(nn, f"{kind}Pad{n}d")(pairs, in_size=(*size, 2), **value)
    x = np.random.default_rng(0).normal(size=(5, *size, 2)).astype(np.float32)
    expected = np.pad(x, [(0, 0), *pairs, (0, 0)], **KINDS[kind])
    np.testing.assert_array_equal(layer(x * u.mV).to_decimal(u.mV), expected)
    assert layer.out_size == expected.shape[1:]


def test_ways_to_write_padding():
    x = jnp.ones((2, 3, 1))
    for padding, shape in [(1, (4, 5, 1)), ((0, 2), (4, 5, 1)), (((0, 1), (2, 3)), (3, 8, 1))]:
        assert nn.ZeroPad2d(padding)(x).shape == shape
        assert nn.ZeroPad2d.desc(padding)(in_size=x.shape).out_size == shape
    with pytest.raises(ValueError, match=r"2 such pairs; found \(1, 2, 3, 4\)"):
        nn.ZeroPad2d((1, 2, 3, 4))
    with pytest.raises(ValueError, match="negative; found -1"):
        nn.ZeroPad1d(-1)
    with pytest.raises(ValueError, match="found 'SAME'"):
        nn.ZeroPad1d("SAME")


def test_constants():
    x = jnp.zeros((2, 1), jnp.int32)
    assert nn.ConstantPad1d(1, 3)(x).dtype == jnp.int32
    np.testing.assert_array_equal(nn.ConstantPad1d((1, 0), 0.5)(x)[:, 0], [0.5, 0, 0])
    with pytest.raises(u.UnitMismatchError, match=r"`value`.*mV; found the plain 0"):
        nn.ConstantPad1d(1)(x * u.mV)
    with pytest.raises(ValueError, match="`value` must be one number"):
        nn.ConstantPad1d(1, np.ones(2))


def test_wrong_shapes():
    with pytest.raises(ValueError, match=r"ZeroPad2d takes inputs with at least 3 axes.*\(2, 3\)"):
        nn.ZeroPad2d(1)(jnp.ones((2, 3)))
    with pytest.raises(ValueError, match=r"`in_size` of ZeroPad2d must have 3 elements.*\(2, 3\)"):
        nn.ZeroPad2d(1, in_size=(2, 3))
