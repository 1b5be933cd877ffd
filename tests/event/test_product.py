"""The event product: every implementation against dense NumPy, for all that lanes may share."""

import functools

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse

import brainstate
from brainstate import event
from brainstate import transform as bt
from brainstate.event import spike_search
from brainstate.event.regenerated import drawn_targets

RNG = np.random.default_rng(0)
N_PRE, N_POST = 70, 9  # more neurons than bits in two words, no multiple of a block
STARTS = np.r_[0, np.sort(RNG.integers(0, 900, N_PRE - 1)), 900]  # rows of 0 to many synapses
TARGETS = {
    "fan out": RNG.integers(0, N_POST, (N_PRE, 4)),
    "csr": RNG.integers(0, N_POST, 900),
}
SHAPE = N_PRE, N_POST


def dense(weights):
    return event.Dense(jnp.asarray(weights), SHAPE)


def fan_out(weights, targets=TARGETS["fan out"]):
    return event.FixedFanOut(jnp.asarray(weights), jnp.asarray(targets), SHAPE)


def csr(weights, targets=TARGETS["csr"]):
    return event.CSR(jnp.asarray(weights), jnp.asarray(targets), jnp.asarray(STARTS), SHAPE)


def regenerated(weights):
    return event.Regenerated(jnp.asarray(weights), jnp.uint32(7), 5, SHAPE)


KINDS = {
    "dense": (dense, SHAPE),
    "fan out": (fan_out, (N_PRE, 4)),
    "csr": (csr, (900,)),
    "fan out, one weight": (fan_out, ()),
    "csr, one weight": (csr, ()),
    "regenerated": (regenerated, ()),
}
OWN = [kind for kind in KINDS if "one weight" not in kind]
EVENTS = {
    "none": np.zeros(SHAPE[0], bool),
    "all": np.ones(SHAPE[0], bool),
    "some": RNG.random((3, N_PRE)) < 0.1,
    "last": np.arange(N_PRE) == N_PRE - 1,
    "graded": (RNG.normal(size=(2, 2, N_PRE)) * (RNG.random((2, 2, N_PRE)) < 0.3)).astype("f"),
    "counts": RNG.integers(0, 3, N_PRE),
}


def weights_of(kind, *lanes):
    return RNG.normal(size=(*lanes, *KINDS[kind][1])).astype(np.float32)


BACKENDS = sorted({event.backend().name, "jax"})  # "native" where there is a compiler


@pytest.fixture(params=BACKENDS)
def backend(request):
    with brainstate.environ.context(event_backend=request.param):
        yield request.param


@pytest.mark.parametrize("kind", KINDS)
def test_values(kind, backend):
    connection = KINDS[kind][0](weights_of(kind))
    matrix = np.asarray(connection.todense())
    for name, events in EVENTS.items():
        expected = events.astype(np.float32) @ matrix
        found = jnp.asarray(events) @ connection
        assert found.dtype == jnp.float32
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("kind", OWN)
def test_lanes_share_what_they_can(kind, backend):
    make = KINDS[kind][0]
    events = jnp.asarray(RNG.random((2, 3, 2, N_PRE)) < 0.1)  # lanes, lanes, batch
    own, alike = weights_of(kind, 2, 3), weights_of(kind)

    def product(x, w):
        return x @ make(w)

    inner = {None: alike, 0: own[0]}
    for outer_axis, inner_axis in [(None, None), (None, 0), (0, None), (0, 0)]:
        weights = inner[inner_axis] if outer_axis is None else own if inner_axis == 0 else own[:, 0]
        lanes = jax.vmap(jax.vmap(product, in_axes=(0, inner_axis)), in_axes=(0, outer_axis))
        found = jax.jit(lanes)(events, weights)
        for a, b in np.ndindex(2, 3):
            w = weights[a] if outer_axis == 0 else weights
            w = w[b] if inner_axis == 0 else w
            expected = np.asarray(events[a, b], np.float32) @ np.asarray(make(w).todense())
            np.testing.assert_allclose(found[a, b], expected, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize(("make", "kind"), [(fan_out, "fan out"), (csr, "csr")])
def test_lanes_with_targets_of_their_own(make, kind, backend):
    events = jnp.asarray(RNG.random((3, N_PRE)) < 0.2)
    targets = jnp.asarray(RNG.permuted(np.stack([TARGETS[kind]] * 3), axis=1))
    weights = weights_of(kind)
    found = jax.vmap(lambda x, to: x @ make(weights, to))(events, targets)
    alike = jax.vmap(lambda to: events[0] @ make(weights, to))(targets)  # spikes for all lanes
    for lane in range(3):
        matrix = np.asarray(make(weights, targets[lane]).todense())
        np.testing.assert_allclose(
            found[lane], np.float32(events[lane]) @ matrix, rtol=1e-5, atol=2e-5
        )
        np.testing.assert_allclose(
            alike[lane], np.float32(events[0]) @ matrix, rtol=1e-5, atol=2e-5
        )


@pytest.mark.parametrize("kind", KINDS)
def test_derivatives(kind, backend):
    make, weights = KINDS[kind][0], jnp.asarray(weights_of(kind))
    events = jnp.zeros((2, N_PRE)).at[1, 66].set(0.5)  # wanted where there was no spike, too
    behind = jnp.asarray(RNG.normal(size=(2, N_POST)), jnp.float32)

    def loss(weights, events):
        return jnp.sum((events @ make(weights)) ** 2 * behind)

    def by_matrix(weights, events):
        return jnp.sum((events @ make(weights).todense()) ** 2 * behind)

    for mode in (jax.grad, jax.jacfwd):
        found, expected = (mode(f, argnums=(0, 1))(weights, events) for f in (loss, by_matrix))
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-4), found, expected)
    direction = jnp.asarray(RNG.normal(size=events.shape), jnp.float32)
    seconds = [
        jax.jvp(lambda x, f=f: jax.grad(f, 1)(weights, x), (events,), (direction,))[1]
        for f in (loss, by_matrix)
    ]
    np.testing.assert_allclose(*seconds, atol=2e-3)


def test_a_network_in_loops_and_checkpoints(backend):
    connection, other = fan_out(weights_of("fan out")), dense(weights_of("dense"))
    drive = jnp.asarray(RNG.random((12, N_PRE)) < 0.1)

    def total(step, loop):
        return loop(lambda x: step(x).sum(), drive).sum()

    def sparse(x):
        return x @ connection + x @ other

    matrix = np.asarray(connection.todense()) + np.asarray(other.todense())
    expected = (np.asarray(drive, np.float32) @ matrix).sum()
    for loop in (bt.for_loop, functools.partial(bt.checkpointed_for_loop, base=3)):
        np.testing.assert_allclose(total(sparse, loop), expected, rtol=1e-4)
        np.testing.assert_allclose(total(bt.checkpoint(sparse), loop), expected, rtol=1e-4)


def test_double_precision_and_integers(backend):
    with jax.enable_x64(True):
        connection = fan_out(weights_of("fan out").astype(np.float64))
        for events in (EVENTS["some"], EVENTS["graded"]):
            found = jnp.asarray(events) @ connection
            assert found.dtype == jnp.float64
            np.testing.assert_allclose(found, events @ np.asarray(connection.todense()), rtol=1e-12)
    whole = fan_out(np.arange(N_PRE * 4, dtype=np.int32).reshape(N_PRE, 4))
    found = EVENTS["some"] @ whole
    assert found.dtype == jnp.int32
    np.testing.assert_array_equal(found, EVENTS["some"].astype(int) @ np.asarray(whole.todense()))


def test_nothing_to_do(backend):
    for n_pre, n_post, fan in [(0, 3, 2), (3, 0, 0), (3, 4, 0)]:
        empty = event.FixedFanOut(1.0, jnp.zeros((n_pre, fan), jnp.int32), (n_pre, n_post))
        found = jnp.ones((2, n_pre), bool) @ empty
        np.testing.assert_array_equal(found, np.zeros((2, n_post)))


def test_each_spike_is_found_once():
    for size in (1, 31, 32, 33, 1025, 40_000):
        active = RNG.random(size) < 0.02
        levels = spike_search.levels_of(jnp.asarray(active))
        assert int(spike_search.count(levels)) == active.sum()

        @jax.jit
        def found(levels):
            def note(carry):
                times, position = carry
                index, position = spike_search.advance(levels, position)
                return times.at[index].add(1), position

            start = jnp.zeros(size, jnp.int32), spike_search.start(levels)  # noqa: B023
            return jax.lax.while_loop(lambda c: spike_search.more(c[1]), note, start)[0]

        np.testing.assert_array_equal(found(levels), active)


@pytest.mark.parametrize("n_post", [1, 1000, 2**16 + 1, 2**31 - 1])
def test_regenerated_targets(n_post):
    def mixed(x):
        x = np.asarray(x, np.uint64)
        for shift, factor in [(16, 0x85EBCA6B), (13, 0xC2B2AE35)]:
            x = ((x ^ (x >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
        return x ^ (x >> np.uint64(16))

    pre = np.array([0, 5, 2**31 - 1], np.uint64)
    rows = (mixed(3) + pre) & np.uint64(0xFFFFFFFF)
    draws = mixed((mixed(rows)[:, None] + np.arange(50, dtype=np.uint64)) & np.uint64(0xFFFFFFFF))
    expected = (draws * np.uint64(n_post)) >> np.uint64(32)
    found = drawn_targets(jnp.uint32(3), jnp.asarray(pre, jnp.uint32), 50, n_post)
    np.testing.assert_array_equal(found, expected)


def test_two_to_the_31_synapses_on_paper(backend):
    n, fan = 2**21, 2**10
    targets = jax.ShapeDtypeStruct((n, fan), jnp.int32)
    spikes = jax.ShapeDtypeStruct((n,), jnp.bool_)
    stored = jax.jit(lambda x, to: x @ event.FixedFanOut(1.0, to, (n, n)))
    assert stored.lower(spikes, targets).out_info.shape == (n,)
    drawn = event.Regenerated(1.0, 0, fan, (n, n))  # in fact, for a few spikes
    found = jnp.zeros(n, bool).at[jnp.array([3, n - 1])].set(True) @ drawn
    assert float(found.sum()) == 2 * fan


def test_the_pure_product_can_be_exported():
    with brainstate.environ.context(event_backend="jax"):
        connection = fan_out(weights_of("fan out"))
        exported = jax.export.export(jax.jit(lambda x: x @ connection))(EVENTS["last"])
        again = jax.export.deserialize(exported.serialize())
        found = again.call(EVENTS["last"])
    np.testing.assert_allclose(found, np.asarray(connection.todense())[-1], rtol=1e-5)


def test_wrong_targets_raise_when_synapses_are_made():
    def product_of(starts):
        return jnp.ones(N_PRE) @ event.CSR(jnp.ones(900), TARGETS["csr"], starts, SHAPE)

    for wrong in (N_POST, -1):
        with pytest.raises(ValueError, match=rf"`indices` must be from 0 to {N_POST - 1}.*{wrong}"):
            fan_out(1.0, TARGETS["fan out"] * 0 + wrong)
        with pytest.raises(ValueError, match=rf"`indices` must be from 0 to {N_POST - 1}"):
            csr(1.0, TARGETS["csr"] * 0 + wrong)
    with pytest.raises(ValueError, match=r"a row for each of the 70 neurons.*\(3, 4\)"):
        fan_out(1.0, np.zeros((3, 4), int))
    with pytest.raises(TypeError, match="must be integers; found float"):
        fan_out(1.0, TARGETS["fan out"] * 1.0)
    with pytest.raises(ValueError, match=r"`indptr` must rise from 0 to the number.*900"):
        event.CSR(jnp.ones(900), jnp.asarray(TARGETS["csr"]), jnp.asarray(STARTS[::-1]), SHAPE)
    for made, weights in [(fan_out, r"\(70, 4\)"), (csr, r"\(900,\)"), (dense, r"\(70, 9\)")]:
        wrong = rf"one weight for all, or one for each, of shape {weights}; found .*\(3,\)"
        with pytest.raises(ValueError, match=wrong):
            jnp.ones(N_PRE) @ made(np.ones(3))
    with pytest.raises(
        ValueError, match=r"`indptr` must have one element more.*\(71,\); found \(70,\)"
    ):
        jax.jit(lambda starts: product_of(starts[1:]))(jnp.asarray(STARTS))
    with pytest.raises(ValueError, match=r"as many neurons before as behind; found \(3, 4\)"):
        event.connections.OneToOne(1.0, (3, 4))
    with pytest.raises(ValueError, match=r"one weight for all; found weights of shape \(2,\)"):
        jnp.ones(N_PRE) @ regenerated(np.ones(2))


def test_scipy_there_and_back():
    matrix = scipy.sparse.random_array((6, 5), density=0.4, rng=RNG, dtype=np.float32)
    connection = event.CSR.from_scipy(matrix, unit=u.mS)
    np.testing.assert_allclose(connection.to_scipy(u.mS).toarray(), matrix.toarray())
    with pytest.raises(u.UnitMismatchError, match="the weight"):
        connection.to_scipy()
    for kind, (make, _) in KINDS.items():
        made = make(weights_of(kind))
        np.testing.assert_allclose(made.to_scipy().toarray(), made.todense(), atol=1e-5)


def test_backend_says_which_and_why(monkeypatch, tmp_path):
    from brainstate.event import backends

    with brainstate.environ.context(event_backend="jax"):
        assert event.backend() == ("jax", "chosen by environ")
    with (
        brainstate.environ.context(event_backend="fast"),
        pytest.raises(ValueError, match=r"must be one of .*'native'.*environ has 'fast'"),
    ):
        event.backend()
    backends._native.cache_clear()
    monkeypatch.setenv("CXX", str(tmp_path / "none"))
    try:
        assert event.backend().name == "jax"
        assert "no C++ compiler was found" in event.backend().reason
        np.testing.assert_allclose(EVENTS["last"] @ fan_out(1.0), np.bincount(
            TARGETS["fan out"][-1], minlength=N_POST
        ))  # fmt: skip
        monkeypatch.setenv("BRAINSTATE_EVENT_BACKEND", "native")
        with pytest.raises(RuntimeError, match=r"asks for the native.*no C\+\+ compiler.*CXX"):
            event.backend()
    finally:
        backends._native.cache_clear()


def test_a_compiled_function_follows_the_choice(backend):
    connection = fan_out(weights_of("fan out"))
    seen = []

    @bt.jit
    def product(x):
        seen.append(event.backend().name)
        return x @ connection

    expected = np.asarray(connection.todense())[-1]
    for name in (backend, "jax", backend):
        with brainstate.environ.context(event_backend=name):
            np.testing.assert_allclose(product(EVENTS["last"]), expected, rtol=1e-5)
    assert seen == list(dict.fromkeys([backend, "jax"]))


def test_a_program_for_another_device_takes_the_way_of_that_device(backend, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    connection, events = fan_out(weights_of("fan out")), jnp.asarray(EVENTS["some"])
    expected = EVENTS["some"].astype(np.float32) @ np.asarray(connection.todense())

    def product(x, w):
        return x @ connection.replace(weight=w)

    weights = connection.weight
    np.testing.assert_allclose(jax.jit(product)(events, weights), expected, rtol=1e-4, atol=1e-5)
    lanes = jax.vmap(product, (0, None))(events, weights)
    np.testing.assert_allclose(lanes, expected, rtol=1e-4, atol=1e-5)
    found = jax.grad(lambda w: product(events, w).sum())(weights)
    np.testing.assert_allclose(found, np.float32(EVENTS["some"]).sum(0)[:, None] * np.ones(4))
    exported = jax.export.export(jax.jit(product), platforms=["cuda"])(events, weights)
    assert "brainstate_" not in exported.mlir_module()  # no kernel of the CPU in it
