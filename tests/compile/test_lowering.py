"""Ahead of time: `lower`, `compile`, `trace`, `eval_shape` of a jitted function."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import ParamState, State, graph
from brainstate.compile import jit


@pytest.fixture
def total():
    return State(jnp.zeros(()), name="total")


@pytest.fixture
def gain():
    return ParamState(jnp.array([1.0, 2.0]))


@pytest.fixture
def step(total, gain):
    def step(x, *, scale=1.0):
        total.value = total.value + (x * gain.value).sum() * scale
        return {"y": x * gain.value, "n": jnp.arange(3)}

    return jit(step)


X = jnp.array([10.0, 20.0])


def test_nothing_changes_before_the_call(step, total):
    before = total.value
    step.lower(X).compile()
    step.trace(X)
    step.eval_shape(X)
    assert total.value is before


def test_compiled_reads_and_writes_states(step, total, gain):
    compiled = step.lower(X).compile()
    out = compiled(X)
    np.testing.assert_array_equal(out["y"], [10, 40])
    assert total.value == 50
    gain.value = jnp.array([0.0, 1.0])
    np.testing.assert_array_equal(compiled(X)["y"], [0, 20])
    assert total.value == 70


def test_keyword_arguments(step, total):
    compiled = step.lower(X, scale=2.0).compile()
    compiled(X, scale=3.0)
    assert total.value == 150


def test_compiled_refuses_other_types(step, total):
    compiled = step.lower(X).compile()
    with pytest.raises(TypeError, match=r"compiled|float32\[3\]"):
        compiled(jnp.ones(3))
    assert total.value == 0


def test_lowering_from_shapes(step, total):
    compiled = step.lower(jax.ShapeDtypeStruct((2,), jnp.float32)).compile()
    compiled(X)
    assert total.value == 50


def test_stages_show_what_jax_shows(step):
    lowered = step.lower(X)
    assert "step" in lowered.as_text()
    assert lowered.cost_analysis() is not None
    assert lowered.compile().as_text()
    assert lowered.compile().memory_analysis() is not None


def test_trace_shows_the_program(step):
    traced = step.trace(X)
    assert "mul" in str(traced.jaxpr)
    assert traced.lower().as_text()


def test_shapes(step):
    out = step.eval_shape(X)
    assert out == {
        "y": jax.ShapeDtypeStruct((2,), jnp.float32),
        "n": jax.ShapeDtypeStruct((3,), jnp.int32),
    }
    assert jit(lambda: X * u.mV).eval_shape().unit == u.mV


def test_the_body_runs_once_for_stages_and_calls(total):
    runs = []

    @jit
    def f(x):
        runs.append(1)
        total.value = total.value + x.sum()
        return x * 2

    f.lower(X).compile()(X)
    f(X)
    f.eval_shape(X)
    assert len(runs) == 1
    assert total.value == 60


def test_static_and_donated_arguments(total):
    @jit(static_argnums=1, donate_argnums=0, donate_states=True)
    def f(x, n):
        total.value = total.value + n
        return x * n

    compiled = f.lower(X, 3).compile()
    x, old = X + 0, total.value
    np.testing.assert_array_equal(compiled(x, 3), [30, 60])
    assert x.is_deleted()
    assert old.is_deleted()
    assert total.value == 3


def test_nodes_among_arguments():
    node = graph.Dict(s=State(jnp.zeros(())))

    @jit
    def f(n, x):
        n.s.value = n.s.value + x
        return n

    compiled = f.lower(node, 1.0).compile()
    assert compiled(node, 2.0) is node
    assert node.s.value == 2
    assert f.eval_shape(node, 1.0) is node


def test_states_created_by_the_compiled_program():
    node = graph.Dict()

    @jit
    def f(x):
        node.h = State(x * 2)

    compiled = f.lower(3.0).compile()
    compiled(3.0)
    assert node.h.value == 6


def test_methods():
    class Cell(graph.Node):
        def __init__(self):
            self.s = State(jnp.ones(2))

        @jit
        def step(self, x):
            self.s.value = self.s.value * x
            return self.s.value.sum()

    cell = Cell()
    compiled = Cell.step.lower(cell, 3.0).compile()
    assert compiled(cell, 3.0) == 6
    np.testing.assert_array_equal(cell.s.value, [3, 3])


def test_errors_change_nothing(total):
    @jit
    def f(x):
        total.value = total.value + 1
        return x @ x

    with pytest.raises(TypeError, match=r"dot_general|matmul|shape"):
        f.lower(jnp.ones((2, 3)))
    assert total.value == 0
