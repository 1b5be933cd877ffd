"""`catch_new_states`."""

import threading

import jax.numpy as jnp
import pytest

from brainstate import ParamState, ShortTermState, State, catch_new_states
from brainstate.transform import for_loop, grad, jit, vmap


def test_states_are_caught_in_order_of_creation():
    before = State(0.0)
    with catch_new_states("new") as catcher:
        made = [State(1.0), ParamState(2.0), ShortTermState(3.0)]
    after = State(4.0)
    assert catcher.tag == "new"
    assert catcher.states == made
    assert catcher.state_ids == {id(s) for s in made}
    assert [s.tag for s in made] == ["new"] * 3
    assert (before.tag, after.tag) == (None, None)


def test_tag_by_each_name():
    for catch in (
        catch_new_states("new"),
        catch_new_states(tag="new"),
        catch_new_states(state_tag="new"),
    ):
        with catch:
            assert State(0.0).tag == "new"


def test_own_tag_stays_without_a_tag_of_the_catcher():
    with catch_new_states() as catcher:
        state = State(1.0, tag="mine")
    assert state.tag == "mine"
    assert catcher.states == [state]


def test_catchers_nest_and_the_innermost_tag_wins():
    with catch_new_states("outer") as outer:
        a = State(1.0)
        with catch_new_states("inner") as inner:
            b = State(2.0)
        with catch_new_states() as silent:
            c = State(3.0)
        d = State(4.0)
    assert outer.states == [a, b, c, d]
    assert inner.states == [b]
    assert silent.states == [c]
    assert [s.tag for s in (a, b, c, d)] == ["outer", "inner", "outer", "outer"]


def test_excluded_states_are_neither_caught_nor_tagged():
    with catch_new_states("new", ParamState) as catcher:
        weight, potential = ParamState(1.0), ShortTermState(2.0)
    assert catcher.states == [potential]
    assert (weight.tag, potential.tag) == (None, "new")


def test_block_ends_on_an_exception():
    with pytest.raises(ZeroDivisionError), catch_new_states("new") as catcher:
        raise ZeroDivisionError
    assert State(1.0).tag is None
    assert catcher.states == []


def test_values_and_clearing():
    with catch_new_states() as catcher:
        a, _ = State(1.0), State(2.0)
    a.value = 5.0
    assert catcher.get_state_values() == [5.0, 2.0]
    catcher.clear()
    assert catcher.states == []
    assert catcher.state_ids == set()


def test_a_new_state_among_equal_values_is_caught_once():
    with catch_new_states() as catcher:
        first = State(jnp.ones(2))
        second = State(first)
    assert catcher.states == [first, second]


@pytest.mark.parametrize("transform", [jit, vmap, lambda f: grad(f, argnums=0)])
def test_states_made_in_a_body_are_caught(transform):
    made = []

    def body(x):
        with catch_new_states("new") as catcher:
            local = ShortTermState(x * 2)
        made.append((catcher.states == [local], local.tag))
        return local.value.sum()

    transform(body)(1.0 if transform is not vmap else jnp.ones(2))
    assert made == [(True, "new")]


def test_catcher_outside_sees_states_made_in_a_body():
    with catch_new_states("new") as catcher:
        for_loop(lambda x: State(x).value, jnp.arange(3.0))
    assert [s.tag for s in catcher.states] == ["new"]


def test_other_threads_are_not_caught():
    made = []
    with catch_new_states("new") as catcher:
        thread = threading.Thread(target=lambda: made.append(State(1.0)))
        thread.start()
        thread.join()
    assert catcher.states == []
    assert made[0].tag is None
