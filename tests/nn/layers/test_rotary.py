import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import nn


def rotated(x, positions, base=10_000.0, interleaved=False):
    """Each pair of features as one complex number, which is turned."""
    x, half = np.float64(x), x.shape[-1] // 2
    pairs = (x[..., ::2], x[..., 1::2]) if interleaved else (x[..., :half], x[..., half:])
    angles = positions[..., None, None] * base ** (-np.arange(half) / half)
    turned = (pairs[0] + 1j * pairs[1]) * np.exp(1j * angles)
    out = np.empty_like(x)
    if interleaved:
        out[..., ::2], out[..., 1::2] = turned.real, turned.imag
    else:
        out[..., :half], out[..., half:] = turned.real, turned.imag
    return out


X = np.random.default_rng(0).normal(size=(2, 5, 3, 8)).astype(np.float32)


@pytest.mark.parametrize("interleaved", [False, True])
def test_pairs_are_turned(interleaved):
    positions = np.array([[0, 1, 2, 7, 100], [3, 3, 50, 1, 0]])
    found = jax.jit(nn.rotary_embedding, static_argnames=("base", "interleaved"))(
        X, positions, base=50.0, interleaved=interleaved
    )
    expected = rotated(X, positions, base=50.0, interleaved=interleaved)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_positions_count_from_0():
    np.testing.assert_allclose(nn.rotary_embedding(X), rotated(X, np.arange(5)), atol=1e-5)


def test_products_depend_on_the_distance_only():
    q, k = jnp.asarray(X[:1, :1]), jnp.asarray(X[1:, :1])

    @jax.jit
    def product(at_q, at_k):
        turned = nn.rotary_embedding(q, at_q[None]), nn.rotary_embedding(k, at_k[None])
        return jnp.sum(turned[0] * turned[1])

    near, far = (product(jnp.array(p), jnp.array(p - 4)) for p in (4, 40))
    np.testing.assert_allclose(near, far, rtol=1e-4)
    assert abs(near - product(jnp.array(4), jnp.array(3))) > 0.1


def test_positions_are_not_rounded_to_short_types():
    position = np.array([1001])
    x = jnp.asarray(X[:, :1], jnp.bfloat16)
    found = nn.rotary_embedding(x, position)
    assert found.dtype == jnp.bfloat16
    np.testing.assert_allclose(np.float32(found), rotated(np.float32(x), position), atol=0.02)


def test_what_does_not_fit():
    with pytest.raises(ValueError, match=r"even number of features; found \(2, 3, 5\)"):
        nn.rotary_embedding(jnp.ones((2, 3, 5)))
    with pytest.raises(ValueError, match=r"\(\.\.\., length, heads, features\).*found \(3, 4\)"):
        nn.rotary_embedding(jnp.ones((3, 4)))
    with pytest.raises(ValueError, match=r"`positions`.*\(2, 5\) or \(5,\); found \(4,\)"):
        nn.rotary_embedding(X, jnp.arange(4))
