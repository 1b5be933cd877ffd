"""`StateAxes`, and the axes of States in trees."""

import jax.numpy as jnp
import pytest

from brainstate import HiddenState, ParamState, ShortTermState, State, graph
from brainstate.augment import StateAxes
from brainstate.augment.state_axes import axes_of_states, declared_axes


class Cell(graph.Node):
    def __init__(self):
        self.w = ParamState(jnp.ones(3))
        self.v = HiddenState(jnp.ones(3), tag="new")
        self.c = ShortTermState(jnp.ones(3))


def test_is_a_value():
    axes = StateAxes({"new": 0, ...: None})
    assert axes == StateAxes([("new", 0), (..., None)])
    assert hash(axes) == hash(StateAxes([("new", 0), (..., None)]))
    assert axes != StateAxes({"new": 1, ...: None})
    assert axes != StateAxes({"old": 0, ...: None})
    assert axes.filters == ("new", ...)
    assert axes.axes == (0, None)
    assert dict(axes.items()) == {"new": 0, ...: None}
    assert repr(axes) == "StateAxes({'new': 0, Ellipsis: None})"


def test_first_match_wins():
    cell = Cell()
    axes = StateAxes({"new": 1, ShortTermState: 2, ...: None})
    found = axes_of_states(axes, cell, "in_axes")
    assert found == {cell.v: 1, cell.c: 2, cell.w: None}


@pytest.mark.parametrize(("key", "matched"), [
    (ParamState, ["w"]),
    (State, ["w", "v", "c"]),
    ("new", ["v"]),
    ((ParamState, "new"), ["w", "v"]),
    (lambda path, state: path[-1] == "c", ["c"]),
    (..., ["w", "v", "c"]),
    (True, ["w", "v", "c"]),
])  # fmt: skip
def test_filters(key, matched):
    cell = Cell()
    pairs = [(key, 0)] if key in (..., True) else [(key, 0), (..., None)]
    found = axes_of_states(StateAxes(pairs), cell, "in_axes")
    assert [name for name in ("w", "v", "c") if found[getattr(cell, name)] == 0] == matched


def test_the_rest_comes_last():
    with pytest.raises(ValueError, match=r"\.\.\.|last"):
        StateAxes({...: None, "new": 0})


def test_no_match_is_named():
    cell = Cell()
    with pytest.raises(ValueError, match=r"Non-exhaustive filters.*ShortTermState.*`\.\.\.: None`"):
        axes_of_states(StateAxes({ParamState: 0, "new": 0}), cell, "in_axes")


@pytest.mark.parametrize("axis", [True, 0.0, "0", (0,)])
def test_an_axis_is_an_int_or_none(axis):
    with pytest.raises(TypeError, match=r"axis for 'new' must be an int or None"):
        StateAxes({"new": axis})


def test_prefixes_reach_into_containers():
    a, b = Cell(), Cell()
    prefix = ({"m": StateAxes({ParamState: 1, ...: None}), "x": 0}, 2)
    found = axes_of_states(prefix, ({"m": a, "x": jnp.ones(2)}, [b]), "in_axes")
    assert found == {a.w: 1, a.v: None, a.c: None, b.w: 2, b.v: 2, b.c: 2}


def test_states_themselves_have_axes():
    a, b = State(1.0), State(2.0)
    assert axes_of_states((0, None), (a, [b]), "in_axes") == {a: 0, b: None}


def test_one_state_with_two_axes_is_an_error_with_both():
    cell = Cell()
    assert axes_of_states((0, 0), (cell, cell), "in_axes")[cell.w] == 0
    with pytest.raises(
        ValueError, match=r"Inconsistent aliasing detected in in_axes.*axis 0.*axis None"
    ):
        axes_of_states((0, None), (cell, cell), "in_axes")


def test_declared_axes():
    a, b, c = State(1.0), State(2.0), State(3.0)
    assert declared_axes(None, "in_states") == {}
    assert declared_axes(a, "in_states") == {a: 0}
    assert declared_axes([a, {"k": b}], "in_states") == {a: 0, b: 0}
    assert declared_axes({"k": a}, "in_states") == {a: 0}
    assert declared_axes({0: a, 2: [b, c]}, "in_states") == {a: 0, b: 2, c: 2}
    with pytest.raises(TypeError, match=r"in_states takes States.*\{axis: States\}; found 3"):
        declared_axes([a, 3], "in_states")
