"""Frames: scratch copies of States, nested as transformations are."""

import jax
import jax.numpy as jnp
import pytest

import brainstate
from brainstate._engine import frames
from brainstate._engine.cell import UNSET
from brainstate._engine.frames import Frame, commit, current_frame
from brainstate._engine.guards import Guards
from brainstate._engine.jax_api import EAGER, current_trace, is_staging, is_tracer
from brainstate._engine.journal import record, transaction, undo
from brainstate._engine.program import TracingFrame, trace
from brainstate.graph import Node
from brainstate.util import TraceContextError


def effects_of(frame, body):
    """Run a body in a frame; returns what it did."""
    with frame:
        body()
        effects = frame.effects()
        return effects, [frame.values[state] for state in effects]


def test_there_is_no_frame_outside():
    assert current_frame() is None
    with Frame() as frame:
        assert current_frame() is frame
    assert current_frame() is None


def test_writes_stay_in_the_frame():
    state, frame = brainstate.State(1), Frame()

    def body():
        state.value = state.value + 1
        assert state.value == 2

    effects, values = effects_of(frame, body)
    assert (effects, values) == ([state], [2])
    assert state.value == 1
    commit(effects, values)
    assert state.value == 2


def test_dropped_frame_leaves_no_trace():
    state, frame = brainstate.State(1), Frame()

    def body():
        state.value = 2
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        effects_of(frame, body)
    assert state.value == 1
    assert current_frame() is None
    assert not frame.values


def test_frames_nest():
    state = brainstate.State(1)
    with Frame() as outer:
        state.value = 2
        inner = Frame()
        effects, values = effects_of(inner, lambda: setattr(state, "value", state.value * 10))
        assert state.value == 2
        commit(effects, values)
        assert state.value == 20
        assert outer.effects() == [state]
    assert state.value == 1


def test_frame_tells_reads_writes_and_new_states_apart():
    read, written, both = (brainstate.State(i) for i in range(3))
    made = []

    def body():
        _ = read.value
        written.value = 5
        both.value += 1
        made.append(brainstate.State(7))
        made[0].value += 1

    frame = Frame()
    effects, values = effects_of(frame, body)
    assert list(frame.fetched) == [read, both]
    assert list(frame.written) == [written, both]
    assert list(frame.created) == made
    assert (effects, values) == ([written, both, *made], [5, 3, 8])
    assert frame.seen == {read, both, *made}
    assert made[0]._value is UNSET
    with pytest.raises(TraceContextError, match="no value here"):
        _ = made[0].value
    commit(effects, values, frame.created)
    assert made[0].value == 8


def test_given_values_are_not_fetched():
    state = brainstate.State(1)
    frame = Frame({state: 10})
    effects, _ = effects_of(frame, lambda: state.value)
    assert not frame.fetched
    assert not effects
    frame = Frame()
    with frame:
        frame.give({state: 20})
        assert state.value == 20
        assert not frame.effects()


@pytest.mark.parametrize("value", [{"a": 1}, [1], ({"a": 1},), {"a": [{"b": 1}]}])
def test_containers_are_copied_into_the_frame(value):
    state = brainstate.State(value)
    with Frame() as frame:
        assert state.value == value
        assert state.value is not value
        assert state.value is state.value
        assert not frame.effects()  # only looked at


def test_edit_in_place_is_a_write():
    state = brainstate.State({"a": [1]})
    effects, values = effects_of(Frame(), lambda: state.value["a"].append(2))
    assert (effects, values) == ([state], [{"a": [1, 2]}])
    assert state.value == {"a": [1]}


def test_equal_leaf_assigned_in_place_is_a_write_only_if_it_is_another_object():
    leaf = jnp.ones(2)
    state = brainstate.State({"a": leaf})
    same, _ = effects_of(Frame(), lambda: state.value.update(a=leaf))
    other, _ = effects_of(Frame(), lambda: state.value.update(a=jnp.ones(2)))
    assert (same, other) == ([], [state])


def test_reading_in_an_inner_plain_trace():
    """A frame fetches in its own trace; inner traces close over the value."""
    state = brainstate.State(jnp.float32(2.0))

    def body():
        with frame:
            return jax.grad(lambda x: state.value * x)(3.0)

    frame = Frame()
    assert float(body()) == 2.0
    frame = Frame()
    with frame, pytest.raises(TraceContextError, match="read inside a plain jax"):
        jax.jit(lambda x: state.value * x)(3.0)


def test_assigning_in_an_inner_plain_trace_is_refused():
    state = brainstate.State(jnp.float32(2.0), name="s")
    with Frame() as frame:
        with pytest.raises(TraceContextError, match="State 's' was assigned"):
            jax.vmap(lambda x: setattr(state, "value", x))(jnp.ones(2))
        assert not frame.effects()


def test_nodes_and_edits_go_to_the_enclosing_frame():
    outside = Node()
    with Frame() as outer:
        with Frame() as inner:
            made = Node()
            outside.a = 1
            assert list(inner.nodes.values()) == [made]
        assert list(outer.nodes.values()) == [made]
        assert (id(outside), "a") in outer.edits


def test_facts_go_to_every_guarded_frame_but_those_that_own_them():
    outside = Node()
    outside.a, outside.b = 1, 2
    outer_guards, inner_guards = Guards(), Guards()

    def facts(guards):
        return {kind for _, kind in guards.facts}

    def inner_body(x):
        made = Node()
        made.c = 1
        return x * outside.a * outside.b * made.c

    def outer_body(x):
        outside.b = 3
        trace(inner_body, (x,), guards=inner_guards)
        return x

    trace(outer_body, (1.0,), guards=outer_guards)
    assert facts(inner_guards) & {"a", "b", "c"} == {"a", "b"}
    assert "a" in facts(outer_guards)
    assert not facts(outer_guards) & {"b", "c"}


def test_unguarded_frames_note_nothing():
    node = Node()
    node.a = 1
    with Frame() as frame:
        assert not frame.guarded
        assert node.a == 1


def test_recorders_see_restored_values_as_reads():
    state = brainstate.State(1)
    with Frame() as frame:
        state.restore_value(2)
        assert frame.values[state] == 2


def test_state_of_a_plain_trace_is_a_local_variable():
    kept = []

    def body(x):
        kept.append(brainstate.State(x, name="local"))
        kept[0].value = kept[0].value * 2
        assert kept[0]._home is current_trace()
        return kept[0].value

    assert float(jax.jit(body)(3.0)) == 6.0
    with pytest.raises(TraceContextError, match="'local' was created inside a plain jax"):
        _ = kept[0].value
    kept[0].value = 1.0  # a new value makes it whole
    assert kept[0].value == 1.0


def test_concrete_state_of_a_plain_trace_comes_home():
    kept = []
    jax.grad(lambda x: (kept.append(brainstate.State(5)), x)[1])(1.0)
    assert kept[0].value == 5
    assert kept[0]._home is None


# ------------------------------------------------------------------ the journal


def test_failed_transaction_takes_edits_back_in_reverse():
    node = Node()
    node.a, node.b = 1, 2

    def body():
        node.a = 10
        node.a = 100
        del node.b
        node.c = 3
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        transaction()(body)()
    assert vars(node) == {"a": 1, "b": 2}


def test_transactions_nest():
    node = Node()
    node.a = 1

    @transaction()
    def failing_part():
        node.a = 3
        raise KeyError

    @transaction()
    def whole():
        with transaction() as inner:
            node.a = 2
        assert len(inner) == 1
        with pytest.raises(KeyError):
            failing_part()
        assert node.a == 2
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        whole()
    assert node.a == 1


def test_journal_can_be_undone_later():
    node = Node()
    node.a = 1
    with transaction() as journal:
        node.a = 2
    assert node.a == 2
    undo(journal)
    assert node.a == 1
    undo(journal)
    assert node.a == 1


def test_nothing_is_recorded_outside_transactions():
    node = Node()
    record(node, "a", 1)
    with pytest.raises(ZeroDivisionError), transaction():
        raise ZeroDivisionError
    assert not hasattr(node, "a")


# ------------------------------------------------------------------ traces


def test_traces_are_recognised():
    seen = {}

    def look(name):
        def body(x):
            seen[name] = (current_trace() is EAGER, is_staging(), is_tracer(x))
            return x

        return body

    look("eager")(1.0)
    jax.jit(look("jit"))(1.0)
    jax.grad(look("grad"))(1.0)
    jax.vmap(look("vmap"))(jnp.ones(2))
    jax.jit(jax.grad(look("jit of grad")))(1.0)
    assert seen == {
        "eager": (True, False, False),
        "jit": (False, True, True),
        "grad": (False, False, True),
        "vmap": (False, False, True),
        "jit of grad": (False, True, True),
    }


def test_tracing_frame_turns_states_into_inputs():
    state = brainstate.State({"a": jnp.ones(2), "b": 1.0})

    frame = TracingFrame()

    def body():
        frame.input_trace = current_trace()
        with frame:
            value = state.value
            assert all(map(is_tracer, jax.tree.leaves(value)))
            assert frame.input_count == 2
            assert [a.shape for a in frame.signatures[0][1]] == [(2,), ()]
        return 0

    jax.make_jaxpr(body)()
    assert frames.read(None, state)["b"] == 1.0


def test_state_that_holds_no_jax_value_is_named():
    state = brainstate.State("text", name="label")
    with pytest.raises(TypeError, match="State 'label' holds 'text'"):
        brainstate.compile.jit(lambda: state.value)()
