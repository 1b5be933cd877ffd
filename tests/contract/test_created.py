"""States and nodes that a body makes."""

import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
import brainstate.transform as bt
from brainstate._engine.frames import current_frame
from brainstate.util import TraceContextError
from contract.models import Layer
from contract.transformations import (
    BY_NAME,
    EFFECTIVE,
    JIT,
    KINDS,
    ROWS,
    name_of,
    nests,
    runs_of,
    some_nests,
    through,
)

MAKES = [row for row in EFFECTIVE if not row.repeats]
LOOPS = [row for row in ROWS if row.repeats]


def lanes_of(rows):
    return tuple(row.size for row in rows if row.lanes)


@pytest.mark.parametrize(
    "rows",
    [*nests(MAKES), *((a, b) for a in KINDS for b in KINDS if not a.repeats and not b.repeats)],
    ids=name_of,
)
def test_state_made_in_the_body_is_there_afterwards(rows):
    layer = Layer()

    def body(x):
        layer.hidden = brainstate.HiddenState(2.0 * x, tag="made")
        layer.hidden.value = layer.hidden.value + 1.0
        return layer.hidden.value

    call = through(*rows)(body)
    for x in (1.0, 4.0):
        call(jnp.float32(x))
        expected = np.full(lanes_of(rows), 2.0 * x + 1.0)
        np.testing.assert_allclose(layer.hidden.value, expected)
        assert layer.hidden.tag == "made"
    assert brainstate.graph.states(layer)[("hidden",)] is layer.hidden


COMPILED = {
    "jit": bt.jit,
    "jit of checkpoint": lambda f: bt.jit(bt.checkpoint(f)),
    "jit of jit": lambda f: bt.jit(bt.jit(f)),
    "pmap": lambda f: bt.pmap(f, in_axes=None, axis_size=8),
}


@pytest.mark.parametrize("name", COMPILED)
def test_state_made_for_each_shape_comes_back_with_it(name):
    """Compiled code attaches the State at every call, as plain Python does."""
    layer = Layer()

    def body(x):
        layer.hidden = brainstate.HiddenState(jnp.zeros_like(x))
        layer.hidden.value = layer.hidden.value + x
        return layer.hidden.value.sum()

    call = COMPILED[name](body)
    for value, shape in [(1.0, (2,)), (2.0, (3,)), (3.0, (2,)), (4.0, (3,))]:
        call(jnp.full(shape, value))
        lanes = (8,) if name == "pmap" else ()
        np.testing.assert_array_equal(layer.hidden.value, np.full((*lanes, *shape), value))


@pytest.mark.parametrize("rows", nests(LOOPS), ids=name_of)
def test_state_made_in_a_loop_or_branch_is_refused(rows):
    layer = Layer()
    owner = brainstate.graph.Dict(layer=layer)

    def body(x):
        owner.layer.hidden = brainstate.HiddenState(x, name="voltage")
        return x

    before = dict(vars(layer))
    with pytest.raises(TraceContextError, match=r"'voltage'.*`?'hidden'.* of Layer"):
        through(*rows)(body)(jnp.float32(1.0))
    assert vars(layer) == before
    assert current_frame() is None


@pytest.mark.parametrize("rows", some_nests(LOOPS), ids=name_of)
def test_state_made_in_a_loop_or_branch_serves_there(rows):
    kept, seen = [], brainstate.State(jnp.float32(0.0))

    def body(x):
        local = brainstate.State(x, name="local")
        local.value = local.value * 3.0
        kept.append(local)
        seen.value = seen.value + local.value
        return local.value

    out = through(*rows)(body)(jnp.float32(2.0))
    np.testing.assert_allclose((out, seen.value), (6.0, 6.0 * runs_of(rows)))
    with pytest.raises(TraceContextError, match="'local'"):
        _ = kept[0].value


@pytest.mark.parametrize("rows", nests([r for r in ROWS if not r.effects]), ids=name_of)
def test_looking_at_a_body_attaches_nothing(rows):
    layer, kept = Layer(), []

    def body(x):
        layer.hidden = brainstate.HiddenState(x, name="hidden")
        kept.append(layer.hidden)
        return layer.hidden.value

    before = dict(vars(layer))
    through(*rows)(body)(jnp.float32(1.0))
    assert vars(layer) == before
    with pytest.raises(TraceContextError, match="`hidden` of Layer has no value"):
        _ = kept[0].value


@pytest.mark.parametrize("rows", nests(MAKES), ids=name_of)
def test_new_states_are_caught_inside_and_outside(rows):
    layer = Layer()

    def body(x):
        with brainstate.catch_new_states("inner") as inner:
            layer.a = brainstate.State(x)
        layer.b = brainstate.State(x)
        assert inner.states == [layer.a]
        return x

    with brainstate.catch_new_states("outer") as outer:
        through(*rows)(body)(jnp.float32(1.0))
    assert outer.states == [layer.a, layer.b]
    assert (layer.a.tag, layer.b.tag) == ("inner", "outer")
    np.testing.assert_allclose(outer.get_state_values(), np.ones((2, *lanes_of(rows))))


@pytest.mark.parametrize("rows", nests(MAKES), ids=name_of)
def test_state_of_a_failed_body_has_no_value(rows):
    kept = []

    def body(x):
        kept.append(brainstate.State(x, name="lost"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        through(*rows)(body)(jnp.float32(1.0))
    with pytest.raises(TraceContextError, match="'lost'"):
        _ = kept[0].value


# ------------------------------------------------------------------ nodes as results


class Pair(brainstate.graph.Node):
    """Two names for one State, a cycle, and an older node."""

    def __init__(self, x, old):
        self.state = self.alias = brainstate.ParamState(x)
        self.me, self.old, self.parts = self, old, [Layer(1.0), old]


ALONE = [row for row in MAKES if not row.lanes]


@pytest.mark.parametrize("rows", nests(ALONE), ids=name_of)
def test_node_made_in_the_body_comes_out_whole(rows):
    old = Layer(5.0)
    call = through(*rows)(lambda x: {"pair": Pair(x, old), "x": x})
    first, second = (call(jnp.float32(x))["pair"] for x in (1.0, 2.0))
    for pair, x in ((first, 1.0), (second, 2.0)):
        assert type(pair) is Pair
        assert pair.alias is pair.state
        assert pair.me is pair
        assert pair.old is pair.parts[1] is old
        assert float(pair.state.value) == x
        assert float(pair.parts[0].weight.value) == 1.0
    assert first is not second
    assert first.state is not second.state
    assert first.parts[0] is not second.parts[0]
    first.state.value = first.state.value + 1.0
    assert float(second.state.value) == 2.0


@pytest.mark.parametrize(
    "rows", nests([row for row in EFFECTIVE if not row.lanes and not row.repeats]), ids=name_of
)
def test_node_from_outside_comes_out_as_itself(rows):
    layer = Layer(3.0)

    def body(x):
        layer.weight.value = layer.weight.value * x
        return {"layer": layer, "state": layer.weight}

    call = through(*rows)(body)
    for weight in (6.0, 12.0):
        out = call(jnp.float32(2.0))
        assert out["layer"] is layer
        assert out["state"] is layer.weight
        assert float(layer.weight.value) == weight


BRANCHES = {
    "cond": lambda f, x: bt.cond(x > 0, f, f, x),
    "switch": lambda f, x: bt.switch(jnp.int32(1), [f, f], x),
    "ifelse": lambda f, x: bt.ifelse([x > 0, x <= 0], [f, f], x),
}


@pytest.mark.parametrize("wrap", [lambda f: f, bt.jit], ids=["eager", "jit"])
@pytest.mark.parametrize("name", BRANCHES)
def test_branches_return_nodes_from_outside(name, wrap):
    layer = Layer(3.0)

    def body(x):
        layer.weight.value = layer.weight.value * x
        return layer, x

    out, x = wrap(lambda x: BRANCHES[name](body, x))(jnp.float32(2.0))
    assert out is layer
    assert (float(layer.weight.value), float(x)) == (6.0, 2.0)


@pytest.mark.parametrize("wrap", [lambda f: f, bt.jit], ids=["eager", "jit"])
@pytest.mark.parametrize("name", BRANCHES)
def test_branches_refuse_nodes_that_they_made(name, wrap):
    with pytest.raises(TypeError, match="node or State that it made"):
        wrap(lambda x: BRANCHES[name](Layer, x))(jnp.float32(2.0))


@pytest.mark.parametrize("rows", [(r,) for r in LOOPS if r.each is not None], ids=name_of)
def test_loops_refuse_nodes_that_they_made(rows):
    with pytest.raises(TypeError, match="returns a node or State that it made itself"):
        through(*rows)(lambda x: (Layer(x), x))(jnp.float32(2.0))


@pytest.mark.parametrize("outer", [None, JIT, BY_NAME["grad"], BY_NAME["scan"]], ids=str)
@pytest.mark.parametrize("row", [row for row in MAKES if row.lanes], ids=name_of)
def test_lanes_return_nodes_stacked(row, outer):
    old = Layer(5.0)
    values = []

    def make(x):
        pair = Pair(x, Layer(x))
        pair.me = None
        return pair

    def body(x):
        made = row.each(make)(x + jnp.arange(float(row.size)))
        assert made.alias is made.state
        values.append(made)
        return made.state.value.sum() + made.old.weight.value.sum()

    out = body(jnp.float32(1.0)) if outer is None else outer(body)(jnp.float32(1.0))
    assert float(out) == 2 * sum(1.0 + i for i in range(row.size))
    if outer is None:
        np.testing.assert_allclose(values[0].state.value, 1.0 + np.arange(row.size))
    assert float(old.weight.value) == 5.0


@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_attributes_do_not_keep_values_of_the_body(row):
    layer = Layer()
    layer.last = None

    def body(x):
        layer.last = {"twice": 2.0 * x}
        return layer.last["twice"]

    call, x = (row.each, jnp.arange(float(row.size))) if row.lanes else (row, jnp.float32(1.0))
    with pytest.raises(TraceContextError, match=r"'last' of Layer .* computed inside"):
        call(body)(x)
    assert layer.last is None


def test_nodes_of_the_body_keep_its_values():
    def body(x):
        layer = Layer()
        layer.last = 2.0 * x
        return bt.jit(lambda: layer.last + 1.0)()

    np.testing.assert_array_equal(bt.vmap(body)(jnp.arange(3.0)), [1.0, 3.0, 5.0])
