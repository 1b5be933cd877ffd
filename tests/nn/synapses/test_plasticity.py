"""Rules of plasticity, against sums over all pairs and triplets of spikes in NumPy."""

import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse

import brainstate
from brainstate import event, init, nn
from brainstate import transform as bt

RNG = np.random.default_rng(0)
STEPS, PRE, POST, DT = 60, 5, 4, 0.5
SPIKES = RNG.random((STEPS, PRE)) < 0.2, RNG.random((STEPS, POST)) < 0.2
MATRIX = scipy.sparse.random_array((PRE, POST), density=0.6, rng=RNG, format="csr")
SYNAPSES = MATRIX.tocoo()

LAYERS = {
    "Linear": (lambda w: nn.Linear(PRE, POST, w_init=w), np.indices((PRE, POST))),
    "event.Linear": (lambda w: event.Linear(PRE, POST, w), np.indices((PRE, POST))),
    "event.FixedProb": (lambda w: event.FixedProb(PRE, POST, 0.5, w, seed=0), None),
    "event.CSRLinear": (
        lambda w: event.CSRLinear(PRE, POST, MATRIX.indptr, MATRIX.indices, w),
        SYNAPSES.coords,
    ),
}


def run(rule, *inputs):
    """The weights, in nS, after steps with these inputs."""

    @bt.jit
    def whole(*inputs):
        with brainstate.environ.context(dt=DT * u.ms):
            bt.for_loop(lambda *now: rule(*now), *inputs)

    whole(*inputs)
    value = rule.layer.weight.value
    value = value["weight"] if isinstance(value, dict) else value
    return np.asarray(value.to_decimal(u.nS))


def kernel(tau):
    """``kernel(tau)[i, j]`` is what step `j` left of a trace at step `i`."""
    gap = np.arange(STEPS)[:, None] - np.arange(STEPS)
    return np.where(gap > 0, np.exp(-np.maximum(gap, 0) * DT / tau), 0)


def pair_changes(pre, post, plus=0.03, minus=0.02, tau_plus=6.0, tau_minus=11.0):
    """The change in each step of the synapse of each pair of neurons: a sum over earlier spikes."""
    grown = np.einsum("ti,tj->tij", kernel(tau_plus) @ pre, post)
    return plus * grown - minus * np.einsum("ti,tj->tij", pre, kernel(tau_minus) @ post)


def pair_rule(layer, **options):
    return nn.PairSTDP(
        layer, 0.03 * u.nS, 2e-5 * u.uS, tau_plus=6.0 * u.ms, tau_minus=11e-3 * u.second, **options
    )


@pytest.mark.parametrize("kind", LAYERS)
def test_pairs_of_spikes_at_every_kind_of_synapse(kind):
    make, synapses = LAYERS[kind]
    layer = make(init.Constant(2.0 * u.nS))
    if synapses is None:
        synapses = np.arange(PRE)[:, None], np.asarray(layer.indices)
    rule = nn.init_all_states(pair_rule(layer))
    found = run(rule, *SPIKES)
    expected = 2.0 + pair_changes(*SPIKES).sum(0)[tuple(synapses)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert np.ptp(expected) > 0.1


def test_window():
    """One pair of spikes, at each distance and order."""
    gaps = np.arange(-20, 21)
    layer = event.Linear(41, 41, init.Constant(1.0 * u.nS))
    rule = nn.init_all_states(pair_rule(layer))
    pre, post = np.zeros((41, 41), bool), np.zeros((41, 41), bool)
    pre[20], post[gaps + 20, np.arange(41)] = True, True
    found = run(rule, pre, post)[0] - 1.0
    s = np.abs(gaps) * DT
    late, early = 0.03 * np.exp(-s / 6.0), -0.02 * np.exp(-s / 11.0)
    expected = np.where(gaps > 0, late, np.where(gaps < 0, early, 0))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_triplets_of_spikes():
    a2_plus, a2_minus, a3_plus, a3_minus = 0.01, 0.02, 0.03, 0.015
    taus = {"tau_plus": 6.0, "tau_minus": 11.0, "tau_x": 25.0, "tau_y": 30.0}
    pre, post = SPIKES
    r1, r2 = kernel(taus["tau_plus"]) @ pre, kernel(taus["tau_x"]) @ pre
    o1, o2 = kernel(taus["tau_minus"]) @ post, kernel(taus["tau_y"]) @ post
    expected = 1.0 + (
        np.einsum("ti,tj->ij", r1, post * (a2_plus + a3_plus * o2))
        - np.einsum("ti,tj->ij", pre * (a2_minus + a3_minus * r2), o1)
    )
    amplitudes = [a * u.nS for a in (a2_plus, a2_minus, a3_plus, a3_minus)]
    layer = event.Linear(PRE, POST, init.Constant(1.0 * u.nS))
    rule = nn.TripletSTDP(layer, *amplitudes, **{name: tau * u.ms for name, tau in taus.items()})
    np.testing.assert_allclose(run(nn.init_all_states(rule), pre, post), expected, atol=1e-5)


def test_three_factors():
    """A number, one for each sample, and one for each neuron behind."""
    layer = event.Linear(PRE, POST, init.Constant(1.0 * u.nS))
    rule = nn.init_all_states(nn.ThreeFactor(pair_rule(layer), tau_e=40.0 * u.ms), 2)
    pre = np.stack([SPIKES[0], SPIKES[0][::-1]], 1)
    post = np.stack([SPIKES[1], SPIKES[1][:, ::-1]], 1)
    changes = np.stack([pair_changes(pre[:, b], post[:, b]) for b in range(2)])
    e = np.einsum("st,btij->bsij", kernel(40.0) + np.eye(STEPS), changes)
    for shape in [(STEPS,), (STEPS, 2), (STEPS, 2, POST)]:
        modulator = RNG.normal(size=shape)
        wide = modulator.reshape(*shape, *(1,) * (3 - len(shape)))
        each = np.broadcast_to(wide, (STEPS, 2, POST))
        layer.weight.value = jnp.full((PRE, POST), 1.0) * u.nS
        nn.reset_all_states(rule, 2)
        expected = 1.0 + np.einsum("sbj,bsij->ij", each, e) / 2
        np.testing.assert_allclose(run(rule, pre, post, modulator), expected, rtol=1e-5)
    with pytest.raises(ValueError, match=r"`modulator`.*\(2,\) or \(2, 4\).*found \(3,\)"):
        rule(pre[0], post[0], np.ones(3))


def test_bounds_batches_and_many_dimensions():
    layer = nn.Linear((2, PRE), (2, POST), w_init=init.Constant(1.0 * u.nS), b_init=None)
    rule = pair_rule(layer, w_min=0.9 * u.nS, w_max=1.02e-3 * u.uS)
    nn.init_all_states(rule, 3)
    pre, post = RNG.random((STEPS, 3, 2, PRE)) < 0.2, RNG.random((STEPS, 3, 2, POST)) < 0.2
    changes = [pair_changes(pre[:, b, k], post[:, b, k]) for b in range(3) for k in range(2)]
    expected, visited = np.full((PRE, POST), 1.0), set()
    for change in np.mean(changes, 0):
        expected = np.clip(expected + change, 0.9, 1.02)
        visited |= {expected.min(), expected.max()}
    np.testing.assert_allclose(run(rule, pre, post), expected, rtol=1e-5)
    assert {0.9, 1.02} <= visited  # both bounds were met on the way
    with pytest.raises(ValueError, match=r"batch axes \(2,\); its States have \(3,\)"):
        run(rule, pre[:, :2], post[:, :2])
    with pytest.raises(ValueError, match=r"\(3,\) before and \(2,\) behind"):
        run(rule, pre, post[:, :2])


def test_what_no_rule_fits_is_refused():
    with pytest.raises(TypeError, match=r"weights of shape \(\).*needs \(3, 2\)"):
        nn.PairSTDP(event.Linear(3, 2, 1.0))
    with pytest.raises(TypeError, match="ReLU has no weights"):
        nn.TripletSTDP(nn.ReLU())
    layer = event.Linear(3, 2, init.Constant(1.0 * u.nS))
    with pytest.raises(u.UnitMismatchError, match=r"`A_plus`.*nS"):
        nn.PairSTDP(layer)
    with pytest.raises(u.UnitMismatchError, match=r"`A2_plus`.*nS"):
        nn.TripletSTDP(layer)
    with pytest.raises(u.UnitMismatchError, match=r"`w_max`.*nS"):
        pair_rule(layer, w_max=1.0)
