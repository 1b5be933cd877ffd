"""`State`: one mutable box, seen from outside every transformation."""

import copy
import pickle

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import (
    HiddenState,
    LongTermState,
    ParamState,
    ShortTermState,
    State,
    check_state_jax_tracer,
    check_state_value_tree,
)
from brainstate.util import BrainStateError, TraceContextError

KINDS = [State, ShortTermState, HiddenState, LongTermState, ParamState]


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    "value",
    [1.0, 2, True, None, (), {"a": 1.0, "b": (2.0, None)}, np.ones(2), [1.0, {"x": 2.0}]],
    ids=repr,
)
def test_value_is_kept_as_it_is(value):
    assert State(value).value is value


def test_python_number_is_not_converted():
    state = State(1.0)
    assert type(state.value) is float
    state.value = 2
    assert type(state.value) is int


def test_quantity_keeps_its_unit():
    state = State(jnp.ones(2) * u.mV)
    assert state.value.unit == u.mV
    state.value = 2.0 * u.volt
    assert float(state.value.to_decimal(u.mV)) == 2000.0


def test_value_of_another_state_is_taken():
    x = jnp.arange(3)
    inner = ShortTermState(x)
    outer = ParamState(inner)
    assert type(outer) is ParamState
    assert outer.value is x
    outer.value = x + 1
    assert inner.value is x


def test_state_metadata_gives_value_and_attributes():
    from brainstate._state import StateMetadata

    wrapped = StateMetadata(3.0, {"decay": 0.5, "tag": "old"})
    state = ParamState(wrapped, tag="new")
    assert (state.value, state.decay, state.tag) == (3.0, 0.5, "new")


def test_any_tree_may_follow_another_by_default():
    state = State(1.0)
    for value in (jnp.ones((2, 3), int), {"a": 1.0}, None, (1.0, 2.0)):
        state.value = value
        assert state.value is value


def test_augmented_assignment():
    state = State(jnp.arange(3.0))
    state.value += 1
    np.testing.assert_array_equal(state.value, [1, 2, 3])


def test_assigning_a_state_is_refused():
    state, other = State(1.0, name="potential"), State(2.0)
    with pytest.raises(
        ValueError, match=r"'potential'.*assigned a State.*`\.value = other\.value`"
    ):
        state.value = other
    with pytest.raises(ValueError, match="assigned a State"):
        state.write_value(other)
    assert state.value == 1.0


def test_value_call_maps_and_stores_nothing():
    value = {"a": 1.0, "b": 2.0}
    state = State(value)
    assert state.value_call(lambda x: x * 10) == {"a": 10.0, "b": 20.0}
    assert state.value is value


def test_restore_value_always_checks_the_tree():
    state = State({"a": 1.0}, name="cache")
    state.restore_value({"a": 2.0})
    assert state.value == {"a": 2.0}
    with pytest.raises(ValueError, match=r"'cache'.*does not match with the origin tree structure"):
        state.restore_value(3.0)
    assert state.value == {"a": 2.0}


def test_edits_of_a_container_value_are_seen_outside_transformations():
    state = State({"a": 1.0})
    state.value["a"] = 5.0
    assert state.value == {"a": 5.0}
    assert brainstate.transform.jit(lambda: state.value["a"] * 2)() == 10.0


# ---------------------------------------------------------------- kinds, names, attributes


def test_class_hierarchy():
    parents = [kind.__base__ for kind in KINDS[1:]]
    assert parents == [State, ShortTermState, State, LongTermState]
    assert issubclass(brainstate.random.RandomState, State)


@pytest.mark.parametrize("kind", KINDS)
def test_classes_belong_to_the_package(kind):
    assert kind.__module__ == "brainstate"
    assert getattr(brainstate, kind.__name__) is kind


def test_name_and_tag():
    state = State(1.0)
    assert (state.name, state.tag) == (None, None)
    state.name, state.tag = "v", "new"
    assert (state.name, state.tag) == ("v", "new")
    assert State(1.0, "first").name == "first"
    assert State(1.0, tag="t").tag == "t"


def test_keyword_arguments_become_attributes():
    state = State(1.0, foo=3, units=("a", "b"))
    assert (state.foo, state.units) == (3, ("a", "b"))


def test_source_info_says_where_it_was_made():
    assert State(1.0).source_info.startswith("test_state.py:")


# ---------------------------------------------------------------- identity


def test_compared_and_hashed_by_identity():
    a, b = State(jnp.ones(2)), State(jnp.ones(2))
    assert a == a
    assert a != b
    assert len({a, b, a}) == 2
    assert b not in [a, State(0.0)]
    before = hash(a)
    a.value = jnp.zeros(3)
    assert hash(a) == before


@pytest.mark.parametrize("kind", KINDS)
def test_is_a_leaf_of_pytrees(kind):
    state = kind({"a": 1.0})
    assert jax.tree.leaves({"x": [state]}) == [state]


# ---------------------------------------------------------------- copies


def test_copy_shares_the_value_and_nothing_else():
    x = jnp.ones(2)
    state = ParamState(x, name="w", tag="t", foo=3)
    for new in (state.copy(), copy.copy(state)):
        assert type(new) is ParamState
        assert new is not state
        assert new.value is x
        assert (new.name, new.tag, new.foo) == ("w", "t", 3)
        new.value = x + 1
        new.tag = "other"
    assert state.value is x
    assert state.tag == "t"


def test_deepcopy_owns_its_value():
    state = ParamState({"w": np.ones(2)}, name="w", extra=[1])
    new = copy.deepcopy(state)
    new.value["w"][0] = 9.0
    new.extra.append(2)
    np.testing.assert_array_equal(state.value["w"], [1, 1])
    assert state.extra == [1]


def test_deepcopy_keeps_sharing():
    state = State(1.0)
    a, b = copy.deepcopy([state, state])
    assert a is b
    assert a is not state


@pytest.mark.parametrize("kind", KINDS)
def test_pickle_round_trip(kind):
    state = kind({"a": jnp.arange(3), "b": 2.0}, name="n", tag="t", foo=(1, 2))
    new = pickle.loads(pickle.dumps(state))
    assert type(new) is kind
    np.testing.assert_array_equal(new.value["a"], [0, 1, 2])
    assert (new.value["b"], new.name, new.tag, new.foo) == (2.0, "n", "t", (1, 2))


def test_pickle_keeps_the_unit():
    new = pickle.loads(pickle.dumps(State(jnp.ones(2) * u.mV)))
    assert new.value.unit == u.mV


def test_replace_makes_a_new_state():
    state = ParamState(1.0, name="w", foo=3)
    new = state.replace(2.0)
    assert type(new) is ParamState
    assert (state.value, new.value, new.name, new.foo) == (1.0, 2.0, "w", 3)


def test_replace_of_attributes_keeps_the_value():
    x = jnp.ones(2)
    state = ParamState(x, tag="t", foo=3)
    new = state.replace(tag="u", foo=4)
    assert new.value is x
    assert (new.tag, new.foo) == ("u", 4)
    assert (state.tag, state.foo) == ("t", 3)


def test_replace_by_a_state_of_the_same_class():
    state, other = ParamState(1.0, name="a"), ParamState(2.0, name="b")
    new = state.replace(other)
    assert (new.value, new.name) == (2.0, "b")


def test_replace_by_a_state_of_another_class_names_both():
    with pytest.raises(ValueError, match=r"ParamState.*HiddenState.*same class"):
        ParamState(1.0).replace(HiddenState(2.0))


def test_copies_are_not_caught():
    state = State(1.0, tag="mine")
    with brainstate.catch_new_states("new") as catcher:
        copies = [state.copy(), state.replace(2.0), state.to_state_ref().to_state()]
    assert catcher.states == []
    assert [c.tag for c in copies] == ["mine"] * 3


# ---------------------------------------------------------------- checks


def test_tree_check_is_on_only_inside_its_block():
    state = State({"a": 1.0}, name="cache")
    with check_state_value_tree():
        state.value = {"a": jnp.ones((2, 2), int)}  # shape and dtype are free
        with pytest.raises(ValueError, match=r"'cache'.*does not match with the origin tree"):
            state.value = {"b": 1.0}
        with check_state_value_tree(False):
            state.value = {"b": 1.0}
        with pytest.raises(ValueError, match=r"origin tree structure.*found.*expected"):
            state.value = 0.0
    state.value = 0.0
    assert state.value == 0.0


def test_tree_check_holds_in_transformations():
    state = State({"a": 1.0}, name="cache")

    def body():
        state.value = 1.0

    with check_state_value_tree(), pytest.raises(ValueError, match=r"'cache'.*origin tree"):
        brainstate.transform.jit(body)()
    assert state.value == {"a": 1.0}


def test_tree_check_is_left_on_error():
    state = State(1.0)
    with pytest.raises(ZeroDivisionError), check_state_value_tree():
        raise ZeroDivisionError
    state.value = (1.0, 2.0)
    assert state.value == (1.0, 2.0)


@pytest.mark.parametrize("flag", [True, False])
def test_assignment_from_a_plain_jax_trace_always_raises(flag):
    x = jnp.zeros(3)
    state = State(x, name="potential")

    def body(y):
        state.value = y
        return y

    with check_state_jax_tracer(flag):
        for transform in (jax.jit, jax.vmap, lambda f: jax.grad(lambda y: f(y).sum())):
            with pytest.raises(TraceContextError, match=r"'potential'.*plain jax.*brainstate"):
                transform(body)(jnp.ones(3))
    assert state.value is x
    assert issubclass(TraceContextError, BrainStateError)


def test_local_state_of_a_plain_jax_trace_is_a_local_variable():
    def total(xs):
        local = State(0.0)
        local.value = local.value + xs[0]
        local.value = local.value + xs[1]
        return local.value

    xs = jnp.array([2.0, 3.0])
    assert float(jax.jit(total)(xs)) == 5.0
    np.testing.assert_array_equal(jax.grad(total)(xs), [1, 1])


def test_local_state_dies_with_its_plain_jax_trace():
    kept = []

    def body(x):
        kept.append(State(x, name="dead"))
        return x

    jax.jit(body)(1.0)
    with pytest.raises(
        TraceContextError, match=r"'dead' was created inside a plain jax.*has ended"
    ):
        _ = kept[0].value
    kept[0].value = 2.0
    assert kept[0].value == 2.0


def test_check_valid_trace():
    state = State(jnp.ones(2))
    state.check_valid_trace(lambda: "never")

    def body(x):
        state.check_valid_trace(lambda: "not from here")
        return x

    with pytest.raises(TraceContextError, match="not from here"):
        jax.jit(body)(1.0)
    assert brainstate.transform.jit(body)(1.0) == 1.0


def test_reads_inside_eager_plain_jax_are_constants():
    state = State(jnp.array([1.0, 2.0]))
    np.testing.assert_array_equal(jax.grad(lambda x: (x * state.value).sum())(jnp.ones(2)), [1, 2])
    np.testing.assert_array_equal(jax.vmap(lambda x: x * state.value)(jnp.ones(2))[1], [1, 2])


# ---------------------------------------------------------------- repr


def test_repr_of_a_state():
    state = ParamState(jnp.zeros(2), name="w", tag="t")
    assert repr(state) == (
        "ParamState(\n  value=Array([0., 0.], dtype=float32),\n  name='w',\n  tag='t'\n)"
    )


def test_repr_hides_what_is_not_set():
    assert repr(State(1.0)) == "State(\n  value=1.0\n)"


def test_repr_shows_attributes_before_the_value():
    assert repr(State(1.0, foo="x", bar=2)) == ("State(\n  foo='x',\n  bar=2,\n  value=1.0\n)")


def test_repr_indents_values_of_several_lines():
    lines = repr(State(jnp.zeros((2, 2)))).splitlines()
    assert lines[1] == "  value=Array([[0., 0.],"
    assert lines[2].startswith("    ")


def test_repr_shows_the_unit():
    assert "mV" in repr(State(jnp.ones(2) * u.mV)) or "mvolt" in repr(State(jnp.ones(2) * u.mV))


# ---------------------------------------------------------------- references


def test_update_from_ref_takes_value_and_attributes():
    state = State(1.0, tag="old")
    state.update_from_ref(State(2.0, name="n", tag="new", foo=3).to_state_ref())
    assert (state.value, state.name, state.tag, state.foo) == (2.0, "n", "new", 3)


def test_update_from_ref_is_a_write():
    state = State(jnp.ones(()))
    ref = State(jnp.zeros(())).to_state_ref()
    with brainstate.StateTraceStack() as trace:
        state.update_from_ref(ref)
    assert trace.been_writen == [True]
