"""Plain JAX transformations in a body and around one: they work, or say what to write instead."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
import brainstate.transform as bt
from brainstate._engine.frames import current_frame
from brainstate._engine.jax_api import is_tracer
from brainstate.util import TraceContextError
from contract.transformations import BY_NAME, JIT, ROWS, name_of, through


def _scan(f):
    return lambda x: jax.lax.scan(lambda carry, x: (carry, f(x)), None, x[None])[1][0]


def _while_loop(f):
    return lambda x: jax.lax.while_loop(lambda c: c[0] < 1, lambda c: (c[0] + 1, f(x)), (0, x))[1]


def _grad(f):
    return lambda x: jax.value_and_grad(f)(x)[0]


def _vmap(f):
    return lambda x: jax.vmap(f)(x[None])[0]


PLAIN = {
    "jit": jax.jit,
    "grad": _grad,
    "vmap": _vmap,
    "scan": _scan,
    "while_loop": _while_loop,
    "cond": lambda f: lambda x: jax.lax.cond(x > -1e4, f, lambda x: x, x),
    "checkpoint": jax.checkpoint,
}
BODIES = [BY_NAME[name] for name in ("jit", "grad", "vmap", "scan", "cond")]
EAGER = ("grad", "vmap")  # these carry out operations, and record nothing


def outcome(call, *args, names="State 'gain'"):
    """The result as a number, or None if a TraceContextError explains itself."""
    try:
        return float(call(*args))
    except TraceContextError as error:
        message = str(error)
    assert names in message
    assert "brainstate.transform" in message
    return None


def assert_at_rest(state):
    assert current_frame() is None
    assert isinstance(state.value, jax.Array)
    assert not is_tracer(state.value)
    assert np.asarray(state.value).shape == ()
    assert float(bt.jit(lambda: state.value * 1.0)()) == float(state.value)


def check_reading(call, state):
    """Never bakes in: the value of each time counts, or there is an error each time."""
    found = []
    for value in (2.0, 3.0):
        state.value = jnp.float32(value)
        found.append(outcome(call, jnp.float32(4.0)))
        assert_at_rest(state)
        assert float(state.value) == value
    assert found in ([8.0, 12.0], [None, None])
    return found[0] is not None


def check_writing(call, state, steps):
    """Never leaks: the State is written as in plain Python, or keeps the value it had."""
    for value in (2.0, 3.0):
        state.value = jnp.float32(value)
        before = state.value
        found = outcome(call, jnp.float32(4.0))
        assert_at_rest(state)
        if found is None:
            assert state.value is before
        else:
            assert float(state.value) == value + 4.0 * steps


def gain():
    return brainstate.State(jnp.float32(2.0), name="gain")


@pytest.mark.parametrize("plain", PLAIN)
@pytest.mark.parametrize("row", [*BODIES, None], ids=name_of)
def test_reading_in_plain_jax_in_a_body(row, plain):
    state = gain()
    inner = lambda x: PLAIN[plain](lambda x: state.value * x)(x)  # noqa: E731
    works = check_reading(inner if row is None else row(inner), state)
    staged = row is not None and row.staged
    assert works == (staged or plain in EAGER)


@pytest.mark.parametrize("plain", PLAIN)
@pytest.mark.parametrize("row", BODIES, ids=name_of)
def test_reading_in_one_plain_function_in_two_bodies(row, plain):
    """What JAX keeps of the first body must not turn up in the second."""
    state = gain()
    inner = PLAIN[plain](lambda x: state.value * x)
    found = []
    for value in (2.0, 3.0):
        state.value = jnp.float32(value)
        call = row(lambda x: inner(x) + 0.0)
        found.append(outcome(call, jnp.float32(4.0), names="plain jax transformation"))
        assert_at_rest(state)
    assert found[0] in (8.0, None)
    assert found[1] in (12.0, None)


@pytest.mark.parametrize("plain", PLAIN)
@pytest.mark.parametrize("row", [*BODIES, None], ids=name_of)
def test_writing_in_plain_jax_in_a_body(row, plain):
    state = gain()

    def write(x):
        state.value = state.value + x
        return state.value

    def inner(x):
        return PLAIN[plain](write)(x)

    check_writing(inner if row is None else row(inner), state, 1 if row is None else row.runs)


@pytest.mark.parametrize("plain", PLAIN)
@pytest.mark.parametrize("row", BODIES, ids=name_of)
def test_reading_in_a_body_in_plain_jax(row, plain):
    state = gain()
    works = check_reading(PLAIN[plain](row(lambda x: state.value * x)), state)
    assert works == (plain in EAGER)


@pytest.mark.parametrize("plain", PLAIN)
@pytest.mark.parametrize("row", BODIES, ids=name_of)
def test_writing_in_a_body_in_plain_jax(row, plain):
    state = gain()

    def write(x):
        state.value = state.value + x
        return state.value

    check_writing(PLAIN[plain](row(write)), state, row.runs)


@pytest.mark.parametrize("row", [row for row in ROWS if row not in BODIES], ids=name_of)
@pytest.mark.parametrize("place", ["in", "around"])
def test_other_transformations_and_plain_jit(row, place):
    state = gain()

    def write(x):
        state.value = state.value + x
        return state.value

    call = jax.jit(row(write)) if place == "around" else row(jax.jit(write))
    check_writing(call, state, row.runs)


@pytest.mark.parametrize("row", BODIES, ids=name_of)
def test_compiled_before_and_used_in_plain_jax(row):
    """A compiled program is at hand already when plain JAX comes along."""
    state = gain()

    def write(x):
        state.value = state.value + x
        return state.value

    call = through(JIT, row)(write)
    call(jnp.float32(1.0))
    for plain in PLAIN.values():
        check_writing(plain(call), state, row.runs)


@pytest.mark.parametrize("plain", PLAIN)
def test_local_state_in_plain_jax(plain):
    """A State made inside plain JAX serves there, and is no use afterwards."""
    kept = []

    def body(x):
        local = brainstate.State(x, name="local")
        kept.append(local)
        local.value = local.value * 2.0
        return bt.jit(lambda: local.value + 1.0)()

    assert float(PLAIN[plain](body)(jnp.float32(3.0))) == 7.0
    with pytest.raises(TraceContextError, match="'local'"):
        _ = kept[0].value


def test_error_inside_names_the_path():
    model = brainstate.graph.Node()
    model.part = brainstate.graph.Node()
    model.part.weight = brainstate.ParamState(jnp.ones(2))
    with pytest.raises(TraceContextError, match=r"ParamState `part.weight` of Node was read"):
        jax.jit(lambda x: model.part.weight.value * x)(1.0)
    with pytest.raises(TraceContextError, match=r"ParamState `part.weight` of Node was assigned"):
        jax.vmap(lambda x: setattr(model.part.weight, "value", x))(jnp.ones(2))
    np.testing.assert_array_equal(model.part.weight.value, np.ones(2))


def test_values_travel_through_plain_jax():
    """The way out that the errors recommend."""
    state = gain()
    program = jax.jit(lambda value, x: (value + x, value * x))
    state.value, out = program(state.value, 3.0)
    assert (float(state.value), float(out)) == (5.0, 6.0)


@pytest.mark.parametrize("transform", [bt.jit, bt.vmap, jax.jit, jax.vmap])
def test_a_value_of_a_trace_that_ended_is_refused(transform):
    kept = []

    def leak(x):
        kept.append(2 * x)
        return x

    transform(leak)(jnp.arange(3.0))
    state = brainstate.State(1.0, name="gain")
    with pytest.raises(TraceContextError, match=r"State 'gain' .* ended"):
        state.value = {"w": kept[0]}
    assert state.value == 1.0
    with pytest.raises(TraceContextError, match=r"State .* ended"):
        brainstate.State(kept[0])
