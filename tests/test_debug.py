"""`debug`: which write is named, what is looked at, and that nothing stays behind."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
import brainstate.transform as bt
from brainstate.util import BadWriteError, TraceContextError

NAN, INF = float("nan"), float("inf")


def bad_write(call, **options):
    with pytest.raises(BadWriteError) as caught, brainstate.debug(**options):
        call()
    return caught.value


class Cell(brainstate.nn.Module):
    def __init__(self, value=1.0):
        super().__init__()
        self.h = brainstate.HiddenState(value)
        self.w = brainstate.ParamState({"a": jnp.ones(2), "b": jnp.ones((2, 3))})

    def update(self, x):
        self.h.value = self.h.value * 0 + x


class Net(brainstate.nn.Module):
    def __init__(self, value=1.0):
        super().__init__()
        self.cell = Cell(value)

    def update(self, x):
        return self.cell(x)


def test_error_names_path_line_and_source():
    net = Net()
    error = bad_write(lambda: bt.jit(net)(jnp.nan))
    text = "HiddenState `cell.h` of Net was assigned NaN, by test_debug.py:"
    assert str(error).startswith(text)
    assert "in update: `self.h.value = self.h.value * 0 + x`" in str(error)
    with open(__file__) as file:
        assert "self.h.value * 0 + x" in file.readlines()[error.line - 1]
    assert error.file == __file__
    assert (error.steps, error.lanes, error.index) == ((), (), ())


def test_a_line_of_the_user_is_named_where_the_library_writes():
    neuron = brainstate.nn.LIF(2, V_rest=0.0, V_th=1.0, V_reset=0.0, tau=5.0, R=1.0)
    brainstate.nn.init_all_states(neuron)
    with brainstate.environ.context(dt=0.1):
        lanes = bt.vmap(lambda x: neuron(x), in_axes=None, axis_size=2)
        error = bad_write(lambda: bt.for_loop(lanes, jnp.array([0, NAN])))
    assert (error.file, error.steps) == (__file__, (1,))
    assert "`V` of LIF" in str(error)


def test_first_in_program_order_of_lanes_loops_and_lines():
    a, b = brainstate.State(jnp.zeros(3), name="a"), brainstate.State(jnp.zeros(3), name="b")
    bad_a = jnp.full((4, 3), 0).at[2, 0].set(1).at[3, 0].set(1)
    bad_b = jnp.full((4, 3), 0).at[2, 1].set(1).at[1, 2].set(1)

    def step(x, y):
        a.value = jnp.where(x > 0, INF, a.value)
        b.value = jnp.where(y > 0, NAN, b.value)

    lanes = bt.vmap(step, in_states=[a, b], out_states=[a, b])
    error = bad_write(lambda: bt.for_loop(lanes, bad_a, bad_b))
    assert (error.state, error.steps, error.lanes) == (b, (1,), (2,))  # earlier step, later line
    error = bad_write(lambda: bt.for_loop(lanes, bad_a, bad_b * 0))
    assert (error.state, error.steps, error.lanes) == (a, (2,), (0,))
    error = bad_write(lambda: bt.for_loop(lanes, bad_a[2:], bad_b[2:]), states=lambda _, s: s is b)
    assert (error.state, error.steps, error.lanes) == (b, (0,), (1,))


def test_nested_loops_and_maps_are_numbered_from_outside():
    s = brainstate.State(0.0, name="s")
    xs = jnp.zeros((3, 4)).at[1, 2].set(NAN)

    error = bad_write(lambda: bt.vmap(bt.vmap(write_local))(xs))
    assert (error.lanes, error.steps) == ((1, 2), ())

    def row(xs):
        bt.for_loop(lambda _: None, xs)  # a loop that is over does not count
        bt.for_loop(lambda x: setattr(s, "value", x), xs, reverse=True)

    error = bad_write(lambda: bt.jit(lambda: bt.for_loop(row, xs))())
    assert (error.lanes, error.steps) == ((), (1, 2))


def write_local(x):
    local = brainstate.State(0.0)
    local.value = x
    return local.value


def test_what_does_not_run_is_not_reported():
    s = brainstate.State(jnp.ones(3), name="s")
    xs = jnp.array([0.0, 1.0, 2.0])

    def safe(x):
        bt.cond(x > 0, lambda: setattr(s, "value", 1 / x), lambda: None)

    def count_down(x, last=1):
        bt.while_loop(lambda c: c >= last, lambda c: (setattr(s, "value", 1 / c), c - 1)[1], x)

    for body in (safe, count_down):
        with brainstate.debug():
            bt.vmap(body, in_states=s, out_states=s)(xs)
    np.testing.assert_allclose(s.value, [1, 1, 1])
    further = bt.vmap(lambda x: count_down(x, last=0), in_states=s, out_states=s)
    error = bad_write(lambda: further(xs[::-1]))  # each lane ends with 1 / 0, the last one first
    assert (error.steps, error.lanes) == ((0,), (2,))


def test_only_values_that_are_assigned_count():
    s = brainstate.State(INF, name="last spike")
    with brainstate.debug():
        bt.jit(lambda x: bt.cond(x > 0, lambda: setattr(s, "value", x), lambda: None))(-1.0)
        made = bt.jit(lambda: brainstate.State(NAN))()
        bt.for_loop(lambda i: s.value + i, jnp.arange(2.0))
    np.testing.assert_array_equal([s.value, made.value], [INF, NAN])


def test_range_and_units():
    v = brainstate.State(jnp.zeros(2) * u.mV, name="v")
    n, flag = brainstate.State(0, name="n"), brainstate.State(False, name="flag")

    def step(x):
        n.value, flag.value = n.value + 1, True
        v.value = jnp.array([0.0, x]) * u.mV

    with brainstate.debug(low=-0.08 * u.volt, high=0.05 * u.volt):
        bt.jit(step)(-79.0)
    error = bad_write(lambda: bt.jit(step)(-81.0), low=-0.08 * u.volt)
    assert (error.state, error.index, error.kind) == (v, (1,), "a value below `low`")
    assert bad_write(lambda: bt.jit(step)(1.0), high=1).state is n  # plain bound, plain values
    assert int(n.value) == 1


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"low": "a"}, TypeError, "`low` of debug"),
        ({"high": jnp.ones(2)}, TypeError, "`high` of debug"),
        ({"low": 1, "high": 0}, ValueError, "low <= high"),
        ({"low": 1 * u.volt, "high": 10 * u.mV}, ValueError, "low <= high"),
        ({"states": 3}, TypeError, "Invalid filter"),
    ],
)
def test_bad_options(options, error, text):
    with pytest.raises(error, match=text), brainstate.debug(**options):
        pass
    assert brainstate._engine.frames.current_frame() is None


def test_inside_a_transformation_it_is_refused():
    def body(x):
        with brainstate.debug():
            return x

    for transform in (bt.jit, jax.jit, bt.grad, bt.vmap):
        with pytest.raises(TraceContextError, match="outermost call"):
            transform(body)(jnp.ones(2))


def test_programs_with_and_without_are_kept_apart():
    s, traces = brainstate.State(jnp.zeros(()), name="s"), []

    def body(x):
        traces.append(1)
        s.value = x / 0

    jitted = bt.jit(body)
    loop = lambda: bt.for_loop(jitted, jnp.ones(2))  # noqa: E731
    jitted(1.0), loop()
    count = len(traces)
    for _ in range(2):  # found again at the second time
        bad_write(lambda: jitted(1.0)), bad_write(loop)
        assert len(traces) == count + 2
    jitted(1.0), loop()
    assert len(traces) == count + 2
    bad_write(lambda: jitted(1.0), low=0.0)
    assert len(traces) == count + 3


def test_nothing_of_it_is_seen_by_other_tools():
    s = brainstate.State(1.0, name="s")

    def body(x):
        bt.for_loop(lambda x: setattr(s, "value", s.value + x), x)

    xs = jnp.ones(2)
    plain = str(bt.make_jaxpr(body)(xs)[0])
    with brainstate.debug(), brainstate.StateTraceStack() as stack:
        jaxpr, states = bt.make_jaxpr(body)(xs)
        lowered = bt.jit(body).lower(xs)
        bt.jit(body)(xs)
    assert (states, str(jaxpr), stack.states) == ((s,), plain, [s])
    lowered.compile()(xs)
    assert float(s.value) == 5.0


def test_every_form_of_a_block():
    s = brainstate.State({"a": jnp.zeros(2)}, name="s")
    tag = brainstate.State(0.0, name="t", tag="fragile")

    @brainstate.debug()
    def run(value):
        s.value = {"a": jnp.ones(2)}
        with brainstate.debug(states="fragile"):
            s.value = {"a": jnp.full(2, value)}
        tag.value = value

    with pytest.raises(BadWriteError, match="'t' was assigned NaN"):
        run(NAN)
    np.testing.assert_array_equal([tag.value, *s.value["a"]], [0, NAN, NAN])

    def edit(x):
        s.value["a"] = s.value["a"] * x

    s.value = {"a": jnp.arange(2.0)}
    error = bad_write(lambda: bt.jit(edit)(INF))
    assert "was assigned NaN at ['a'][0], by" in str(error)
    with jax.disable_jit():
        assert bad_write(lambda: bt.for_loop(tag.write_value, jnp.array([1.0, NAN]))).state is tag
    tag.restore_value(0.0)
    assert bad_write(lambda: tag.restore_value(INF)).state is tag


def test_calls_go_on_after_an_error():
    s = brainstate.State(0.0, name="s")
    step = bt.jit(lambda x: setattr(s, "value", s.value + x))
    with brainstate.debug():
        step(1.0)
        with pytest.raises(BadWriteError):
            step(INF)
        step(1.0)
        assert float(bt.grad(lambda x: (step(x), x * x)[1])(3.0)) == 6.0
    assert float(s.value) == 5.0
