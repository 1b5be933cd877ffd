"""Programs: one run of a body, with its States made explicit."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate._engine.frames import current_frame
from brainstate._engine.jax_api import is_tracer
from brainstate._engine.program import outer_values, trace
from brainstate.graph import Node


def test_program_is_a_pure_function_of_its_states():
    a, b, c = brainstate.State(jnp.float32(1.0)), brainstate.State(2.0), brainstate.State(3.0)

    def body(x, *, y):
        b.value = a.value * x + y
        c.value = 5.0
        return {"out": b.value + a.value}

    program = trace(body, (10.0,), {"y": 100.0})
    assert (program.reads, program.writes, program.effects) == ([a], [b, c], [b, c])
    assert program.needs() == [a, b, c]
    assert (a.value, b.value, c.value) == (1.0, 2.0, 3.0)
    out, new = program({a: 7.0}, 2.0, y=3.0)
    assert float(out["out"]) == 24.0
    assert [float(new[state]) for state in (b, c)] == [17.0, 5.0]
    assert (a.value, b.value, c.value) == (1.0, 2.0, 3.0)
    assert current_frame() is None


def test_body_is_not_run_again():
    runs = []
    program = trace(lambda x: runs.append(x) or x * 2, (1.0,))
    for x in (1.0, 2.0):
        assert float(program({}, x)[0]) == 2 * x
    assert len(runs) == 1
    assert is_tracer(runs[0])


def test_types_are_those_of_the_traced_values():
    state = brainstate.State({"a": jnp.ones((2, 3)), "n": jnp.int32(1)})
    made = []

    def body(x):
        state.value = {"a": state.value["a"] @ x, "n": state.value["n"]}
        made.append(brainstate.State(x))
        return x.sum(), None

    program = trace(body, (jnp.ones((3, 4)),))
    assert [x.shape for x in jax.tree.leaves(program.out_type())] == [()]
    assert program.out_type()[1] is None
    types = program.effect_types()
    assert types[state]["a"].shape == (2, 4)
    assert types[state]["n"].dtype == jnp.int32
    assert types[made[0]].shape == (3, 4)
    assert program.read_types()[0]["a"].shape == (2, 3)
    assert list(program.created) == made


def test_program_fits_values_of_the_same_type_only():
    state = brainstate.State({"a": jnp.ones(2)})
    program = trace(lambda: state.value["a"] * 2, ())
    assert program.fits({state: {"a": jnp.zeros(2)}})
    for other in ({"a": jnp.ones(3)}, {"b": jnp.ones(2)}, {"a": jnp.ones(2, int)}, jnp.ones(2),
                  {"a": jnp.ones(2) * u.mV}):  # fmt: skip
        assert not program.fits({state: other})
    weak = brainstate.State(1.0)
    program = trace(lambda: weak.value * 2, ())
    assert program.fits({weak: 3.0})
    assert not program.fits({weak: jnp.float32(3.0)})


def test_program_is_for_arguments_of_the_same_type_only():
    program = trace(lambda x, y: x, (jnp.ones(2), {"a": 1}))
    assert program.is_for((jnp.zeros(2), {"a": 2}))
    assert not program.is_for((jnp.zeros(3), {"a": 2}))
    assert not program.is_for((jnp.zeros(2), {"b": 2}))


def test_jaxpr_has_states_first():
    a, b = brainstate.State(jnp.ones(2)), brainstate.State(jnp.ones(3))

    def body(x):
        a.value = a.value + x
        return b.value * x

    jaxpr = trace(body, (1.0,)).as_jaxpr()
    assert [v.shape for v in jaxpr.in_avals] == [(2,), (3,), ()]
    assert [v.shape for v in jaxpr.out_avals] == [(3,), (2,)]
    assert "state_input" not in str(jaxpr)


def test_states_first_read_in_an_inner_trace_are_inputs():
    states = [brainstate.State(jnp.float32(i)) for i in range(6)]

    def body(x):
        y = jax.lax.scan(lambda c, _: (c + states[0].value, states[1].value), x, None, 2)[0]
        y = y + jax.grad(lambda z: z * states[2].value)(x) + jax.jit(lambda: states[3].value)()
        y = y + jax.vmap(lambda z: z * states[4].value)(jnp.ones(2)).sum()
        return jax.lax.cond(x > 0, lambda: y + states[5].value, lambda: y)

    program = trace(body, (jnp.float32(1.0),))
    assert set(program.reads) == set(states)
    values = {state: jnp.float32(10 * i) for i, state in enumerate(states)}
    out, _ = program(values, jnp.float32(1.0))
    assert float(out) == 1.0 + 0.0 + 20.0 + 30.0 + 80.0 + 50.0


def test_stand_ins_replace_outside_values():
    state = brainstate.State(1)
    program = trace(lambda: state.value * 2, (), stand_ins={state: jnp.float32(1.0)})
    assert program.read_types()[0].dtype == jnp.float32
    assert state.value == 1


def test_nodes_pass_through_by_identity():
    node, state = Node(), brainstate.State(1.0)
    node.k = 2.0

    def body(node, tree, x):
        assert tree["s"] is state
        return {"node": node, "x": x * node.k, "state": tree["s"]}

    program = trace(body, (node, {"s": state}, 3.0))
    assert program.has_graphs
    out, _ = program({}, node, {"s": state}, 4.0)
    assert out["node"] is node
    assert out["state"] is state
    assert float(out["x"]) == 8.0


def test_program_knows_whether_it_closes_over_tracers():
    found = {}

    def body(x):
        found["over"] = trace(lambda: x * 2, ()).closes_over_tracers
        found["not over"] = trace(lambda y: y * 2, (x,)).closes_over_tracers
        return x

    jax.jit(body)(1.0)
    assert found == {"over": True, "not over": False}
    assert not trace(lambda: jnp.ones(2) * 2, ()).closes_over_tracers


def test_failing_body_leaves_nothing():
    state, node = brainstate.State(1.0), Node()
    node.k = 1

    def body(x):
        state.value = x
        node.k = 2
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        trace(body, (1.0,))
    assert (state.value, node.k) == (1.0, 1)
    assert current_frame() is None


def test_journal_of_a_program_holds_its_edits():
    node = Node()
    node.k = 1
    program = trace(lambda: setattr(node, "k", 2), ())
    assert program.journal == [(node, "k", 1)]


def test_quantities_are_split_into_inputs_and_put_together():
    state = brainstate.State({"v": jnp.ones(2) * u.mV, "n": 1.0})

    def body(x):
        state.value = {"v": state.value["v"] * x, "n": state.value["n"]}
        return state.value["v"]

    out, new = trace(body, (3.0,))({state: state.value}, 3.0)
    assert out.unit == u.mV
    np.testing.assert_array_equal(new[state]["v"].mantissa, [3.0, 3.0])


def test_new_weak_types_are_kept():
    state = brainstate.State(0.0)
    program = trace(lambda: setattr(state, "value", state.value + 1), ())
    assert program.effect_types()[state].weak_type


def test_outer_values_come_from_the_frame_under_way():
    state = brainstate.State(1.0)
    assert outer_values([state, state]) == {state: 1.0}

    def body():
        state.value = 5.0
        assert outer_values([state]) == {state: 5.0}

    trace(body, ())
