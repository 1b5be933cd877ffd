"""Projections and groups: sharing, timing, order; a network against NumPy."""

import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import nn
from brainstate import transform as bt

MS = 0.1 * u.ms


def siemens(spikes):
    return spikes * u.mS


def aligned(post, merging=True, comm=siemens, scale=1.0 * u.volt, tau=8.0 * u.ms, modules=()):
    syn, out = nn.Expon, nn.CUBA
    if merging:
        syn, out = syn.desc, out.desc
    return nn.AlignPostProj(
        *modules, comm=comm, syn=syn(post.varshape, tau=tau), out=out(scale), post=post
    )


# ---------------------------------------------------------------- post-aligned synapses


@pytest.mark.parametrize("merging", [True, False], ids=["shared", "own"])
@pytest.mark.parametrize("compiled", [True, False], ids=["jit", "eager"])
def test_timing_of_post_aligned_synapses(merging, compiled):
    """Two steps of 0.1 ms: spikes act in the step in which they arrive."""
    post = nn.LIF(2)
    proj = aligned(post, merging)
    assert proj.merging is merging
    net = nn.init_all_states([post, proj])

    def step():
        proj(jnp.full(2, 3.0))
        post()
        return proj.syn.g.value.to_decimal(u.mS), post.V.value.to_decimal(u.mV)

    step = bt.jit(step) if compiled else step
    with brainstate.environ.context(dt=MS):
        found = [step(), step()]
    np.testing.assert_allclose(found[0][0], [3.0, 3.0], rtol=1e-6)
    np.testing.assert_allclose(found[1][0], [5.962733] * 2, rtol=1e-6)
    np.testing.assert_allclose(found[0][1], [0.059404] * 2, rtol=1e-4)
    np.testing.assert_allclose(found[1][1], [0.176298] * 2, rtol=1e-4)
    nn.reset_all_states(net)
    assert not np.any(proj.syn.g.value.mantissa)


def test_equal_descriptions_share_a_synapse():
    post = nn.LIF(1200)
    tau = np.full(1200, 8.0)  # too long to be told from another by its repr
    other = tau.copy()
    other[600] = 9.0
    a, b, c = (aligned(post, tau=t * u.ms) for t in (tau, tau.copy(), other))
    d = aligned(post, tau=tau * u.ms, scale=2.0 * u.volt)
    e = aligned(post, tau=tau * u.ms, merging=False)
    assert a.syn is b.syn
    assert a.out is b.out
    assert len({id(p.syn) for p in (a, c, d, e)}) == 4
    assert list(post.before_updates) == ["Expon-CUBA", "Expon-CUBA-1", "Expon-CUBA-2"]
    assert list(post.current_inputs) == [p.name for p in (a, c, d, e)]
    assert [p.name.removeprefix("AlignPostProj").isdigit() for p in (a, b)] == [True, True]
    assert a.name != b.name

    nn.init_all_states([post, e])
    assert ("_before_updates", "Expon-CUBA", "syn", "g") in post.states()
    assert len(post.states()) == 4
    with brainstate.environ.context(dt=MS):
        a(jnp.ones(1200))
        b(2 * jnp.ones(1200))
        e(jnp.zeros(1200))
        post()
    np.testing.assert_allclose(a.syn.g.value.to_decimal(u.mS), 3.0, rtol=1e-6)
    np.testing.assert_allclose(c.syn.g.value.to_decimal(u.mS), 0.0)


def test_what_a_post_aligned_projection_refuses():
    post, syn, out = nn.LIF(1), nn.Expon(1), nn.CUBA()
    good = {"comm": siemens, "syn": syn, "out": out, "post": post}
    for wrong, text in [
        ({"syn": nn.AMPA(1)}, "`syn`.*AlignPost"),
        ({"syn": nn.LIF.desc(1)}, "`syn`.*AlignPost"),
        ({"syn": nn.Expon.desc(1)}, "`out` must be a description"),
        ({"out": nn.CUBA.desc()}, "`out` must be a SynOut"),
        ({"syn": nn.Expon.desc(1), "out": nn.LIF.desc(1)}, "`out` must be a description"),
        ({"comm": 1.0}, "`comm`"),
        ({"post": nn.Linear(1, 1)}, "`post`.*Linear"),
    ]:
        with pytest.raises(TypeError, match=text):
            nn.AlignPostProj(**{**good, **wrong})
    with pytest.raises(TypeError, match="callable or a State"):
        nn.AlignPostProj(1.0, **good)
    assert not post.current_inputs
    proj = nn.AlignPostProj(**good)
    with pytest.raises(ValueError, match="holds one conductance"):
        nn.AlignPostProj(**{**good, "syn": nn.Expon(1)})
    for args in ((), (1.0, 2.0)):
        with pytest.raises(ValueError, match=f"{proj.name}.*given {len(args)}"):
            proj(*args)


def test_a_projection_that_runs_twice_before_its_target():
    post = nn.LIF(1)
    proj = aligned(post)
    nn.init_all_states(post)
    proj(jnp.ones(1))
    with pytest.raises(ValueError, match=proj.name):
        proj(jnp.ones(1))


# ---------------------------------------------------------------- jumps and currents


def test_jumps_through_a_pipeline():
    post = nn.init_all_states(nn.LIF(2, R=1.0))
    source = brainstate.ShortTermState(jnp.array([1.0, 2.0]))
    chain = nn.DeltaProj(lambda x: x + 1.0, lambda x: x * 2.0, comm=lambda x: x * 0.1, post=post)
    held = nn.DeltaProj(source, comm=lambda x: -x, post=post, label="inhibition")
    chain(jnp.zeros(2))
    held()
    assert list(post.delta_inputs) == [chain.name, f"inhibition // {held.name}"]
    with brainstate.environ.context(dt=0.1):
        post()
    np.testing.assert_allclose(post.V.value, [0.2 - 1.0, 0.2 - 2.0], rtol=1e-6)


def test_graded_currents_with_a_delay():
    """``I = g(V_pre of two steps ago) (E - V)``, against NumPy."""
    pre, post = nn.LIF(2, R=1.0), nn.LIF(2, R=1.0)
    proj = nn.CurrentProj(
        pre.prefetch("V").delay.at(0.2), comm=lambda V: 0.5 * V, out=nn.COBA(E=2.0), post=post
    )
    with brainstate.environ.context(dt=0.1):
        nn.init_all_states([pre, post])

    def step(i):
        with brainstate.environ.context(dt=0.1, i=i):
            proj()
            pre(jnp.array([0.5, 0.9]))
            post()
            return post.V.value

    found = bt.for_loop(step, np.arange(6))
    V_pre, V, expected = [np.zeros(2)], np.zeros(2), []
    for i in range(6):
        g = 0.5 * (V_pre[i - 1] if i >= 1 else 0.0)  # V_pre[k] is the value of step k - 1
        V_pre.append(V_pre[-1] + (np.array([0.5, 0.9]) - V_pre[-1]) * (1 - np.exp(-0.1 / 5)))
        f, rate = (-V + g * (2.0 - V)) / 5, -(1 + g) / 5
        V = V + np.expm1(0.1 * rate) / rate * f
        expected.append(V)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    for wrong in ((lambda: 0, nn.CUBA()), (pre.prefetch("V"), nn.CUBA.desc())):
        with pytest.raises(TypeError, match="must be a"):
            nn.CurrentProj(wrong[0], comm=siemens, out=wrong[1], post=post)


# ---------------------------------------------------------------- groups and marks


def test_groups_update_projections_first():
    log = []

    def logger(base, name, *args):
        class Logs(base):
            def update(self, *given):
                log.append((name, *given))

        return Logs(*args)

    cell, proj, other = (
        logger(nn.Dynamics, "cell", 1), logger(nn.Projection, "projection"),
        logger(nn.Module, "other"),
    )  # fmt: skip
    group = nn.DynamicsGroup(other, proj, a=cell)
    assert group.layers_tuple == (other, proj)
    assert group.layers_dict == {"a": cell}
    group.late = logger(nn.Projection, "late")
    assert group() is None
    assert log == [("late",), ("projection",), ("cell",), ("other",)] or log == [
        ("projection",), ("late",), ("cell",), ("other",),
    ]  # fmt: skip
    with pytest.raises(TypeError, match="without arguments"):
        group(1.0)
    with pytest.raises(TypeError, match="made of modules"):
        nn.DynamicsGroup(abs)

    log.clear()
    both = nn.Projection("both")
    with pytest.raises(ValueError, match="'both' has no child"):
        both(1.0)
    both.b, both.a = cell, other
    both(1.0)
    assert log == [("other", 1.0), ("cell", 1.0)]


def test_a_group_of_aligned_projections_runs_them_before_their_target():
    post = nn.LIF(1, R=1.0)
    kick = nn.DeltaProj(brainstate.State(jnp.array([0.5])), comm=lambda x: x, post=post)
    group = nn.init_all_states(nn.DynamicsGroup(post, kick))
    with brainstate.environ.context(dt=0.1):
        group()
    np.testing.assert_allclose(post.V.value, [0.5])
    assert not post.delta_inputs


def test_marks():
    def fun():
        """Marked and unmarked."""

    for mark, unmark, name in [
        (nn.not_receive_update_output, nn.receive_update_output, "_not_receive_update_output"),
        (nn.receive_update_input, nn.not_receive_update_input, "_receive_update_input"),
    ]:
        assert mark(fun) is fun
        assert hasattr(fun, name)
        assert unmark(unmark(fun)) is fun
        assert not hasattr(fun, name)
        with pytest.raises(TypeError, match="cannot be marked"):
            mark(abs)


# ---------------------------------------------------------------- a whole network

N_E, N_I, STEPS, DT = 80, 20, 200, 0.1
TAU, TAU_REF, V_REST, V_TH, DELAY = 20.0, 5.0, -60.0, -50.0, 0.5
TAU_E, TAU_I, E_E, E_I = 5.0, 10.0, 0.0, -80.0


class Network(nn.DynamicsGroup):
    """Excitatory and inhibitory neurons, with noise on the excitatory synapses."""

    def __init__(self, weights, V):
        super().__init__()
        self.E, self.I = (self.population(n, v) for n, v in zip((N_E, N_I), V, strict=True))
        pre = {"E": self.E.output_delay(DELAY * u.ms), "I": self.I.output_delay(DELAY * u.ms)}
        self.projections = {
            source + target: self.projection(pre[source], weights[source + target], source, target)
            for source in "EI"
            for target in "EI"
        }
        self.noise = self.projection(lambda spikes: spikes, weights["noise"], "E", "E")

    def population(self, n, V):
        return nn.LIFRef(
            n, tau=TAU * u.ms, tau_ref=TAU_REF * u.ms, V_th=V_TH * u.mV, V_reset=V_REST * u.mV,
            V_rest=V_REST * u.mV, V_initializer=V * u.mV, spk_reset="hard",
        )  # fmt: skip

    def projection(self, pre, weight, source, target):
        post = getattr(self, target)
        tau, reversal = (TAU_E, E_E) if source == "E" else (TAU_I, E_I)
        syn = nn.Expon.desc(post.varshape, tau=tau * u.ms)
        out = nn.COBA.desc(reversal * u.mV)
        comm = nn.Linear(*weight.shape, w_init=weight * u.siemens, b_init=None)
        return nn.AlignPostProj(pre, comm=comm, syn=syn, out=out, post=post)

    def update(self, noise):
        for projection in self.projections.values():
            projection()
        self.noise(noise)
        return self.E(20.0 * u.mA), self.I(20.0 * u.mA)


def plain_network(weights, V, noise):
    """The same scheme in NumPy: the spikes of all steps, and the last potentials."""
    V = dict(zip("EI", map(np.copy, V), strict=True))
    sizes = {"E": N_E, "I": N_I}
    g = {source + target: np.zeros(sizes[target]) for source in "EI" for target in "EI"}
    last = {name: np.full(n, -1e7) for name, n in sizes.items()}
    spikes = {name: [] for name in "EI"}
    back = round(DELAY / DT)
    for step in range(STEPS):
        late = {
            k: s[step - back] if step >= back else np.zeros(sizes[k]) for k, s in spikes.items()
        }
        for name in "EI":
            g["E" + name] = g["E" + name] * np.exp(-DT / TAU_E) + late["E"] @ weights["E" + name]
            g["I" + name] = g["I" + name] * np.exp(-DT / TAU_I) + late["I"] @ weights["I" + name]
            if name == "E":
                g["EE"] += noise[step] @ weights["noise"]
            v, fired = V[name], V[name] >= V_TH
            v = np.where(fired, V_REST, v)
            ge, gi = g["E" + name], g["I" + name]
            slope = (V_REST - v + 20.0 + ge * (E_E - v) + gi * (E_I - v)) / TAU
            rate = -(1 + ge + gi) / TAU
            new = v + np.expm1(DT * rate) / rate * slope
            new = np.where(step * DT - last[name] < TAU_REF, v, new)
            last[name] = np.where(new >= V_TH, step * DT, last[name])
            V[name] = new
        for name in "EI":
            spikes[name].append((V[name] >= V_TH).astype(float))
    return spikes, V


def test_a_network_of_excitatory_and_inhibitory_neurons():
    rng = np.random.default_rng(1)
    V = rng.normal(-55.0, 3.0, N_E), rng.normal(-55.0, 3.0, N_I)
    sizes, strength = {"E": N_E, "I": N_I}, {"E": 0.1, "I": 1.0}
    weights = {
        a + b: strength[a] * (rng.random((sizes[a], sizes[b])) < 0.2) for a in "EI" for b in "EI"
    }
    weights["noise"] = 0.2 * np.eye(N_E)
    noise = (rng.random((STEPS, N_E)) < 0.02).astype(float)
    expected, last = plain_network(weights, V, noise)

    with brainstate.environ.context(precision=64, dt=DT * u.ms):
        net = nn.init_all_states(Network(weights, V))
        assert len(net.states(brainstate.HiddenState)) == 2 + 4  # noise and EE share a synapse

        @bt.jit
        def simulate():
            def step(i, noise):
                with brainstate.environ.context(i=i, t=i * DT * u.ms):
                    return net(noise)

            return bt.for_loop(step, np.arange(STEPS), noise)

        found = simulate()
    for name, spikes in zip("EI", map(np.asarray, found), strict=True):
        assert 0.3 * sizes[name] < np.sum(spikes) < 5 * sizes[name]
        np.testing.assert_array_equal(spikes, expected[name])
        population = getattr(net, name)
        np.testing.assert_allclose(population.V.value.to_decimal(u.mV), last[name], rtol=1e-9)
