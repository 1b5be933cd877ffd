"""Defects of earlier releases of BrainState, each with the behaviour that is right.

The numbers are those of the list that these tests were made from: tracing and State integrity
(1-16), gradients (17-23), mapping and the graph (24-33), control flow (34-39), models and
optimizers (40-47), and others.
"""

import copy
import pickle
import threading

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import brainstate
from brainstate import HiddenState, ParamState, ShortTermState, State, StateTraceStack, nn, optim
from brainstate.augment import grad, hessian, jacfwd, jacrev, restore_rngs, vector_grad, vmap
from brainstate.compile import (
    bounded_while_loop,
    checkpoint,
    cond,
    for_loop,
    ifelse,
    jit,
    jit_error_if,
)
from brainstate.util import BrainStateError, TraceContextError


@pytest.fixture(autouse=True)
def _same_key_afterwards():
    with brainstate.random.seed_context(0):
        yield


class Node(brainstate.graph.Node):
    """Attributes only."""


# ---------------------------------------------------------------- tracing, caching, States


def test_w1_errors_leave_no_tracer():
    p = ParamState(jnp.ones(2))
    before = p.value

    def fail(x):
        p.value = p.value * x
        raise ZeroDivisionError

    with pytest.raises(TypeError, match="scalar output"):
        grad(lambda: p.value, p)()
    for run in (lambda: jit(fail)(2.0), lambda: for_loop(fail, jnp.ones(2))):
        with pytest.raises(ZeroDivisionError):
            run()
    assert p.value is before
    np.testing.assert_array_equal(grad(lambda: p.value.sum(), p)(), [1, 1])


def test_w2_structure_is_part_of_the_key():
    f = jit(lambda t: t["a"] if "a" in t else -t["b"])
    assert [float(f({"a": 5.0})), float(f({"b": 5.0}))] == [5.0, -5.0]


def test_w3_keyword_names_are_part_of_the_key():
    f = jit(lambda x=1.0, y=2.0: x - y)
    assert [float(f(x=5.0)), float(f(y=5.0))] == [3.0, -4.0]


def test_w4_units_are_part_of_the_key():
    f = jit(lambda x: x.to_decimal(u.mV))
    assert [float(f(1.0 * u.mV)), float(f(1.0 * u.volt))] == [1.0, 1000.0]


@pytest.mark.parametrize(("value", "expected"), [
    (jnp.zeros(3), 3), (jnp.ones(2, int), 4), ((jnp.ones(2), jnp.ones(1)), 5),
], ids=["shape", "dtype", "tree"])  # fmt: skip
def test_w5_a_state_of_another_type_is_traced_anew(value, expected):
    s = State(jnp.zeros(2))

    def total():
        leaves = jax.tree.leaves(s.value)
        return sum(leaf.sum() + leaf.shape[0] for leaf in leaves)

    f = jit(total)
    assert f() == 2
    s.value = value
    assert f() == expected + (1 if isinstance(value, tuple) else 0)


def test_w6_replaced_states_are_followed():
    m = brainstate.nn.Module()
    m.h = HiddenState(jnp.zeros(2))

    @jit
    def step():
        m.h.value = m.h.value + 1

    step()
    m.h = HiddenState(jnp.zeros(2) + 100)
    step()
    np.testing.assert_array_equal(m.h.value, [101, 101])


def test_w7_settings_are_followed():
    f = jit(lambda x: x * brainstate.environ.get("dt"))
    with brainstate.environ.context(dt=0.25):
        a = f(1.0)
    with brainstate.environ.context(dt=0.5):
        b = f(1.0)
    assert [float(a), float(b)] == [0.25, 0.5]


def test_w8_a_state_made_in_one_transformation_is_seen_by_later_ones():
    box, p = [], ParamState(jnp.ones(2))

    def loss():
        if not box:
            box.append(State(jnp.zeros(2)))
        box[0].value = jnp.ones(2) * 3
        return (p.value**2).sum()

    grad(loss, p)()
    s = box[0]
    f = jit(lambda: s.value * 1.0)
    np.testing.assert_array_equal(f(), [3, 3])
    s.value = jnp.ones(2) * 9
    np.testing.assert_array_equal(f(), [9, 9])


def test_w9_writes_are_found_anew_at_each_call():
    p, a, b = ParamState(jnp.ones(2)), State(jnp.zeros(2)), State(jnp.zeros(2))
    first = True

    def loss():
        (a if first else b).value = p.value * 2
        return (p.value**2).sum()

    g = grad(loss, p)
    g()
    np.testing.assert_array_equal(b.value, [0, 0])
    first = False
    g()
    np.testing.assert_array_equal(np.asarray(b.value), [2, 2])


def test_w10_an_eager_gradient_runs_the_function():
    p, k = ParamState(jnp.ones(2)), [1.0]
    g = grad(lambda: (p.value * k[0]).sum(), p)
    np.testing.assert_array_equal(g(), [1, 1])
    k[0] = 5.0
    np.testing.assert_array_equal(g(), [5, 5])


@pytest.mark.parametrize("transform", [
    lambda f: f, jit, lambda f: lambda: for_loop(f, length=1), checkpoint,
    lambda f: lambda: cond(True, f, lambda: 0.0), lambda f: vmap(f, axis_size=2),
], ids=["eager", "jit", "for_loop", "checkpoint", "cond", "vmap"])  # fmt: skip
def test_w11_edits_in_place_count_everywhere(transform):
    p = ParamState({"w": jnp.ones(2)})

    def body():
        p.value["w"] = p.value["w"] * 3
        return p.value["w"].sum()

    transform(body)()
    np.testing.assert_array_equal(p.value["w"], [3, 3])


def test_w11_edits_in_place_count_in_gradients():
    p = ParamState({"w": jnp.ones(2)})

    def loss():
        p.value["w"] = p.value["w"] * 3
        return p.value["w"].sum()

    for expected in (3.0, 9.0):
        np.testing.assert_array_equal(grad(loss, p)()["w"], [3, 3])
        np.testing.assert_array_equal(p.value["w"], [expected, expected])


@pytest.mark.parametrize("transform", [
    lambda f: jax.jit(f)(jnp.ones(3)),
    lambda f: jax.vmap(f)(jnp.ones((2, 3))),
    lambda f: jax.grad(lambda x: f(x).sum())(jnp.ones(3)),
    lambda f: jax.lax.scan(lambda c, x: (c, f(x)), 0, jnp.ones((2, 3))),
    lambda f: jax.lax.cond(True, f, f, jnp.ones(3)),
    lambda f: jax.checkpoint(f)(jnp.ones(3)),
], ids=["jit", "vmap", "grad", "scan", "cond", "checkpoint"])  # fmt: skip
def test_w12_plain_jax_does_not_leak(transform):
    s = State(jnp.zeros(3), name="potential")
    before = s.value

    def f(x):
        s.value = x * 2
        return x

    with pytest.raises(TraceContextError, match="'potential' was assigned inside a plain jax"):
        transform(f)
    assert s.value is before


def test_w13_a_state_made_in_a_loop_body_is_refused_or_works():
    m = Node()

    def body(x):
        if not hasattr(m, "h"):
            m.h = ShortTermState(jnp.zeros(()))
        m.h.value = m.h.value + x
        return m.h.value

    try:
        out = for_loop(body, jnp.arange(3.0))
    except BrainStateError as error:
        assert "loop" in str(error)  # noqa: PT017
        assert not hasattr(m, "h")
    else:
        # What is not refused must not leave a State that looks usable and is dead.
        with pytest.raises(TraceContextError, match=r"`h` of Node has no value here.*loop"):
            _ = m.h.value
        assert out.shape == (3,)
    m.h = ShortTermState(jnp.zeros(()))
    np.testing.assert_array_equal(for_loop(body, jnp.arange(3.0)), [0, 1, 3])
    assert m.h.value == 3


def test_w13_states_made_in_jit_live_on():
    m = Node()

    @jit
    def init(x):
        m.h = HiddenState(x * 2)

    init(jnp.ones(2))
    np.testing.assert_array_equal(np.asarray(m.h.value), [2, 2])


def test_w14_donation_donates_the_argument():
    s = State(jnp.arange(3.0))
    old, x = s.value, jnp.ones(3)

    def step(x):
        s.value = s.value + x
        return x * 2

    jit(step, donate_argnums=0)(x)
    assert [old.is_deleted(), x.is_deleted()] == [False, True]
    np.testing.assert_array_equal(s.value, [1, 2, 3])


def test_w15_no_leaked_trace():
    s = State(jnp.zeros(3))

    def step():
        s.value = s.value + 1

    with jax.checking_leaks():
        jit(step)()
    np.testing.assert_array_equal(s.value, [1, 1, 1])


def test_w16_settings_and_randomness_in_threads(monkeypatch):
    monkeypatch.setattr(brainstate.environ, "_process", brainstate.environ._process)
    brainstate.environ.set(dt=0.3)
    out = []

    def work():
        out.append(brainstate.environ.get_dt())
        out.append(brainstate.random.rand(2).shape)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert out == [0.3, (2,)]


# ---------------------------------------------------------------- gradients


def test_w17_a_shared_state_has_one_gradient():
    n = Node()
    n.s = ParamState(jnp.ones(2))
    n.b = Node()
    n.b.s = n.s
    states = brainstate.graph.states(n)
    assert len(states) == 1
    (gradient,) = grad(lambda: (n.s.value**2).sum(), states)().values()
    np.testing.assert_array_equal(gradient, [2, 2])
    twice = grad(lambda: (n.s.value**2).sum(), {"x": n.s, "y": n.b.s})()
    np.testing.assert_array_equal(twice["x"], twice["y"])
    np.testing.assert_array_equal(twice["x"], [2, 2])


def test_w18_hessian_nests_containers():
    p, q = ParamState(jnp.ones(1)), ParamState(2.0)
    h = hessian(lambda: (p.value**2).sum() * q.value, {"p": p, "q": q})()
    np.testing.assert_array_equal(h["p"]["p"], [[4]])
    np.testing.assert_array_equal(h["p"]["q"], [2])
    np.testing.assert_array_equal(h["q"]["p"], [2])
    assert h["q"]["q"] == 0
    np.testing.assert_array_equal(hessian(lambda: (p.value**2).sum() * 1.0, p)(), [[2]])


def test_w19_hessian_of_dict_valued_states():
    p = ParamState({"a": jnp.ones(2)})
    h = hessian(lambda: (p.value["a"] ** 2).sum(), p)()
    np.testing.assert_array_equal(h["a"]["a"], 2 * np.eye(2))


@pytest.mark.parametrize("transform", [jacrev, jacfwd])
def test_w20_jacobian_of_trees(transform):
    p = ParamState(jnp.ones(2))
    found = transform(lambda: {"o": p.value * 2}, {"p": p})()
    np.testing.assert_array_equal(found["o"]["p"], 2 * np.eye(2))
    first, second = transform(lambda: (p.value * 2, p.value.sum()), [p])()
    np.testing.assert_array_equal(first[0], 2 * np.eye(2))
    np.testing.assert_array_equal(second[0], [1, 1])


def test_w21_negative_argnums():
    assert grad(lambda x, y: x * y, argnums=-1)(2.0, 3.0) == 2.0
    assert grad(lambda x, y: x * y, argnums=(-2, -1))(2.0, 3.0) == (3.0, 2.0)


def test_w22_gradient_of_a_gradient_keeps_states_intact():
    w = ParamState(jnp.array([1.0, 2.0]))
    before, g = w.value, grad(lambda: (w.value**3).sum(), w)
    with pytest.raises(TypeError, match=r"vector_grad.*hessian"):
        grad(g, w)()
    assert w.value is before
    np.testing.assert_array_equal(vector_grad(g, w)(), [6, 12])


def test_w23_gradients_in_their_own_unit():
    p = ParamState(jnp.array([1.0, 2.0]) * u.mV)
    found = grad(lambda: (u.get_mantissa(p.value) ** 2).sum(), p, unit_aware=True)()
    np.testing.assert_allclose(found.to_decimal(u.mV**-1), [2, 4])


# ---------------------------------------------------------------- mapping and the graph


def test_w24_lanes_and_calls_draw_apart():
    f = vmap(lambda x: brainstate.random.rand())
    found = np.concatenate([f(jnp.arange(3.0)), f(jnp.arange(3.0))])
    assert len(set(found.tolist())) == 6


def test_w25_a_batched_write_is_refused():
    s = State(jnp.zeros(()), name="total")

    def f(x):
        s.value = x
        return x

    with pytest.raises(BrainStateError, match="'total' differs between the lanes"):
        vmap(f)(jnp.arange(3.0))
    assert np.asarray(s.value) == 0


def test_w25_initialising_a_closed_over_net():
    net = Node()
    net.w = ParamState(jnp.ones(2))

    @vmap(out_axes=brainstate.augment.StateAxes({"new": 0, ...: None}))
    def init(x):
        with brainstate.catch_new_states("new"):
            net.v = HiddenState(x * net.w.value)
        return net

    out = init(jnp.arange(3.0))
    for node in (net, out):
        np.testing.assert_array_equal(np.asarray(node.v.value), [[0, 0], [1, 1], [2, 2]])
        np.testing.assert_array_equal(node.w.value, [1, 1])


def test_w26_keys_are_put_back():
    keys, before = brainstate.random.split_key(3), brainstate.random.get_key()

    def fail(key):
        brainstate.random.set_key(key)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        vmap(fail)(keys)
    np.testing.assert_array_equal(brainstate.random.get_key(), before)
    brainstate.random.rand(2)
    before = brainstate.random.get_key()

    @restore_rngs
    def recur(n):
        brainstate.random.rand()
        if n:
            recur(n - 1)

    recur(1)
    np.testing.assert_array_equal(brainstate.random.get_key(), before)


def test_w27_keyword_arguments_in_vmap():
    found = vmap(lambda x, y=1: x * y)(jnp.arange(3.0), y=jnp.arange(3.0))
    np.testing.assert_array_equal(found, [0, 1, 4])


def test_w28_in_axes_as_a_list():
    found = vmap(lambda a, b: a + b, in_axes=[0, None])(jnp.arange(3.0), 1.0)
    np.testing.assert_array_equal(found, [1, 2, 3])


def test_w29_a_mapped_call_leaves_its_argument_alone():
    class F(brainstate.nn.Module):
        def __init__(self):
            super().__init__()
            self.z = 1
            self.l = [ParamState(jnp.arange(3.0))]

    f = F()
    text, held = repr(f), f.l
    vmap(lambda m: None)(f)
    assert repr(f) == text
    assert f.l is held


def test_w30_copies_share_nothing():
    layer = brainstate.nn.Linear(2, 2)
    start = np.asarray(layer.weight.value["bias"])
    copies = [
        brainstate.graph.clone(layer), copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)),
    ]  # fmt: skip
    for other in copies:
        other.weight.value["bias"] = other.weight.value["bias"] + 1
        np.testing.assert_array_equal(other.weight.value["bias"], start + 1)
    np.testing.assert_array_equal(layer.weight.value["bias"], start)


def test_w31_definitions_with_arrays_are_hashable():
    m = Node()
    m.a = jnp.ones(2)
    graphdef = brainstate.graph.graphdef(m)
    assert hash(graphdef) == hash(brainstate.graph.graphdef(m))
    assert graphdef == brainstate.graph.graphdef(m)


def test_w32_states_compare_by_identity():
    p, q = ParamState(jnp.ones(2)), ParamState(jnp.ones(2))
    assert q not in [p, None]
    assert len({p, q, p}) == 2


def test_w33_dict_and_list_nodes():
    d = brainstate.graph.Dict(a=1, b=2)
    assert len(d) == 2
    assert list(d) == ["a", "b"]
    g = brainstate.graph.List([1])
    g.append(2)
    assert [k for k in vars(g) if k.isdigit()] == ["0", "1"]
    assert list(g) == [1, 2]


def test_w33_updates_make_states_of_references():
    layer = brainstate.nn.Linear(2, 2)
    refs = brainstate.util.NestedDict({"z": ParamState(3.0).to_state_ref()})
    brainstate.graph.update_states(layer, refs)
    assert type(layer.z) is ParamState
    assert layer.z.value == 3.0


def test_w33_small_things():
    with brainstate.catch_new_states():
        s = State(1.0, tag="mine")
    assert s.tag == "mine"
    with pytest.raises(TypeError, match="filter"):
        brainstate.nn.Linear(2, 2).states(3)
    assert not hasattr(brainstate.util.NestedDict({"a": 1}), "zz")


# ---------------------------------------------------------------- control flow


def test_w34_bounded_while_loop_counts():
    def count(limit, max_steps):
        return bounded_while_loop(lambda v: v < limit, lambda v: v + 1, 0, max_steps=max_steps)

    assert count(5, 20) == 5
    assert count(500, 17) == 17
    out = bounded_while_loop(
        lambda v: v[0] < 5, lambda v: (v[0] + 1, v[1] * 2), (0, 1.0), max_steps=20
    )
    assert (int(out[0]), float(out[1])) == (5, 32.0)


def test_w35_checkpoint_with_writes():
    s = State(jnp.ones(()))

    def f(x):
        s.value = s.value * x
        return x

    out = checkpoint(f)(2.0)
    assert s.value == 2
    assert "Typed" not in type(out).__name__
    assert float(out) == 2.0


def test_w36_for_loop_without_inputs():
    np.testing.assert_array_equal(for_loop(lambda: 1.0, length=3), [1, 1, 1])


def test_w37_errors_of_ifelse():
    def run():
        jax.block_until_ready(ifelse([True, True], [lambda: 1, lambda: 2]))
        jax.effects_barrier()

    with pytest.raises(jax.errors.JaxRuntimeError, match="exactly one condition must hold; 2 do"):
        run()
    with pytest.raises(ValueError, match=r"1 conditions for 2 branches.*check_cond=False"):
        ifelse([False], [lambda: 1, lambda: 2])
    assert ifelse([False, True], [lambda: 1, lambda: 2], check_cond=False) == 2


def test_w38_errors_of_jit_error_if():
    def run():
        jit_error_if(True, "bad {x}", x=3)
        jax.effects_barrier()

    with pytest.raises(jax.errors.JaxRuntimeError, match="bad 3"):
        run()


def test_w39_eager_loops_and_branches_are_kept():
    runs = []

    def body(x):
        runs.append(1)
        return x

    for _ in range(3):
        for_loop(body, jnp.arange(3.0))
    assert len(runs) == 1
    runs.clear()
    for _ in range(3):
        cond(True, body, lambda x: x, 1.0)
    assert len(runs) == 1


# ---------------------------------------------------------------- models and optimizers


def descend(optimizer, calls=1):
    """The weight after each of so many updates from 1 with the gradient 1."""
    w = ParamState(jnp.ones(1))
    optimizer.register_trainable_weights({"w": w})
    path = []
    for _ in range(calls):
        optimizer.update({"w": jnp.ones(1)})
        path.append(float(w.value[0]))
    return path


def test_w40_adam_corrects_its_bias():
    np.testing.assert_allclose(descend(optim.Adam(0.1), 3), [0.9, 0.8, 0.7], rtol=1e-4)


def test_w41_momentum_descends():
    np.testing.assert_allclose(descend(optim.Momentum(0.1), 2), [0.9, 0.71], rtol=1e-5)
    np.testing.assert_allclose(descend(optim.MomentumNesterov(0.1), 1), [0.81], rtol=1e-5)


@pytest.mark.parametrize("make", [
    lambda: optim.AdamW(lr=0.1), lambda: optim.Adan(lr=0.1), lambda: optim.LARS(lr=0.1),
    lambda: optim.OptaxOptimizer(optax.sm3(0.1)),
], ids=["AdamW", "Adan", "LARS", "SM3"])  # fmt: skip
def test_w42_every_optimizer_runs(make):
    assert descend(make())[0] < 1


def test_w42_warm_restarts_of_growing_length():
    lr = optim.CosineAnnealingWarmRestarts(1.0, num_call_per_epoch=1, T_0=2, T_mult=2)
    found = [float(lr(i)) for i in range(7)]
    quarter = [0.5 * (1 + np.cos(np.pi * i / 4)) for i in range(4)]
    np.testing.assert_allclose(found, [1, 0.5, *quarter, 1], rtol=1e-6)


def test_w43_a_new_learning_rate_is_followed():
    p, optimizer = ParamState(jnp.ones(1)), optim.SGD(1.0)
    optimizer.register_trainable_weights({"p": p})
    f = jit(lambda: optimizer.update({"p": jnp.ones(1)}))
    f()
    optimizer.lr.lr = 0.1
    f()
    np.testing.assert_allclose(p.value, [-0.1], rtol=1e-6)


def test_w44_short_term_plasticity_runs():
    synapse = nn.init_all_states(nn.STP(2))
    with brainstate.environ.context(dt=0.1 * u.ms):
        found = synapse(jnp.array([1.0, 0.0]))
    raised = 0.15 + 0.15 * 0.85  # u at rest jumps by U (1 - u), then x falls by u x
    np.testing.assert_allclose(found, [raised * (1 - raised), 0.15], rtol=1e-5)


def test_w45_spikes_come_at_their_times():
    source = nn.init_all_states(nn.SpikeTime(3, indices=[0, 1, 2], times=[0.0, 1.0, 2.0] * u.ms))
    found = []
    for t in (0.0, 1.0, 2.0):
        with brainstate.environ.context(t=t * u.ms, dt=1.0 * u.ms):
            found.append(source().astype(int))
    np.testing.assert_array_equal(found, np.eye(3, dtype=int))


def test_w46_works_at_first_use():
    with brainstate.environ.context(fit=True, dt=0.1 * u.ms):
        assert nn.PoissonSpike(4, freqs=10 * u.Hz)().shape == (4,)
        assert nn.AlphaDropout()(jnp.ones(3)).shape == (3,)
    welford = nn.metrics.Welford()
    welford.update(values=jnp.ones(2))
    assert welford.compute().mean == 1
    assert list(nn.save_all_states(nn.Linear(1, 1))) == [("weight",)]
    assert nn.SpikeBitwise()(jnp.ones(1), jnp.ones(1)).shape == (1,)
    assert brainstate.init.TruncatedNormal()((3,)).shape == (3,)
    assert nn.Unflatten(-1, (2, 2))(jnp.ones((3, 4))).shape == (3, 2, 2)
    assert type(brainstate.init.param(ParamState(jnp.ones(3)), 3)) is ParamState
    assert isinstance(nn.LIF(2).align_pre(nn.STD.desc(2)), nn.STD)


def test_w47_the_right_numbers():
    random = brainstate.random
    np.testing.assert_allclose(
        brainstate.functional.elu(jnp.array(-1.0), alpha=3.0), 3 * np.expm1(-1), rtol=1e-6
    )
    assert random.exponential(10.0, size=5000).mean() == pytest.approx(10, rel=0.1)
    out = brainstate.event.Linear(3, 2, 1.5)(jnp.ones((4, 3)))
    np.testing.assert_allclose(out, np.full((4, 2), 4.5))
    sample = random.multivariate_normal(jnp.zeros(2) * u.mV, jnp.eye(2) * u.mV**2)
    assert u.get_unit(sample) == u.mV
    with pytest.raises(ValueError, match=r"\[0, 1\]; found 1.5"):
        random.bernoulli(1.5)
    assert len(set(np.abs(random.triangular(size=3)).tolist())) == 3


def test_w47_batch_statistics_without_running_ones():
    norm = nn.BatchNorm0d((2,), track_running_stats=False, affine=False)
    with brainstate.environ.context(fit=True):
        out = norm(jnp.array([[1.0, 10.0], [3.0, 30.0]]))
    np.testing.assert_allclose(out, [[-1, -1], [1, 1]], rtol=1e-4)


def test_w47_surrogates_are_derivatives():
    quadratic = brainstate.surrogate.PiecewiseQuadratic(alpha=2.0)
    np.testing.assert_allclose(quadratic.surrogate_grad(jnp.array([0.25, 0.75])), [1, 0])
    bell = brainstate.surrogate.GaussianGrad(sigma=0.5, alpha=1.0).surrogate_grad(jnp.float32(1.0))
    np.testing.assert_allclose(bell, np.exp(-2) / np.sqrt(2 * np.pi) / 0.5, rtol=1e-5)
    for surrogate in (brainstate.surrogate.ERF(), brainstate.surrogate.Arctan()):
        assert surrogate.surrogate_fun(jnp.float32(0.0)) == 0.5
        assert surrogate.surrogate_fun(jnp.float32(1e4)) > 0.99


# ---------------------------------------------------------------- others


def test_w48_leaving_a_context(monkeypatch):
    monkeypatch.setattr(brainstate.environ, "_behaviors", {})
    log = []
    brainstate.environ.register_default_behavior("zz", log.append)
    with brainstate.environ.context(zz=1):
        pass
    assert log == [1]
    with pytest.raises(KeyError, match=r"brainstate\.environ\.context"):
        brainstate.environ.get("zz")
    with brainstate.environ.context(precision=16), pytest.raises(ValueError, match="complex"):
        brainstate.environ.dctype()


def test_w49_typed_keys_are_keys():
    brainstate.random.set_key(jax.random.key(0))
    typed = brainstate.random.rand(2)
    brainstate.random.set_key(jax.random.PRNGKey(0))
    np.testing.assert_array_equal(brainstate.random.rand(2), typed)
    assert brainstate.random.rand(2, key=jax.random.key(0)).shape == (2,)


def test_w50_numpy_on_the_left():
    out = np.ones(2) >> nn.Linear(2, 3)
    assert (out.dtype, out.shape) == (jnp.float32, (3,))


def test_w51_delays_have_all_their_steps():
    for time, steps in ((0.3, 3), (0.6, 6), (0.7, 7), (1.2, 12)):
        neuron = nn.LIF(1)
        with brainstate.environ.context(dt=0.1 * u.ms):
            at = neuron.prefetch("V").delay.at(time * u.ms)
            assert int(at.step) == steps


def test_w52_reads_stay_reads():
    layer = brainstate.nn.Linear(2, 3)
    read = vmap(lambda m, x: m(x), in_axes=(None, 0))
    for _ in range(2):
        with StateTraceStack() as trace:
            read(layer, jnp.ones((4, 2)))
        assert layer.weight in trace.states
        assert trace.get_write_states() == ()
        layer.weight.value = layer.weight.value
