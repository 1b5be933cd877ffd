"""`eval_shape`."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import ParamState, ShortTermState, State, graph, random
from brainstate.augment import eval_shape, vmap


class Cell(graph.Node):
    def __init__(self, size):
        self.size = size
        self.w = ParamState({"k": random.rand(size, size)}, tag="t")
        self.v = ShortTermState(jnp.zeros(size) * u.mV)
        self.alias = self.w


@pytest.fixture(autouse=True)
def _same_key_afterwards():
    with random.seed_context(0):
        yield


def shape(*size, dtype="float32"):
    return jax.ShapeDtypeStruct(size, dtype)


def test_arrays_as_in_jax():
    def f(x, y, *, n):
        return {"a": x @ y, "b": (x.sum() > 0, jnp.arange(3))}

    x, y = jnp.ones((2, 3)), jnp.ones((3, 4))
    assert eval_shape(f, x, y, n=2.0) == jax.eval_shape(lambda x, y: f(x, y, n=0), x, y)
    assert eval_shape(lambda x: x + 1, shape(5)) == shape(5)


def test_reads_states_and_changes_nothing():
    s, count = State(jnp.ones((2, 2))), State(jnp.zeros(()))
    values = s.value, count.value

    def f(x):
        count.value = count.value + 1
        s.value = s.value @ s.value
        return s.value @ x

    assert eval_shape(f, jnp.ones(2)) == shape(2)
    assert s.value is values[0]
    assert count.value is values[1]


def test_a_module_comes_back_with_shapes():
    key = random.get_key()
    cell = eval_shape(lambda: Cell(3))
    assert type(cell) is Cell
    assert cell.size == 3
    assert type(cell.w) is ParamState
    assert cell.w.tag == "t"
    assert cell.w.value == {"k": shape(3, 3)}
    assert cell.alias is cell.w
    assert cell.v.value.mantissa == shape(3)
    assert cell.v.value.unit == u.mV
    np.testing.assert_array_equal(random.get_key(), key)


def test_nodes_in_containers_and_among_arguments():
    cell = Cell(2)
    before = cell.w.value["k"]

    def f(node, x):
        node.v.value = node.v.value * 2
        node.extra = ShortTermState(jnp.ones((4, 4), int))
        return {"node": node, "y": x @ node.w.value["k"]}

    out = eval_shape(f, cell, jnp.ones(2))
    assert out["y"] == shape(2)
    assert out["node"].w.value == {"k": shape(2, 2)}
    assert out["node"].extra.value == shape(4, 4, dtype="int32")
    assert not hasattr(cell, "extra")
    assert cell.w.value["k"] is before
    assert isinstance(cell.v.value.mantissa, jax.Array)


def test_the_shape_of_lanes():
    cells = eval_shape(lambda n: vmap(lambda key: Cell(2), axis_size=5)(n), jnp.zeros((5,)))
    assert cells.w.value == {"k": shape(5, 2, 2)}


def test_rngs_are_accepted():
    rng = random.RandomState(0)
    key = rng.value
    assert eval_shape(lambda: rng.rand(2), rngs=rng) == shape(2)
    np.testing.assert_array_equal(rng.value, key)


def test_errors_pass_through():
    with pytest.raises(TypeError, match=r"dot_general|matmul|shape"):
        eval_shape(lambda x: x @ x, jnp.ones((2, 3)))
