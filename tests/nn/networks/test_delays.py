"""Delays against NumPy histories and SciPy interpolation."""

from contextlib import nullcontext

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import interpolate

import brainstate
from brainstate import nn
from brainstate import transform as bt

STEPS = 9
rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _dt():
    with brainstate.environ.context(dt=0.1):
        yield


def fed(delay, values, dt=0.1):
    """The delay after it was given the values, one in each step; without `i`."""
    nn.init_all_states(delay)
    bt.for_loop(delay, jnp.asarray(values))
    return delay


# ---------------------------------------------------------------- numbers of steps


@pytest.mark.parametrize("unit", [1.0, u.ms])
def test_times_are_whole_steps_but_for_rounding(unit):
    times = {
        0.0: 0,
        0.1: 1,
        0.3: 3,
        0.6: 6,
        0.7: 7,
        1.2: 12,
        2.3: 23,
        0.25: 3,
        0.302: 4,
        100.1: 1001,
    }
    with brainstate.environ.context(dt=0.1 * unit):
        for time, steps in times.items():
            neuron = nn.LIF(1, V_initializer=0.0 * unit)
            reader = neuron.prefetch("V").delay.at(time * unit)
            with pytest.warns(match="no multiple") if time in (0.25, 0.302) else nullcontext():
                assert int(reader.step) == steps
            assert neuron.get_after_update("V-delay").max_length == steps + 1
            assert nn.Delay(jnp.zeros(1), time=np.float32(time) * unit).max_length == steps + 1
        delay = nn.Delay(jnp.zeros(1), time=np.array([0.3, 1.2]) * unit, entries={"a": 0.7 * unit})
        assert u.math.allclose(delay.max_time, 1.2 * unit)
    with brainstate.environ.context(dt=0.05 * unit):
        assert delay.max_length == 25
    assert nn.Delay(jnp.zeros(1)).max_length == 1


# ---------------------------------------------------------------- what was written when


def past(values, step):
    return values[step] if step >= 0 else np.zeros_like(values[0])


@pytest.mark.parametrize("method", ["rotation", "concat"])
@pytest.mark.parametrize("counted", [True, False], ids=["with i", "without i"])
def test_reads_before_and_after_the_write_of_a_step(method, counted):
    delay = nn.Delay({"v": jnp.zeros(2) * u.mV, "n": 0, "on": jnp.zeros(2, bool)},
                     time=0.5, delay_method=method)  # fmt: skip
    nn.init_all_states(delay)
    v, n = rng.normal(size=(STEPS, 2)).astype("f"), np.arange(1, STEPS + 1)

    def look(ks=range(6)):
        return [delay.retrieve_at_step(k) for k in ks]

    def step(i, v, n):
        with brainstate.environ.context(**({"i": i} if counted else {})):
            before = look()
            delay.update({"v": v * u.mV, "n": n, "on": v > 0})
            return before, look()

    # A ring of 6 slots and a step index that starts anywhere, and over again.
    i = np.concatenate([np.arange(40, 45), np.arange(STEPS - 5)])
    before, after = bt.jit(lambda: bt.for_loop(step, i, v, n))()
    waits = counted and method == "rotation"  # the value of this step is known to come
    for s in range(STEPS):
        for k in range(6):
            for found, origin in (
                (before, min(s - k, s - 1) if waits else s - 1 - k),
                (after, s - k),
            ):
                assert found[k]["on"].dtype == bool
                np.testing.assert_array_equal(found[k]["v"].to_decimal(u.mV)[s], past(v, origin))
                np.testing.assert_array_equal(found[k]["n"][s], past(n, origin))
                np.testing.assert_array_equal(found[k]["on"][s], past(v > 0, origin))


def test_a_second_value_in_a_step_replaces_the_first():
    delay = nn.init_all_states(nn.Delay(jnp.zeros(()), time=0.2))
    for i, x in [(0, 1.0), (1, 2.0), (1, 3.0)]:
        with brainstate.environ.context(i=i):
            delay(x)
            found = [delay.retrieve_at_step(k).item() for k in range(3)]
    assert found == [3.0, 1.0, 0.0]


# ---------------------------------------------------------------- many delays in one


def test_delays_of_neurons_and_synapses_in_batches_and_lanes():
    values = rng.normal(size=(STEPS, 2, 4)).astype("f")  # two samples
    neuron_time, synapse_time = np.array([0.0, 0.1, 0.4, 0.7]), np.array([0.5, 0.2, 0.2, 0.3, 0.0])
    pre = np.array([3, 0, 1, 1, 2])
    k_neuron, k_synapse = np.array([0, 1, 4, 7]), np.array([5, 2, 2, 3, 0])
    expected = (
        values[STEPS - 1 - k_neuron, :, np.arange(4)].T,
        values[STEPS - 1 - k_synapse, :, pre].T,
        values[STEPS - 1 - 5][:, 1:3],
    )

    def read(delay):
        return delay.at("neuron"), delay.at("synapse", pre), delay.at("late", slice(1, 3))

    def make():
        entries = {"neuron": neuron_time, "synapse": synapse_time, "late": 0.5}
        return nn.Delay(jnp.zeros(4), entries=entries)

    batched = nn.init_all_states(make(), 2)
    assert batched.history.shape == (8, 2, 4)
    bt.for_loop(batched, values)
    lanes = nn.vmap_init_all_states(make(), axis_size=2, state_tag="new")
    axes = bt.StateAxes({"new": 0, ...: None})

    def run(delay, values):
        bt.for_loop(delay, values)
        return read(delay)

    in_lanes = bt.jit(lambda: bt.vmap(run, in_axes=(axes, 1))(lanes, values))()
    for found in (bt.jit(lambda: read(batched))(), in_lanes):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)
    single = fed(make(), values[:, 0])
    for a, b in zip(read(single), expected, strict=True):
        np.testing.assert_array_equal(a, b[0])


# ---------------------------------------------------------------- between two values


def curve(method, samples):
    """SciPy's interpolation of samples at whole places."""
    places = np.arange(len(samples))
    if method == "linear_interp":
        return interpolate.make_interp_spline(places, samples, k=1)
    if method == "hermite":
        return interpolate.CubicHermiteSpline(places, samples, np.gradient(samples, axis=0))

    def cubic(x):
        first = np.clip(int(np.floor(x)) - 1, 0, len(samples) - 4)
        window = slice(first, first + 4)
        return interpolate.BarycentricInterpolator(places[window], samples[window])(x)

    return cubic


@pytest.mark.parametrize("method", ["linear_interp", "cubic", "hermite"])
def test_interpolation_in_time(method):
    samples = rng.normal(size=(STEPS, 2))
    key = "interp_method" if method == "linear_interp" else "interpolation"
    expected = curve(method, samples)
    places = np.array([0.0, 0.3, 1.0, 2.71, 4.5, 6.5, 7.2, 8.0])
    with brainstate.environ.context(precision=64, dt=0.1 * u.ms, t=0.8 * u.ms):
        delay = fed(nn.Delay(jnp.zeros(2), time=0.8 * u.ms, **{key: method}), samples)
        # two synapses, each of which sees a whole column of a matrix
        wide = fed(
            nn.Delay(jnp.zeros((3, 2)), time=0.8 * u.ms, **{key: method}),
            np.stack([samples, 2 * samples, 3 * samples], axis=1),
        )

        def at(x, *indices, delay=delay):
            return delay.retrieve_at_time(x * 0.1 * u.ms, *indices)

        @bt.jit
        def read(places, two):
            each, columns = at(two), at(two, np.array([2, 0]), delay=wide)
            return [at(x) for x in places], each, columns, bt.grad(lambda x: at(x)[1])(4.3)

        found, each, columns, slope = read(places, np.array([2.71, 4.5]))
    for x, value in zip(places, found, strict=True):
        np.testing.assert_allclose(value, expected(x), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(each, [expected(2.71)[0], expected(4.5)[1]], rtol=1e-9)
    np.testing.assert_allclose(columns, [3 * expected(2.71), expected(4.5)], rtol=1e-9)
    numeric = (expected(4.3 + 1e-5) - expected(4.3 - 1e-5))[1] / 2e-5
    np.testing.assert_allclose(slope, numeric, rtol=1e-6)


def test_nearest_values():
    samples = np.arange(10.0, 10 + STEPS)
    for key, name in (("interp_method", "round"), ("interpolation", "nearest")):
        delay = fed(nn.Delay(jnp.zeros(()), time=0.8, **{key: name}), samples)
        with brainstate.environ.context(t=0.8):
            assert [delay.retrieve_at_time(x).item() for x in (0.0, 0.14, 0.16, 0.8)] == [
                10.0, 11.0, 12.0, 18.0,
            ]  # fmt: skip


def test_entries_between_steps():
    samples = rng.normal(size=STEPS).astype("f")
    rounded = fed(nn.Delay(jnp.zeros(()), entries={"a": 0.25}), samples)
    with pytest.warns(UserWarning, match=r"3 steps.*0\.25, .*dt=0\.1.*interpolation"):
        assert rounded.at("a") == samples[STEPS - 1 - 3]
    between = fed(nn.Delay(jnp.zeros(()), entries={"a": 0.25}, interpolation="linear"), samples)
    np.testing.assert_allclose(between.at("a"), samples[[-3, -4]].mean(), rtol=1e-6)
    spikes = fed(nn.Delay(jnp.zeros((), bool), entries={"a": 0.25}, interpolation="linear"),
                 samples > 0)  # fmt: skip
    np.testing.assert_allclose(spikes.at("a"), (samples[[-3, -4]] > 0).mean())


@pytest.mark.parametrize("method", ["rotation", "concat"])
def test_values_kept_every_few_steps(method):
    samples = rng.normal(size=20).astype("f")
    delay = nn.Delay(jnp.zeros(()), time=0.9, update_every=0.3, delay_method=method)
    nn.init_all_states(delay)
    assert delay.history.shape == (4,)

    def step(x):
        delay(x)
        return jnp.stack([delay.retrieve_at_step(k) for k in range(10)])

    found = bt.for_loop(step, samples)
    kept = np.arange(0, 20, 3)
    for s in range(9, 20):
        expected = np.interp(s - np.arange(10), kept[kept <= s], samples[kept[kept <= s]])
        np.testing.assert_allclose(found[s], expected, rtol=1e-5, atol=1e-6)


# ---------------------------------------------------------------- transformations


def test_gradients_through_a_loop_with_a_delay():
    """``y(t) = w x(t - 2)`` and, in a feedback, ``z(t) = w z(t - 2) + x(t)``."""
    x = rng.normal(size=STEPS)
    with brainstate.environ.context(precision=64):
        delay = nn.init_all_states(nn.Delay(jnp.zeros(()), entries={"two": 0.1}))

        def loss(w, x):
            nn.reset_all_states(delay)

            def step(x):
                z = w * delay.at("two") + x
                delay(z)
                return z

            return bt.for_loop(bt.checkpoint(step), x).sum()

        def plain(w, x):
            z = [0.0, 0.0]
            for value in x:
                z.append(w * z[-2] + value)
            return sum(z)

        found = bt.jit(bt.grad(loss, argnums=(0, 1)))(0.7, jnp.asarray(x))
        expected = jax.grad(plain, argnums=(0, 1))(0.7, jnp.asarray(x))
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9)


# ---------------------------------------------------------------- first values, entries, errors


def test_first_values():
    def first(init, target=None, **kwargs):
        target = jnp.zeros(2) if target is None else target
        return nn.init_all_states(nn.Delay(target, time=0.2, init=init), **kwargs).history

    np.testing.assert_array_equal(first(None), np.zeros((3, 2)))
    np.testing.assert_array_equal(first(1.5), np.full((3, 2), 1.5))
    np.testing.assert_array_equal(first(np.array([1.0, 2.0]), batch_size=4)[2, 3], [1.0, 2.0])
    np.testing.assert_array_equal(first(jnp.ones), np.ones((3, 2)))
    voltage = first(brainstate.init.Constant(2.0 * u.mV), jnp.zeros(2) * u.volt)
    np.testing.assert_allclose(voltage.to_decimal(u.mV), 2.0, rtol=1e-6)
    assert first(3, jax.ShapeDtypeStruct((2,), jnp.int32)).dtype == jnp.int32
    with pytest.raises(TypeError, match=r"`init`.*'zero'"):
        first("zero")
    with pytest.raises(u.UnitMismatchError, match="`init`"):
        first(1.0 * u.mV)


def test_entries_and_accesses():
    delay = nn.Delay(jnp.zeros(2), entries={"a": 0.2, "now": None})
    assert delay.register_entry("b", delay_step=4) is delay
    access, unnamed = delay.access("c", 0.1), delay.access(None, 0.3, 1)
    assert delay.max_length == 5
    fed(delay, np.arange(10.0).reshape(5, 2))
    assert [delay.at(e)[0].item() for e in ("a", "now", "b")] == [4.0, 8.0, 0.0]
    np.testing.assert_array_equal(access.update(), [6.0, 7.0])
    assert unnamed() == 3.0
    with pytest.raises(KeyError, match="'a'"):
        delay.register_entry("a", 0.1)
    with pytest.raises(KeyError, match=r"'z'.*'a'"):
        delay.at("z")
    with pytest.raises(ValueError, match="both"):
        delay.register_delay(0.1, 1)


def test_what_is_refused():
    net = nn.Module()
    net.memory = delay = nn.Delay(jnp.zeros(2), time=0.2)
    with pytest.raises(AttributeError, match=r"'history'.*init_all_states"):
        delay.retrieve_at_step(0)
    nn.init_all_states(net)
    for wrong, error, text in [
        (lambda: delay(jnp.zeros(3)), ValueError, r"`memory`.*\(2,\).*\(3,\)"),
        (lambda: delay({"a": jnp.zeros(2)}), ValueError, "`memory` of Module holds values like"),
        (lambda: delay(jnp.zeros(2) * u.mV), u.UnitMismatchError, "`memory`"),
        (lambda: delay(jnp.zeros(2, complex)), TypeError, "holds float32.*complex"),
        (lambda: delay.retrieve_at_step(3), ValueError, "`memory` of Module goes .*; found 3"),
        (lambda: delay.retrieve_at_step(-1), ValueError, "negative"),
        (lambda: delay.retrieve_at_step(1.0), TypeError, "integer"),
        (lambda: delay.retrieve_at_step(np.array([1, 2, 0])), ValueError, r"\(3,\).*at\(entry"),
        (lambda: delay.retrieve_at_time(0.0), KeyError, "'t'"),
        (lambda: delay.register_delay(-0.1), ValueError, "negative"),
        (lambda: nn.Delay(jnp.zeros(1), delay_method="ring"), ValueError, "delay_method.*'ring'"),
        (lambda: nn.Delay(jnp.zeros(1), interp_method="best"), ValueError, "interp_method.*'best'"),
        (lambda: nn.Delay(jnp.zeros(1), 1.0 * u.ms).max_length, u.UnitMismatchError, "a delay"),
        (lambda: nn.StateWithDelay(nn.LIF(1), "tau").state, TypeError, "'tau' of LIF"),
        (lambda: nn.Linear(1, 1) and nn.PrefetchDelayAt(nn.Linear(1, 1), "weight"), TypeError,
         "Dynamics"),
    ]:  # fmt: skip
        with pytest.raises(error, match=text):
            wrong()
    with brainstate.environ.context(t=0.5), pytest.raises(ValueError, match="0 to 2 steps"):
        delay.retrieve_at_time(0.6)
    with brainstate.environ.context(jit_error_check=True):
        read = bt.jit(delay.retrieve_at_step)
        np.testing.assert_array_equal(read(2), [0.0, 0.0])
        with pytest.raises(jax.errors.JaxRuntimeError, match="0 to 2 steps; found 3"):
            jax.tree.map(jax.block_until_ready, (read(3), jax.effects_barrier()))


# ---------------------------------------------------------------- delays of a model


def test_delayed_states_of_a_neuron():
    """All readers of an item share one delay, which has one batch axis."""
    neuron = nn.LIF(3, R=1.0)
    now, late, same = neuron.prefetch("V"), neuron.prefetch_delay("V", 0.2), neuron.prefetch("V")
    each = neuron.prefetch("V").delay.at(np.array([0.3, 0.0, 0.1]))
    none = same.delay.at(None)
    assert list(neuron.after_updates) == ["V-delay"]
    assert late.delay is each.delay
    nn.init_all_states(neuron, 2)
    assert late.delay.history.shape == (4, 2, 3)
    before = id(vars(neuron)["_after_updates"])

    def step(i, x):
        with brainstate.environ.context(i=i):
            delayed = late(), each(), none()
            neuron(x)
            return delayed, now(), neuron.prefetch_delay("V", 0.2)()

    x = rng.uniform(0, 0.5, size=(STEPS, 2, 3)).astype("f")
    (late_v, each_v, none_v), V, after_v = bt.jit(lambda: bt.for_loop(step, np.arange(STEPS), x))()
    assert id(vars(neuron)["_after_updates"]) == before
    for s in range(4, STEPS):
        np.testing.assert_array_equal(late_v[s], V[s - 2])
        np.testing.assert_array_equal(after_v[s], V[s - 2])
        expected = [V[s - 3, :, 0], V[s - 1, :, 1], V[s - 1, :, 2]]
        np.testing.assert_array_equal(each_v[s], np.transpose(expected))
        np.testing.assert_array_equal(none_v[s], V[s - 1])


def test_the_delay_can_be_chosen_and_made_longer():
    neuron = nn.LIF(1, R=1.0)
    smooth = nn.StateWithDelay(neuron, "V", interpolation="linear")
    neuron.add_after_update("V-delay", nn.not_receive_update_output(smooth))
    between = neuron.prefetch_delay("V", 0.15)
    assert between.delay is smooth
    nn.init_all_states(neuron)
    V = bt.for_loop(lambda x: (neuron(x), neuron.V.value)[1], jnp.full((4, 1), 0.9))
    np.testing.assert_allclose(between(), (V[1] + V[2]) / 2, rtol=1e-6)
    later = neuron.prefetch_delay("V", 0.5)
    with pytest.raises(ValueError, match=r"V-delay` of LIF goes back 0 to 2 .*found 5.*init_all"):
        later()
    nn.init_all_states(neuron)
    np.testing.assert_array_equal(later(), [0.0])


def test_delayed_outputs():
    class Doubler(nn.Dynamics):
        def update(self, x):
            return 2.0 * x

    plain, volts = Doubler(2), Doubler(2)
    late = plain.output_delay(0.2)
    assert plain.output_delay(0.1).delay is late.delay
    volt = volts.output_delay(0.1, 1, info=jnp.zeros(2) * u.mV)
    nn.init_all_states([plain, volts])

    def step(i, x):
        with brainstate.environ.context(i=i):
            found = late(), volt()
            plain(x)
            volts(x * u.mV)
            return found

    x = rng.normal(size=(STEPS, 2)).astype("f")
    found, volt = bt.for_loop(step, np.arange(STEPS), x)
    np.testing.assert_array_equal(found[2:], 2 * x[:-2])
    np.testing.assert_array_equal(volt.to_decimal(u.mV)[1:], 2 * x[:-1, 1])
    with pytest.raises(u.UnitMismatchError, match="output-delay"):
        plain(x[0] * u.mV)
