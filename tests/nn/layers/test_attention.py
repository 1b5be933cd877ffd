import functools

import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import nn
from brainstate import transform as bt

RNG = np.random.default_rng(0)
BATCH, T, S = 2, 4, 5


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def attention(in_size, out_size, num_heads, **options):
    """With parameters made by NumPy, which compiles nothing."""
    small = lambda shape: normal(*shape) / 2  # noqa: E731
    return nn.MultiHeadAttention(
        in_size, out_size, num_heads, w_init=small, **{"b_init": small, **options}
    )


def layer(linear, x, heads):
    value = linear.weight.value
    y = np.float64(x) @ np.float64(value["weight"]) + np.float64(value.get("bias", 0.0))
    return y.reshape(*x.shape[:-1], heads, -1)


def in_numpy(model, query, key, value, visible=True, added=0.0, turn=lambda x: x):
    """Attention written out, head by head, in double precision.

    `visible` and `added` have the shape (batch, heads, queries, keys), or broadcast to it.
    """
    heads = model.num_heads
    q = turn(layer(model.query, query, heads))
    k = turn(layer(model.key, key, model.num_kv_heads))
    v = layer(model.value, value, model.num_kv_heads)
    shape = (*q.shape[:-3], heads, q.shape[-3], k.shape[-3])
    visible, added = np.broadcast_to(visible, shape), np.broadcast_to(added, shape)
    out = np.empty(q.shape)
    for head in range(heads):
        shared = head // (heads // model.num_kv_heads)
        products = q[..., head, :] @ np.swapaxes(k[..., shared, :], -1, -2)
        logits = products / np.sqrt(q.shape[-1]) + added[..., head, :, :]
        weights = np.exp(logits - logits.max(-1, keepdims=True)) * visible[..., head, :, :]
        weights /= weights.sum(-1, keepdims=True)
        out[..., head, :] = weights @ v[..., shared, :]
    return layer(model.output, out.reshape(*out.shape[:-2], -1), 1)[..., 0, :]


def turned(x, interleaved=False):
    """The rotary embedding as products of complex numbers."""
    half = x.shape[-1] // 2
    angles = np.arange(x.shape[-3])[:, None, None] * 10_000.0 ** (-np.arange(half) / half)
    a, b = (x[..., ::2], x[..., 1::2]) if interleaved else (x[..., :half], x[..., half:])
    z = (a + 1j * b) * np.exp(1j * angles)
    if interleaved:
        return np.stack([z.real, z.imag], axis=-1).reshape(x.shape)
    return np.concatenate([z.real, z.imag], axis=-1)


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_heads_and_sizes():
    model = attention(
        6, 7, 4, key_size=3, value_size=5, head_size=2, num_kv_heads=2,
    )  # fmt: skip
    q, k, v = normal(BATCH, T, 6), normal(BATCH, S, 3), normal(BATCH, S, 5)
    more = [x.reshape(2, 1, *x.shape[1:]) for x in (q, k, v)]
    found = bt.jit(lambda: (model(q, k, v), model(q[0], k[0], v[0]), model(*more)))()
    expected = in_numpy(model, q, k, v)
    assert_close(found[0], expected)
    assert_close(found[1], expected[0])
    assert_close(found[2], expected[:, None])
    assert (model.in_size, model.out_size) == ((6,), (7,))
    assert {path: s.value["weight"].shape for path, s in model.states().items()} == {
        ("query", "weight"): (6, 8), ("key", "weight"): (3, 4),
        ("value", "weight"): (5, 4), ("output", "weight"): (8, 7),
    }  # fmt: skip
    plain = attention(6, 6, 3, b_init=None)
    assert (plain.head_size, plain.num_kv_heads) == (2, 3)
    assert all(set(s.value) == {"weight"} for s in plain.states().values())
    own, other = normal(T, 6), normal(S, 6)
    found = bt.jit(lambda: (plain(own), plain(own, other)))()
    assert_close(found[0], in_numpy(plain, own, own, own))
    assert_close(found[1], in_numpy(plain, own, other, other))


def test_masks():
    model = attention(4, 4, 2)
    q, k = normal(BATCH, T, 4), normal(BATCH, S, 4)
    shapes = [(T, S), (2, T, S), (BATCH, 1, 1, S), (BATCH, 2, T, S), (T, 1)]
    visible = [RNG.random(shape) < 0.6 for shape in shapes]
    for mask in visible:
        mask[..., 0] = True  # every query sees something
    added = [normal(*shape) for shape in shapes]
    hidden = np.where(np.arange(S) < 3, 0.0, -np.inf).astype(np.float32)
    run = bt.jit(lambda masks: [model(q, k, mask=mask) for mask in masks])
    *found, cut = run([*visible, *added, hidden])
    expected = [in_numpy(model, q, k, k, visible=mask) for mask in visible]
    expected += [in_numpy(model, q, k, k, added=mask) for mask in added]
    for one, other in zip(found, expected, strict=True):
        assert_close(one, other)
    assert_close(cut, in_numpy(model, q, k[:, :3], k[:, :3]))


def test_causal_and_rotary():
    model = attention(8, 4, 2, causal=True, rotary=True)
    half = functools.partial(nn.rotary_embedding, interleaved=True)
    other = attention(8, 4, 2, causal=True, rotary=half)
    x = normal(BATCH, T, 8)
    lower = np.tril(np.ones((T, T), bool))
    window = np.triu(np.ones((T, T), bool), -1)
    found = bt.jit(lambda: (model(x), model(x, mask=window), other(x)))()
    assert_close(found[0], in_numpy(model, x, x, x, lower, turn=turned))
    assert_close(found[1], in_numpy(model, x, x, x, lower & window, turn=turned))
    expected = in_numpy(other, x, x, x, lower, turn=functools.partial(turned, interleaved=True))
    assert_close(found[2], expected)


def test_decoding_piece_by_piece_gives_what_the_whole_sequence_gives():
    model = attention(8, 4, 4, num_kv_heads=2, causal=True, rotary=True, cache_size=9)
    nn.init_all_states(model, BATCH)
    x = normal(BATCH, 9, 8)

    @bt.jit
    def pieces():
        start = model.decode(x[:, :4])
        tokens = jnp.moveaxis(x[:, 4:], 1, 0)
        rest = bt.for_loop(lambda token: model.decode(token[:, None])[:, 0], tokens)
        return jnp.concatenate([start, jnp.moveaxis(rest, 0, 1)], axis=1)

    expected = in_numpy(model, x, x, x, np.tril(np.ones((9, 9), bool)), turn=turned)
    assert_close(pieces(), expected)
    assert isinstance(model.cached_keys, brainstate.ShortTermState)
    np.testing.assert_array_equal(model.cached_length.value, [9, 9])
    nn.reset_all_states(model, BATCH)
    assert_close(pieces(), expected)


def test_the_cache_keeps_the_latest_positions():
    size, length = 3, 8
    model = attention(4, 4, 1, causal=True, rotary=True, cache_size=size)
    nn.init_all_states(model)
    x = normal(length, 4)
    distance = np.arange(length)[:, None] - np.arange(length)
    for piece in (1, 2):
        found = bt.for_loop(model.decode, jnp.reshape(x, (-1, piece, 4)))
        last = np.arange(length) // piece * piece + piece - 1  # when the query is looked at
        visible = (distance >= 0) & (last[:, None] - np.arange(length) < size)
        expected = in_numpy(model, x, x, x, visible, turn=turned)
        assert_close(jnp.reshape(found, (length, 4)), expected)
        nn.reset_all_states(model)


def test_inputs_that_do_not_fit():
    owner = nn.Module()
    owner.mix = nn.MultiHeadAttention(4, 4, num_heads=2, causal=True, cache_size=3)
    nn.init_all_states(owner, 2)
    with pytest.raises(ValueError, match=r"`mix`.*a key of shape \(\.\.\., 4\); found \(2, 3\)"):
        owner.mix(jnp.ones((2, 4)), jnp.ones((2, 3)))
    with pytest.raises(ValueError, match=r"`mix`.*\(2, 3, 4\), \(3, 4\) and \(3, 4\)"):
        owner.mix(jnp.ones((2, 3, 4)), jnp.ones((3, 4)))
    with pytest.raises(ValueError, match=r"`mix`.*same length.*\(3, 4\), \(2, 4\) and \(1, 4\)"):
        owner.mix(jnp.ones((3, 4)), jnp.ones((2, 4)), jnp.ones((1, 4)))
    with pytest.raises(ValueError, match=r"`mask`.*\(2, 3, 3\); found \(2, 3\)"):
        owner.mix(jnp.ones((3, 4)), mask=jnp.ones((2, 3), bool))
    with pytest.raises(ValueError, match=r"`mask` is boolean.*int32"):
        owner.mix(jnp.ones((3, 4)), mask=jnp.ones((3, 3), int))
    with pytest.raises(u.UnitMismatchError, match="`query` must be a plain number"):
        owner.mix(jnp.ones((3, 4)) * u.mV)
    with pytest.raises(ValueError, match=r"`mix` of Module was given 4 positions.*keeps 3"):
        owner.mix.decode(jnp.ones((2, 4, 4)))
    with pytest.raises(ValueError, match=r"`mix`.*batch axes \(5,\).*\(2,\).*batch_size=5"):
        owner.mix.decode(jnp.ones((5, 1, 4)))
    with pytest.raises(ValueError, match=r"cannot decode.*`cache_size`"):
        nn.MultiHeadAttention(4, 4, num_heads=2, causal=True).decode(jnp.ones((1, 4)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_heads": 3}, "`num_heads`.*divides the 4 features.*found 3"),
        ({"num_heads": 0}, "`num_heads`"),
        ({"num_heads": 2.0, "head_size": 2}, "`num_heads`.*2.0"),
        ({"num_heads": 4, "num_kv_heads": 3}, "`num_kv_heads` must divide num_heads=4; found 3"),
        ({"num_heads": 4, "rotary": True}, "even head_size; found 1"),
        ({"num_heads": 2, "rotary": "yes"}, "`rotary`.*'yes'"),
        ({"num_heads": 2, "cache_size": 3}, "causal=True"),
        ({"num_heads": 2, "cache_size": 3, "causal": True, "key_size": 2}, "`key_size`"),
        ({"num_heads": 2, "cache_size": 0, "causal": True}, "`cache_size`.*found 0"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        nn.MultiHeadAttention(4, 4, **options)
