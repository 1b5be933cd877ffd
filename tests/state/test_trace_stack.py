"""`StateTraceStack`: what a piece of code reads and writes."""

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import State, StateTraceStack
from brainstate.transform import for_loop, jit, vmap


@pytest.fixture
def abc():
    return State(1.0, name="a"), State(2.0, name="b"), State(3.0, name="c")


def test_records_in_order_of_first_access(abc):
    a, b, c = abc
    with StateTraceStack() as trace:
        _ = b.value
        a.value = 10.0
        _ = a.value
        b.value = 20.0
        _ = c.value
    assert trace.states == [b, a, c]
    assert trace.been_writen == [True, True, False]
    assert trace.original_state_values == (2.0, 1.0, 3.0)


def test_code_inside_acts_as_without_it(abc):
    a, b, _ = abc
    with StateTraceStack():
        a.value = b.value + 5
        assert a.value == 7.0
    assert a.value == 7.0


def test_nothing_is_recorded_outside(abc):
    a, b, _ = abc
    trace = StateTraceStack()
    _ = a.value
    with trace:
        _ = b.value
    a.value = 5.0
    assert trace.states == [b]


def test_states_made_inside_are_recorded_only_by_later_stacks():
    with StateTraceStack() as outer:
        local = State(1.0)
        local.value += 1
        with StateTraceStack() as inner:
            local.value += 1
    assert outer.states == []
    assert inner.states == [local]
    assert local.value == 3.0
    with StateTraceStack() as later:
        _ = local.value
    assert later.states == [local]


def test_stacks_nest(abc):
    a, b, _ = abc
    with StateTraceStack() as outer:
        _ = b.value
        with StateTraceStack() as inner:
            a.value = 5.0
    assert inner.states == [a]
    assert (outer.states, outer.been_writen) == ([b, a], [False, True])


def test_selection_by_access(abc):
    a, b, c = abc
    with StateTraceStack() as trace:
        _ = a.value
        b.value = 20.0
        _ = c.value
    assert trace.get_state_values() == (1.0, 20.0, 3.0)
    assert trace.get_read_states() == (a, c)
    assert trace.get_write_states() == (b,)
    assert trace.get_read_states(replace_writen=True) == (a, None, c)
    assert trace.get_write_states(replace_read=True) == (None, b, None)
    assert trace.get_read_state_values() == (1.0, 3.0)
    assert trace.get_write_state_values() == (20.0,)
    assert trace.get_read_state_values(replace_writen=True) == (1.0, None, 3.0)
    assert trace.get_write_state_values(replace_read=True) == (None, 20.0, None)
    assert trace.get_state_values(separate=True) == ((20.0,), (1.0, 3.0))
    assert trace.get_state_values(separate=True, replace=True) == (
        (None, 20.0, None),
        (1.0, None, 3.0),
    )


def test_recovery_puts_original_values_back_without_recording(abc):
    a, b, c = abc
    with StateTraceStack() as trace:
        a.value = 10.0
        _ = b.value
        trace.recovery_original_values()
        assert a.value == 1.0
    assert (trace.states, trace.been_writen) == ([a, b], [True, False])
    c.value = a.value = 7.0
    trace.recovery_original_values()
    assert (a.value, c.value) == (1.0, 7.0)


def test_merge_is_the_union_in_order(abc):
    a, b, c = abc
    with StateTraceStack() as first:
        _ = a.value
        _ = b.value
    with StateTraceStack() as second:
        b.value = 20.0
        _ = c.value
    for merged in (first.merge(second), first + second):
        assert merged.states == [a, b, c]
        assert merged.been_writen == [False, True, False]
        assert merged.original_state_values == (1.0, 2.0, 3.0)
    assert first.been_writen == [False, False]
    assert first.merge().states == [a, b]
    assert first.merge(second, second).states == [a, b, c]


def test_new_arg_replaces_each_leaf_at_first_sight():
    state = State({"x": jnp.ones(2), "y": 3})
    seen = []

    def new_arg(aval):
        seen.append((aval.shape, str(aval.dtype)))
        return jnp.zeros(aval.shape, aval.dtype)

    with StateTraceStack(new_arg) as trace:
        np.testing.assert_array_equal(state.value["x"], [0, 0])
        assert state.value["y"] == 0
    assert seen == [((2,), "float32"), ((), "int32")]
    assert trace.original_state_values[0]["y"] == 3
    assert trace.been_writen == [False]


def test_set_new_arg(abc):
    a, _, _ = abc
    trace = StateTraceStack()
    trace.set_new_arg(lambda aval: jnp.full(aval.shape, 9.0))
    with trace:
        assert a.value == 9.0
    trace.recovery_original_values()
    assert a.value == 1.0


def test_recording_by_hand(abc):
    a, b, _ = abc
    trace = StateTraceStack()
    trace.read_its_value(a)
    trace.write_its_value(b)
    trace.read_its_value(b)
    assert (trace.states, trace.been_writen) == ([a, b], [False, True])


def test_restoring_counts_as_a_read(abc):
    a, _, _ = abc
    with StateTraceStack() as trace:
        a.restore_value(5.0)
    assert a.value == 5.0
    assert trace.been_writen == [False]


def test_sees_through_transformations():
    a, b = State(jnp.ones(3)), State(jnp.zeros(()))

    def body(x):
        b.value = b.value + x
        return a.value.sum()

    def plain(x):
        return body(x).sum()

    for run in (lambda: jit(plain)(1.0), lambda: for_loop(plain, jnp.ones(2))):
        with StateTraceStack() as trace:
            run()
        assert set(trace.states) == {a, b}
        assert trace.get_write_states() == (b,)
    with StateTraceStack() as trace:
        vmap(lambda x: x + a.value)(jnp.ones(2))
    assert (trace.states, trace.been_writen) == ([a], [False])


def test_usable_inside_a_transformation():
    a, b = State(1.0), State(2.0)
    found = []

    @jit
    def body(x):
        with StateTraceStack() as trace:
            a.value = a.value + b.value * x
        found.append((trace.states, trace.been_writen))
        return a.value

    assert body(3.0) == 7.0
    assert found == [([a, b], [True, False])]
    assert a.value == 7.0


def test_an_exception_closes_it(abc):
    a, b, _ = abc
    trace = StateTraceStack()

    def fail():
        with trace:
            _ = a.value / 0

    with pytest.raises(ZeroDivisionError):
        fail()
    _ = b.value
    assert trace.states == [a]


def test_edit_in_place_is_a_write():
    state = State({"x": jnp.ones(2)})
    with StateTraceStack() as trace:
        state.value["x"] = jnp.zeros(2)
    assert trace.states == [state]
    np.testing.assert_array_equal(jax.device_get(state.value["x"]), [0, 0])


def test_other_threads_are_not_recorded():
    a, b = State(1.0), State(2.0)
    with StateTraceStack() as trace:
        thread = threading.Thread(target=lambda: setattr(a, "value", 5.0))
        thread.start()
        thread.join()
        _ = b.value
    assert trace.states == [b]
    assert a.value == 5.0
