"""Rows, costs, dependencies and tables of `explain`."""

from html.parser import HTMLParser

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import HiddenState, ParamState, ShortTermState, State, environ, explain, graph
from brainstate import transform as bt
from brainstate._errors import TraceContextError


class Cells(graph.Node):
    def __init__(self):
        self.v = HiddenState(jnp.zeros((4, 3)) * u.mV)
        self.w = ParamState({"a": jnp.ones((3, 3)), "b": jnp.ones(3)})
        self.rate = 2.0

    def step(self, x):
        self.v.value = self.v.value + self.rate * x * u.mV
        return x @ self.w.value["a"]


def row_of(found, path):
    return next(row for row in found.states if row.path == path)


# ---------------------------------------------------------------- rows


def test_columns():
    cells = Cells()
    found = explain(lambda x: cells.step(x))(jnp.ones(3))
    assert [row.path for row in found.states] == ["cells.v", "cells.w['a']", "cells.w['b']"]
    v, a, _ = found.states
    assert (v.kind, v.shape, v.dtype, v.unit) == ("HiddenState", "(4, 3)", "float32", "mV")
    assert (v.access, v.axis_in, v.axis_out, v.donated) == ("read, write", "", "", False)
    assert (a.kind, a.shape, a.unit, a.access) == ("ParamState", "(3, 3)", "", "read")
    assert (found.read, found.written) == ([cells.v, cells.w], [cells.v])


def test_a_new_type_is_shown_beside_the_old_one():
    state = State(jnp.zeros(2))

    def widen():
        state.value = jnp.zeros((2, 2), int)

    (row,) = explain(widen)().states
    assert (row.shape, row.dtype) == ("(2, 2)", "int32")  # only written
    state.value = jnp.zeros(2)

    def grow():
        state.value = jnp.outer(state.value, state.value)

    assert explain(grow)().states[0].shape == "(2,) -> (2, 2)"


def test_axes_of_nested_maps():
    a, b, c = (State(jnp.zeros((2, 3, 5))) for _ in range(3))

    def body():
        a.value = a.value + 1
        b.value = b.value + c.value.sum()

    inner = bt.vmap(body, in_states={1: [a, b]}, out_states={0: [a]})
    outer = bt.vmap(inner, in_states={0: [a, b]})
    found = explain(outer)()
    given = {row.path: (row.axis_in, row.axis_out) for row in found.states}
    assert given == {"a": ("0, 1", "0, 0"), "b": ("0, 1", "0, 1"), "c": ("", "")}
    assert [(d, s.name, s.details["lanes"]) for d, s in found.transformations] == [
        (0, "vmap", 2),
        (1, "vmap", 5),
    ]


def test_random_states_are_split_or_threaded():
    rng, other = brainstate.random.RandomState(0), brainstate.random.RandomState(1)

    def draws():
        bt.for_loop(lambda: rng.uniform(), length=3)
        return bt.vmap(lambda x: x + other.uniform())(jnp.ones(2))

    assert {row.path: row.random for row in explain(draws)().states} == {
        "rng": "threaded",
        "other": "split between lanes",
    }


def test_donation():
    state, kept = State(jnp.zeros(1000)), ParamState(jnp.ones(1000))

    def step():
        state.value = state.value * kept.value

    donating = bt.jit(step, donate_states=True)
    array = state.value
    found = explain(donating)()
    assert {row.path: row.donated for row in found.states} == {"state": True, "kept": False}
    assert found.cost.donated_bytes == 4000
    assert not array.is_deleted()
    for fun in (bt.jit(step), bt.vmap(donating, axis_size=2), bt.jit(lambda: donating())):
        assert not any(row.donated for row in explain(fun)().states)


def test_arguments_of_any_kind():
    cells = Cells()

    def f(cells, x, times, name, *, scale):
        assert name == "a"
        for _ in range(times):  # a number stays a number
            x = x * scale
        return cells.w.value[name] * x, name, lambda: None

    shape = jax.ShapeDtypeStruct((3,), jnp.float32)
    found = explain(f)(cells, shape, 3, "a", scale=2.0)
    assert [row.path for row in found.states] == ["cells.w['a']", "cells.w['b']"]
    jitted = bt.jit(f, static_argnums=(2, 3))
    with pytest.raises(TypeError):
        jitted(cells, jnp.ones(3), 3, "a", scale=2.0)  # returns a function
    assert explain(bt.jit(lambda n: jnp.zeros(n), static_argnums=0))(4).cost.output_bytes == 16


# ---------------------------------------------------------------- what it leaves alone


def test_nothing_is_left_behind():
    cells, runs = Cells(), []

    @bt.jit(max_traces=1)
    def step(x):
        runs.append(1)
        cells.rate = 3.0
        cells.extra = ShortTermState(x)
        return cells.step(x)

    for _ in range(3):
        found = explain(step)(jnp.ones(3))
    assert [row.path for row in found.states if row.access == "create"] == ["cells.extra"]
    assert cells.rate == 2.0
    assert not hasattr(cells, "extra")
    assert step.why_retraced() == "step was not traced yet."
    step(jnp.ones(3))
    assert cells.v.value[0, 0] == 3.0 * u.mV
    inner = bt.jit(cells.step)
    outer = bt.jit(lambda x: inner(x))
    outer(jnp.ones(3))
    assert [s.name for _, s in explain(outer)(jnp.ones(3)).transformations] == ["jit", "jit"]
    assert inner.why_retraced() == "step was traced once."


def test_dependencies_are_what_makes_a_jitted_function_trace_again():
    cells = Cells()
    cells.other = 1.0

    @bt.jit
    def step(x):
        return cells.step(x * environ.get("gain") * environ.get("level"))

    def traces():
        step(jnp.ones(3))
        return step.why_retraced().splitlines()[0]

    with environ.context(gain=2.0, level=jnp.ones(()), idle=0):
        found = explain(step)(jnp.ones(3))
        assert found.attributes == {"cells.rate": "2.0"}
        assert {k: v for k, v in found.settings.items() if k != "precision"} == {
            "gain": "2.0",
            "level": "float32 (), an input at each call",
        }
        assert traces() == traces() == "step was traced once."
        cells.other = 2.0
        with environ.context(idle=1, level=jnp.zeros(())):
            assert traces() == "step was traced once."
        cells.rate = 3.0
        assert traces() == "step was traced 2 times."
        with environ.context(gain=3.0):
            assert traces() == "step was traced 3 times."


# ---------------------------------------------------------------- cost


def test_cost_of_a_product():
    w = ParamState(jnp.ones((16, 4)))
    found = explain(lambda x: x @ w.value)(jnp.ones((8, 16)))
    assert found.equations == 1
    assert found.cost.flops == 2 * 8 * 16 * 4
    assert found.cost.argument_bytes == 4 * (8 * 16 + 16 * 4)
    assert found.cost.output_bytes == 4 * 8 * 4
    assert found.cost.bytes_accessed == found.cost.argument_bytes + found.cost.output_bytes


def test_cost_is_that_of_the_function_written_by_hand():
    w, count = ParamState(jnp.ones((6, 6))), State(jnp.zeros(()))

    def loss(x):
        count.value = count.value + 1
        return bt.scan(lambda c, _: (jnp.tanh(c @ w.value), None), x, None, length=7)[0].sum()

    def by_hand(w, count, x):
        def loss(w):
            return jax.lax.scan(lambda c, _: (jnp.tanh(c @ w), None), x, None, 7)[0].sum()

        return jax.grad(loss)(w), count + 1

    found = explain(bt.jit(bt.grad(loss, w)))(jnp.ones(6))
    hand = jax.jit(by_hand).lower(w.value, count.value, jnp.ones(6)).compile()
    assert found.cost.flops == hand.cost_analysis()["flops"]
    assert found.cost.argument_bytes == hand.memory_analysis().argument_size_in_bytes
    assert "loop's body counted once" in repr(found)


def test_equations_inside_loops_and_boxes_count():
    def body(x):
        return jnp.sin(jnp.cos(x))

    def loop(x):
        return bt.scan(lambda c, _: (body(c), None), x, None, length=9)[0]

    counts = [explain(f)(1.0).equations for f in (body, bt.jit(body), loop, bt.jit(loop))]
    assert counts == [2, 2, 3, 3]


# ---------------------------------------------------------------- how it looks


class Cell(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.rows, self.open = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("td", "th"):
            self.rows[-1].append(data)


def test_text_and_html_show_the_same():
    cells = Cells()
    found = explain(bt.jit(lambda xs: bt.for_loop(cells.step, xs)))(jnp.ones((5, 3)))
    text, rows = repr(found), Cell(found._repr_html_()).rows
    assert text.startswith("<lambda> changes 1 State, reads 2;")
    assert "  jit(<lambda>)\n    for_loop(step), 5 steps\n" in text
    assert ["jit(<lambda>)"] in rows
    header = next(row for row in rows if row[0] == "path")
    assert header == ["path", "kind", "shape", "dtype", "unit", "access", "donated"]
    lines = text.splitlines()
    for row in rows:
        assert any(all(cell in line for cell in row) for line in lines)
    starts = {line.index("float32") for line in lines if "State " in line and "cells." in line}
    assert len(starts) == 1  # columns stand below each other


def test_a_function_without_states():
    found = explain(jnp.sin)(np.ones(3))
    assert repr(found).startswith("sin touches no State; 1 equation\n\ncompiled program")
    assert (found.read, found.written, found.created, found.states) == ([], [], [], [])


# ---------------------------------------------------------------- refusals


def test_refusals():
    with pytest.raises(TypeError, match=r"explain\(\) takes a function; found 3"):
        explain(3)
    with pytest.raises(TraceContextError, match="explain\\(sin\\) was called inside"):
        bt.jit(lambda x: explain(jnp.sin)(x) and x)(1.0)


def test_a_function_that_looks_at_values_is_refused_with_a_hint():
    state = State(jnp.ones(()))

    def f(x):
        state.value += 1
        return x if state.value > 0 else -x

    with pytest.raises(jax.errors.ConcretizationTypeError) as caught:
        explain(f)(jnp.ones(()))
    assert any("cannot be explained" in note for note in caught.value.__notes__)
    assert state.value == 1.0
