"""`Recurrent`: all steps at once are the steps one by one."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import nn
from brainstate.augment import grad, hessian
from brainstate.compile import for_loop, jit
from brainstate.surrogate import Sigmoid

T, B, N, DT = 12, 2, 4, 1.0
XS = jnp.asarray(np.random.default_rng(0).uniform(0, 6, (T, B, N)), jnp.float32)
WEIGHTS = jnp.asarray(np.random.default_rng(1).normal(size=(N, N)), jnp.float32)

NEURONS = {
    "LIF": lambda: nn.LIF(N, spk_fun=Sigmoid()),
    "LIF, hard reset": lambda: nn.LIF(N, spk_fun=Sigmoid(), spk_reset="hard"),
    "LIFRef": lambda: nn.LIFRef(N, tau_ref=2.0 * u.ms, spk_fun=Sigmoid()),
    "ALIF": lambda: nn.ALIF(N, spk_fun=Sigmoid()),
    "GIF": lambda: nn.GIF(N, V_rest=-51.0 * u.mV, spk_fun=Sigmoid()),
}


def layer_of(neuron, batch=B):
    weights = nn.Linear(N, N, w_init=WEIGHTS * u.mA, b_init=0.2 * u.mA)
    return nn.init_all_states(nn.Recurrent(neuron, weights), batch_size=batch)


def losses(neuron):
    """The spikes, all Adam would need, and the final States: step by step, and all at once."""
    for way in ("steps", "sequence"):
        layer = layer_of(neuron())
        target = layer.states(brainstate.ParamState), brainstate.ParamState(XS)
        times = jnp.arange(1.0, T + 1) * u.ms

        def loss(layer=layer, way=way, xs=target[1], times=times):
            def step(x, t):
                with brainstate.environ.context(t=t):
                    return layer(x)

            drives = xs.value * u.mA
            spikes = (
                layer.sequence(drives, times)
                if way == "sequence"
                else for_loop(step, drives, times)
            )
            power = jnp.arange(T, dtype=float)[:, None, None]
            return (spikes * jnp.sin(power + jnp.arange(N))).sum(), spikes

        with brainstate.environ.context(dt=DT * u.ms):
            gradients, spikes = jit(grad(loss, target, has_aux=True))()
        final = [state.value for state in layer.states(brainstate.HiddenState).values()]
        yield jax.tree.leaves((gradients, final)), spikes


@pytest.mark.parametrize("kind", NEURONS)
def test_sequence_is_step_by_step(kind):
    (expected, spikes), (found, again) = losses(NEURONS[kind])
    np.testing.assert_array_equal(again, spikes)
    assert 0 < spikes.mean() < 1
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * np.abs(b).max())


def by_hand(weights, xs):
    """The LIF network in plain JAX, without units."""
    decay, spike = np.exp(-DT / 5.0), Sigmoid()

    def step(carry, x):
        v, s = carry
        v = decay * (v - s) + (1 - decay) * (x + s @ weights["weight"] + weights["bias"])
        s = spike(v - 1)
        return (v, s), s

    start = jnp.zeros((B, N)), jnp.zeros((B, N))
    return jax.lax.scan(step, start, xs)[1]


def test_agrees_with_plain_jax():
    layer = layer_of(nn.LIF(N, spk_fun=Sigmoid()))
    weight = layer.feedback.weight
    plain = {"weight": WEIGHTS, "bias": jnp.full(N, 0.2)}
    with brainstate.environ.context(dt=DT * u.ms):
        found = jit(grad(lambda: (layer.sequence(XS * u.mA) * XS).sum(), weight))()
    expected = jax.jit(jax.grad(lambda w: (by_hand(w, XS) * XS).sum()))(plain)
    for name, value in expected.items():
        mantissa = found[name].to_decimal(u.mA)
        np.testing.assert_allclose(mantissa, value, rtol=1e-4, atol=1e-5 * np.abs(value).max())


def test_second_derivatives():
    layer = nn.Recurrent(
        nn.LIF(N, R=1.0, tau=5.0, V_th=1.0, V_reset=0.0, V_rest=0.0, spk_fun=Sigmoid()),
        nn.Linear(N, N, w_init=WEIGHTS, b_init=0.2),
    )
    nn.init_all_states(layer, batch_size=B)
    scale = brainstate.ParamState(jnp.float32(1.0))

    def loss():
        return (layer.sequence(XS * scale.value) * XS).sum()

    with brainstate.environ.context(dt=DT):
        found = jit(hessian(loss, scale))()
    plain = {"weight": WEIGHTS, "bias": jnp.full(N, 0.2)}
    expected = jax.jit(jax.hessian(lambda c: (by_hand(plain, XS * c) * XS).sum()))(1.0)
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    assert abs(expected) > 1e-3


def test_wrong_parts_are_refused():
    with pytest.raises(TypeError, match="takes neurons"):
        nn.Recurrent(nn.Linear(2, 2), nn.Linear(2, 2))
    with pytest.raises(TypeError, match="takes spikes"):
        nn.Recurrent(nn.LIF(2), 3.0)
    layer = layer_of(nn.LIF(N))
    with pytest.raises(u.UnitMismatchError, match="the feedback"):
        layer.sequence(XS * u.mV)
