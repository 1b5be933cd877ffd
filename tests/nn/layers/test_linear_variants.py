import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import nn
from brainstate.functional import weight_standardization

RNG = np.random.default_rng(0)


def standardized(w, gain=1.0, eps=1e-4):
    """By hand, unit by unit along the last axis."""
    out = np.empty_like(w)
    for j in range(w.shape[-1]):
        own = w[..., j]
        centred = own - own.mean()
        out[..., j] = (
            centred
            * np.broadcast_to(gain, w.shape[-1])[j]
            / np.sqrt(max(own.var() * own.size, eps))
        )
    return out


def test_weight_standardization():
    found = weight_standardization(jnp.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]))
    np.testing.assert_allclose(found, np.outer([-1, 0, 1], [1, 1]) / np.sqrt(2), atol=1e-6)
    w, gain = RNG.normal(size=(3, 2, 4)).astype(np.float32), np.arange(1.0, 5.0)
    np.testing.assert_allclose(
        weight_standardization(w, gain=gain), standardized(w, gain), rtol=1e-5, atol=1e-5
    )
    first = weight_standardization(np.moveaxis(w, -1, 0), out_axis=0)
    np.testing.assert_allclose(np.moveaxis(first, 0, -1), standardized(w), rtol=1e-5, atol=1e-6)
    small = np.float32([[1e-3], [-1e-3]])
    np.testing.assert_allclose(
        weight_standardization(small, eps=1e-2), small * 10, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        weight_standardization(w * u.mS), standardized(w), rtol=1e-5, atol=1e-6
    )
    assert weight_standardization(w, gain=2.0 * u.mV).unit == u.mV
    with pytest.raises(ValueError, match=r"`out_axis`=3.*\(3, 2, 4\)"):
        weight_standardization(w, out_axis=3)


def test_scaled_ws_linear():
    mask, x = np.array([[1], [0], [1]]), RNG.normal(size=(5, 3)).astype(np.float32)
    layer = nn.ScaledWSLinear(3, 2, b_init=1.0, w_mask=mask)
    value = layer.weight.value
    assert list(value) == ["weight", "bias", "gain"]
    np.testing.assert_array_equal(value["gain"], np.ones((1, 2)))
    layer.weight.value = value | {"gain": jnp.array([[2.0, 3.0]])}
    w = standardized(np.asarray(value["weight"]), [2.0, 3.0]) * mask
    np.testing.assert_allclose(layer(x), x @ w + 1, rtol=1e-5, atol=1e-5)
    assert list(nn.ScaledWSLinear(3, 2, b_init=None, ws_gain=False).weight.value) == ["weight"]
    in_volts = nn.ScaledWSLinear(3, 2, b_init=None)
    assert in_volts(x * u.mV).unit == u.mV


@pytest.mark.parametrize("make", [nn.ScaledWSLinear, nn.SignedWLinear])
def test_all_axes_of_the_sizes_are_connected(make):
    w = RNG.normal(size=(2, 3, 4, 5)).astype(np.float32)
    layer = make((2, 3), (4, 5), w_init=w)
    w = standardized(w) if make is nn.ScaledWSLinear else abs(w)
    x = RNG.normal(size=(7, 2, 3)).astype(np.float32)
    np.testing.assert_allclose(layer(x), np.einsum("bij,ijkl->bkl", x, w), atol=1e-5)


def test_signed_weights():
    w = np.float32([[1.0, -2.0], [-3.0, 4.0]]) * u.mS
    layer = nn.SignedWLinear(2, 2, w_init=w, w_sign=np.array([[1], [-1]]))
    found = layer(jnp.array([1.0, 10.0]) * u.mV)
    np.testing.assert_allclose(found.to_decimal(u.uA), [1 - 30, 2 - 40])
    np.testing.assert_allclose(nn.SignedWLinear(2, 2, w_init=w)(np.ones(2)).mantissa, [4, 6])
    with pytest.raises(ValueError, match=r"\(3,\).*\(2, 2\)"):
        nn.SignedWLinear(2, 2, w_sign=np.ones(3))


def test_one_to_one():
    w, b = RNG.normal(size=(2, 3)), np.arange(3.0)
    layer = nn.OneToOne((2, 3), w_init=w * u.mS, b_init=b * u.uA)
    x = RNG.normal(size=(4, 2, 3)).astype(np.float32)
    np.testing.assert_allclose(layer(x * u.mV).to_decimal(u.uA), x * w + b, rtol=1e-5, atol=1e-6)
    assert layer.out_size == (2, 3)
    assert list(nn.OneToOne(3).weight.value) == ["weight"]


@pytest.mark.parametrize(("sizes", "shared"), [((3, 5), True), ((5, 3), True), ((3, 5), False)])
@pytest.mark.parametrize("include_self", [True, False])
def test_all_to_all(sizes, shared, include_self):
    w = np.float32(0.5) if shared else RNG.normal(size=sizes).astype(np.float32)
    layer = nn.AllToAll(*sizes, w_init=w * u.mS, include_self=include_self)
    assert layer.weight.value.shape == np.shape(w)
    full = np.broadcast_to(w, sizes) * (1 if include_self else 1 - np.eye(*sizes))
    x = RNG.normal(size=(4, sizes[0])).astype(np.float32)
    np.testing.assert_allclose(layer(x).mantissa, x @ full, atol=1e-5)
    spikes = x[0] > 0
    np.testing.assert_allclose(layer(spikes).mantissa, spikes @ full, atol=1e-5)


def test_all_to_all_with_more_axes():
    layer = nn.AllToAll((2, 3), (2, 4), w_init=1.0)
    assert layer(jnp.ones((5, 2, 3))).shape == (5, *layer.out_size)
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(3, 3\)"):
        nn.AllToAll((2, 3), (3, 3))


def test_lora():
    base = nn.Linear(3, 4)
    layer = nn.LoRA(3, 2, 4, base_module=base)
    x = RNG.normal(size=(5, 3)).astype(np.float32)
    np.testing.assert_array_equal(layer(x), base(x))
    a, b = RNG.normal(size=(3, 2)), RNG.normal(size=(2, 4))
    layer.weight.value = {"lora_a": jnp.float32(a), "lora_b": jnp.float32(b)}
    np.testing.assert_allclose(layer(x), base(x) + x @ a @ b, rtol=1e-4, atol=1e-5)
    alone = nn.LoRA(3, 2, 4, kernel_init=a, in_size=(6, 3))
    assert alone.out_size == (6, 4)
    assert not alone(jnp.ones((6, 3))).any()
    assert set(layer.states()) == {("weight",), ("base_module", "weight")}
    with pytest.raises(TypeError, match=r"`base_module`.*3"):
        nn.LoRA(3, 2, 4, base_module=3)
    with pytest.raises(ValueError, match="in_features=3"):
        nn.LoRA(3, 2, 4, in_size=(3, 6))


def test_param_type_is_the_class_of_the_weight():
    class Fixed(brainstate.LongTermState):
        pass

    matrix = u.sparse.CSR.fromdense(jnp.eye(2))
    for make in (
        lambda **k: nn.Linear(2, 3, 1.0, **k),
        lambda **k: nn.ScaledWSLinear(2, 3, 1.0, **k),
        lambda **k: nn.SignedWLinear(2, 3, 1.0, **k),
        lambda **k: nn.AllToAll(2, 3, 1.0, **k),
        lambda **k: nn.OneToOne(2, 1.0, **k),
        lambda **k: nn.LoRA(2, 1, 3, kernel_init=1.0, **k),
        lambda **k: nn.Embedding(2, 3, 1.0, **k),
        lambda **k: nn.Conv1d((2, 1), 3, 1, w_init=1.0, **k),
        lambda **k: nn.ScaledWSConv1d((2, 1), 3, 1, w_init=1.0, **k),
        lambda **k: nn.ConvTranspose1d((2, 1), 3, 1, w_init=1.0, **k),
        lambda **k: nn.SparseLinear(matrix, **k),
    ):
        layer = make(name="a", param_type=Fixed)
        assert type(layer.weight) is Fixed
        assert layer.name == "a"
        assert type(make().weight) is brainstate.ParamState


def test_embedding():
    w = RNG.normal(size=(5, 3))
    layer = nn.Embedding(5, 3, embedding_init=w * u.mV)
    indices = np.array([[0, 4], [2, -1]])
    np.testing.assert_allclose(layer(indices).to_decimal(u.mV), w[indices], rtol=1e-6)
    assert layer.out_size == (3,)
    assert layer.in_size is None
    assert np.isnan(layer(5).mantissa).all()
    assert np.isnan(layer(-6).mantissa).all()
    for sizes in ((-1, 3), (5, -1), (0, 3)):
        with pytest.raises(ValueError, match="positive"):
            nn.Embedding(*sizes)


def test_rows_for_padding_are_not_trained():
    layer = nn.Embedding(5, 3, padding_idx=-4)
    assert not layer.weight.value[1].any()
    assert layer.weight.value[0].all()
    indices = jnp.array([0, 1, -4, 0, 2])
    grads = brainstate.augment.grad(lambda: layer(indices).sum(), layer.weight)()
    np.testing.assert_array_equal(grads[:, 0], [2, 0, 1, 0, 0])
    given = nn.Embedding(5, 3, embedding_init=np.ones((5, 3)), padding_idx=1)
    assert given(1).all()
    with pytest.raises(ValueError, match=r"`padding_idx`.*\[-5, 5\); found 5"):
        nn.Embedding(5, 3, padding_idx=5)


@pytest.mark.parametrize("order", [1.0, 2.0])
def test_long_rows_are_shortened(order):
    w = np.float32([[3.0, -4.0], [0.3, 0.4], [0.0, 0.0]])
    layer = nn.Embedding(3, 2, embedding_init=w * u.mV, max_norm=1e-3 * u.volt, norm_type=order)
    found = layer(jnp.arange(3)).to_decimal(u.mV)
    norm = np.linalg.norm(w[0], order)
    np.testing.assert_allclose(found, [w[0] / norm, w[1], w[2]], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(layer.weight.value.mantissa, w)

    def plain(w):
        rows = w / jnp.stack([jnp.linalg.norm(w[0], order), 1.0, 1.0])[:, None]
        return (rows * jnp.arange(6).reshape(3, 2)).sum()

    weighted = nn.Embedding(3, 2, embedding_init=w, max_norm=1.0, norm_type=order)
    grads = brainstate.augment.grad(
        lambda: (weighted(jnp.arange(3)) * jnp.arange(6).reshape(3, 2)).sum(), weighted.weight
    )()
    np.testing.assert_allclose(grads, jax.grad(plain)(w), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("options", [{"max_norm": 0.0}, {"norm_type": 0.5}, {"norm_type": np.inf}])
def test_norms_that_make_no_sense(options):
    with pytest.raises(ValueError, match=f"`{next(iter(options))}` must be"):
        nn.Embedding(5, 3, **options)
