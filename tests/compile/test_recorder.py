"""What `for_loop` and `scan` record, against a loop in NumPy or the outputs of every step."""

import gc
import weakref

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import ParamState, State, random
from brainstate.augment import grad, vmap
from brainstate.compile import (
    Mean,
    SpikeTimes,
    Sum,
    Trace,
    checkpointed_for_loop,
    checkpointed_scan,
    for_loop,
    jit,
    scan,
)

N = 11


class Net:
    """A leaky sum of what comes in, with a threshold."""

    def __init__(self, shape=(N,)):
        self.v = State(jnp.linspace(0, 1, int(np.prod(shape))).reshape(shape), name="v")

    def spikes(self):
        return self.v.value > 1.5

    def step(self, x):
        self.v.value = jnp.where(self.spikes(), 0.0, self.v.value * 0.9 + x)
        return self.v.value[0]


def by_hand(xs):
    v, all_v = np.linspace(0, 1, N).astype(np.float32), []
    for x in xs:
        v = np.where(v > 1.5, np.float32(0), v * np.float32(0.9) + np.float32(x))
        all_v.append(v)
    return np.array(all_v)


def windows(values, size, reverse=False):
    """The windows that the loop fills, from its first step on; (window, step in it, ...)."""
    count = len(values) // size
    cut = values[len(values) - count * size :] if reverse else values[: count * size]
    cut = cut.reshape(count, size, *values.shape[1:])
    return cut[:, ::-1] if reverse else cut


def everything(net):
    return {
        "all": Trace(net.v),
        "some": Trace(net.v, stride=10, index=[-1, 0]),
        "rare": Trace(lambda: net.v.value[:2] * 2, stride=20),
        "odd": Trace(net.v, stride=7, index=(slice(1, 9, 3),)),
        "masked": Trace(net.v, index=np.arange(N) % 4 == 0, stride=3),
        "mean": Mean(net.v),
        "rate": Mean(net.spikes),
        "means": Mean(net.v, stride=10, index=2),
        "counts": Sum(net.spikes, stride=7),
        "total": Sum(net.v),
        "spikes": SpikeTimes(net.spikes),
        "bare": net.v,
    }


def expected(v, reverse):
    w = lambda size: windows(v, size, reverse)  # noqa: E731
    return {
        "all": v,
        "some": w(10)[:, -1][:, [-1, 0]],
        "rare": w(20)[:, -1, :2] * 2,
        "odd": w(7)[:, -1, 1:9:3],
        "masked": w(3)[:, -1][:, np.arange(N) % 4 == 0],
        "mean": v.mean(0),
        "rate": (v > 1.5).mean(0),
        "means": w(10)[..., 2].mean(1),
        "counts": (w(7) > 1.5).sum(1),
        "total": v.sum(0),
        "bare": v,
    }


LOOPS = {
    "for_loop": for_loop,
    "jit": lambda f, xs, **kw: jit(lambda xs: for_loop(f, xs, **kw))(xs),
    "scan": lambda f, xs, **kw: unpack(scan(lambda c, x: (c, f(x)), 0, xs, **kw)),
    "checkpointed_for_loop": lambda f, xs, **kw: checkpointed_for_loop(f, xs, base=4, **kw),
    "checkpointed_scan": lambda f, xs, **kw: unpack(
        checkpointed_scan(lambda c, x: (c, f(x)), 0, xs, base=3, **kw)
    ),
    "unrolled": lambda f, xs, **kw: for_loop(f, xs, unroll=3, **kw),
    "within memory": lambda f, xs, **kw: for_loop(f, xs, memory="1MB", **kw),
    "reverse": lambda f, xs, **kw: for_loop(f, xs, reverse=True, **kw),
    "in Python": lambda f, xs, **kw: in_python(f, xs, **kw),
    "in Python, reverse": lambda f, xs, **kw: in_python(f, xs, reverse=True, **kw),
}


def unpack(result):
    (_, ys), recorded = result
    return ys, recorded


def in_python(f, xs, **options):
    with jax.disable_jit():
        return for_loop(f, xs, **options)


@pytest.mark.parametrize(("loop", "n"), [*((loop, 45) for loop in LOOPS), ("for_loop", 5)])
def test_everything(loop, n):
    net, reverse = Net(), "reverse" in loop
    xs = np.linspace(0.1, 0.5, n, dtype=np.float32)
    ys, recorded = LOOPS[loop](net.step, xs, record=everything(net))
    v = by_hand(xs[::-1])[::-1] if reverse else by_hand(xs)
    np.testing.assert_allclose(ys, v[:, 0], rtol=1e-5)
    np.testing.assert_allclose(net.v.value, v[0 if reverse else -1], rtol=1e-5)
    spikes = recorded.pop("spikes")
    np.testing.assert_array_equal(spikes.raster(), v > 1.5)
    np.testing.assert_array_equal(spikes.count(), (v > 1.5).sum(1))
    for name, value in expected(v, reverse).items():
        found = np.asarray(recorded.pop(name))
        assert found.shape == value.shape, name
        np.testing.assert_allclose(found, value, rtol=1e-5, err_msg=name)
    assert recorded == {}


def test_loop_of_no_steps():
    net = Net()
    _, recorded = for_loop(net.step, jnp.zeros(0), record=everything(net))
    assert recorded["all"].shape == (0, N)
    assert recorded["some"].shape == (0, 2)
    assert recorded["spikes"].raster().shape == (0, N)
    assert np.isnan(recorded["mean"]).all()
    assert not recorded["total"].any()


@pytest.mark.parametrize("shape", [(), (1,), (8,), (9,), (3, 5), (0,), (64,)])
def test_spikes_of_any_population(shape):
    raster = np.random.default_rng(0).random((20, *shape)) < 0.5
    s = State(jnp.zeros(shape, bool))

    def step(x):
        s.value = x

    record = [SpikeTimes(s), SpikeTimes(lambda: s.value.astype(float) * -2)]
    _, recorded = for_loop(step, jnp.asarray(raster), record=record)
    for spikes in recorded:
        assert spikes.bits.shape == (20, -(-int(np.prod(shape)) // 8))
        np.testing.assert_array_equal(spikes.raster(), raster)
        times, neurons = spikes.events(np.arange(20) * 0.1 * u.ms)
        steps, places = np.nonzero(raster.reshape(20, -1))
        np.testing.assert_allclose(times.to_decimal(u.ms), steps * 0.1)
        np.testing.assert_array_equal(neurons, places)


def test_units_and_trees():
    s = State({"v": jnp.zeros(3) * u.mV, "k": jnp.zeros(3, jnp.int32)})

    def step(x):
        s.value = {"v": s.value["v"] + x, "k": s.value["k"] + 2}

    record = Trace(s, stride=2, index=slice(2)), Mean(s), Sum(s, index=0)
    _, (trace, mean, total) = for_loop(step, jnp.ones(4) * u.mV, record=record)
    np.testing.assert_allclose(trace["v"].to_decimal(u.mV), [[2, 2], [4, 4]])
    np.testing.assert_array_equal(trace["k"], [[4, 4], [8, 8]])
    np.testing.assert_allclose(mean["v"].to_decimal(u.mV), [2.5] * 3)
    np.testing.assert_allclose(mean["k"], [5.0] * 3)
    assert total["v"].to_decimal(u.mV) == 10
    assert total["k"] == 20
    assert total["k"].dtype == jnp.int32


def test_half_precision_is_summed_in_single():
    s = State(jnp.zeros((), jnp.float16))
    _, (mean, total) = for_loop(
        lambda x: setattr(s, "value", x), jnp.ones(5000, jnp.float16), record=[Mean(s), Sum(s)]
    )
    assert (mean, total) == (1, 5000)  # halves stop at 2048
    assert (mean.dtype, total.dtype) == (jnp.float16, jnp.float32)


def loss_of(loop, strides, **options):
    w = ParamState(0.8)

    def loss():
        h = State(jnp.ones(2))

        def step(x):
            h.value = jnp.tanh(w.value * h.value + x)

        record = {"h": Trace(h, stride=strides[0]), "mean": Mean(h), "sums": Sum(h, stride=5)}
        _, r = loop(step, jnp.linspace(0, 1, 23), record=record, **options)
        return (r["h"] ** 2).sum() + (r["mean"] ** 3).sum() + (r["sums"] ** 2).sum()

    return grad(loss, w, return_value=True)()


@pytest.mark.parametrize("loop", [for_loop, checkpointed_for_loop])
@pytest.mark.parametrize("stride", [1, 10])
def test_gradients(loop, stride):
    def loss(w):
        h, all_h = jnp.ones(2), []
        for x in np.linspace(0, 1, 23, dtype=np.float32):
            h = jnp.tanh(w * h + x)
            all_h.append(h)
        h = jnp.stack(all_h)
        sums = windows(h, 5).sum(1)
        traced = windows(h, stride)[:, -1]
        return (traced**2).sum() + (h.mean(0) ** 3).sum() + (sums**2).sum()

    value, gradient = jax.value_and_grad(loss)(0.8)
    options = {"base": 3} if loop is checkpointed_for_loop else {"memory": 4000}
    found_gradient, found = loss_of(loop, [stride])
    np.testing.assert_allclose(found, value, rtol=1e-5)
    np.testing.assert_allclose(found_gradient, gradient, rtol=1e-4)
    np.testing.assert_allclose(loss_of(loop, [stride], **options)[0], gradient, rtol=1e-4)


def test_vmap():
    def run(scale):
        net = Net()
        return for_loop(lambda x: net.step(x * scale), xs, record=everything(net))[1]

    xs, scales = jnp.linspace(0.1, 0.5, 23), jnp.array([0.5, 1.0, 2.0])
    found = vmap(run)(scales)
    for lane, scale in enumerate(scales):
        alone = jit(run)(scale)
        raster = found["spikes"].raster()
        assert raster.shape == (3, 23, N)
        np.testing.assert_array_equal(raster[lane], alone["spikes"].raster())
        one = jax.tree.map(lambda x: x[lane], found)  # noqa: B023
        for a, b in zip(one["spikes"].events(), alone["spikes"].events(), strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(alone), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5)
    with pytest.raises(ValueError, match=r"bits have shape \(3, 23, 2\)"):
        found["spikes"].events()


def test_nested_loops():
    s = State(jnp.zeros(()))

    def inner(x):
        s.value = s.value + x

    def outer(xs):
        return for_loop(inner, xs, record={"s": Trace(s, stride=2)})[1]["s"]

    xs = np.arange(12.0).reshape(3, 4)
    ys, last = for_loop(outer, xs, record=Trace(s))
    total = np.cumsum(xs).reshape(3, 4)
    np.testing.assert_allclose(ys, total[:, 1::2])
    np.testing.assert_allclose(last, total[:, -1])


def test_stride_skips_the_work():
    calls, s = [], State(0.0)

    def look():
        jax.debug.callback(lambda v: calls.append(float(v)), s.value)
        return s.value

    def step(x):
        s.value = x

    for_loop(step, jnp.arange(25.0), record=Trace(look, stride=10))
    jax.effects_barrier()
    assert calls == [9.0, 19.0]


def test_steps_are_traced_once_and_the_loop_is_kept():
    runs, net = [], Net()

    def step(x):
        runs.append(1)
        return net.step(x)

    for _ in range(3):
        for_loop(step, jnp.ones(20), record={"v": Trace(net.v, stride=5, index=[0, 1])})
    assert len(runs) == 1


def test_other_options_are_another_loop():
    net = Net()
    for index in ([0], [1, 2], 3):
        for stride in (1, 2):
            record = Trace(net.v, stride=stride, index=index)
            ys, found = for_loop(lambda: net.v.value, length=4, record=record)
            np.testing.assert_array_equal(found, ys[stride - 1 :: stride, index])


def test_states_that_take_on_a_type():
    s = State(0)
    _, (trace, total) = for_loop(
        lambda x: setattr(s, "value", s.value + x), jnp.ones(4), record=[Trace(s), Sum(s)]
    )
    np.testing.assert_array_equal(trace, [1, 2, 3, 4])
    assert total == 10


def test_recording_changes_nothing():
    s = State(0.0, name="s")

    def step(x):
        s.value = random.rand()
        return s.value

    def bad():
        s.value = 3.0
        return s.value

    with random.seed_context(1):
        plain = for_loop(step, jnp.ones(5))
    with random.seed_context(1):
        ys, found = for_loop(step, jnp.ones(5), record=s)
    np.testing.assert_array_equal(plain, ys)
    np.testing.assert_array_equal(plain, found)
    s.value = 0.0
    for look, culprit in ((bad, "State 's'"), (random.rand, "RandomState")):
        for run in (for_loop, in_python):
            with pytest.raises(TypeError, match=rf"record\['a'\].*writes {culprit}.*must not"):
                run(lambda x: x, jnp.ones(5), record={"a": look})
    assert s.value == 0.0


@pytest.mark.parametrize(("make", "error", "text"), [
    (lambda net: {"V": 3}, TypeError, r"record\['V'\] must be a recorder, a State or.*found 3"),
    (lambda net: [Trace(net.v, index=[0, 50])], IndexError, r"record\[0\] \(State 'v'\): index "
     r"\[0, 50\] does not fit float32\[11\]: index 50 is out of bounds"),
    (lambda net: [Trace(net.v, index=0.5)], IndexError, r"record\[0\].*index 0.5 does not fit"),
    (lambda net: Trace(net.v, stride=0), ValueError, r"Trace needs an integer.*found 0"),
    (lambda net: Mean(net.v, stride=1.5), ValueError, r"Mean needs an integer.*found 1.5"),
    (lambda net: SpikeTimes("v"), TypeError, r"SpikeTimes records a State.*found 'v'"),
    (lambda net: {"s": SpikeTimes(lambda: net.v.value * u.mV)}, TypeError,
     r"record\['s'\] \(<lambda>\): SpikeTimes needs one plain array.*float32\[11\] in mV"),
    (lambda net: (lambda: None,), TypeError, r"record\[0\].*nothing to record"),
    (lambda net: (lambda: net.v,), TypeError, r"record\[0\].*returns a node or State"),
])  # fmt: skip
def test_errors(make, error, text):
    net = Net()
    before = net.v.value
    for run in (for_loop, in_python):
        with pytest.raises(error, match=text):
            run(net.step, jnp.ones(5), record=make(net))
        assert net.v.value is before


def test_events_need_a_time_for_each_step():
    net = Net()
    _, spikes = for_loop(net.step, jnp.ones(4), record=SpikeTimes(net.spikes))
    assert repr(spikes) == f"Spikes(steps=4, neurons=({N},))"
    with pytest.raises(ValueError, match="needs 4 times"):
        spikes.events(np.arange(5))


def test_what_was_recorded_can_be_collected():
    net = Net()
    reference = weakref.ref(net.v)
    record = [Trace(net.v, stride=2), Mean(lambda: net.v.value), SpikeTimes(net.spikes)]
    for_loop(net.step, jnp.ones(4), record=record, memory="1MB")
    net = record = None
    gc.collect()
    assert reference() is None
