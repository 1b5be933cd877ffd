"""Which compiled callable serves a call."""

import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import ParamState, State, graph
from brainstate.compile import jit, jit_error_if, variants


class Node(graph.Node):
    def __init__(self, scale=1.0):
        self.scale = scale
        self.s = State(jnp.zeros(()))


@pytest.fixture
def limit(monkeypatch):
    monkeypatch.setattr(variants, "_LIMIT", 5)
    return 5


def test_more_settings_than_are_kept(limit):
    node, runs = Node(), []

    @jit
    def simulate(x):
        runs.append(1)
        return x * node.scale

    for k in [*range(limit + 2), limit + 1, 0]:
        node.scale = float(k)
        assert simulate(2.0) == 2.0 * k
    assert len(runs) == limit + 3


def test_earlier_settings_are_found_again_in_any_order():
    node, runs = Node(), []

    @jit
    def f(x):
        runs.append(1)
        return x * node.scale

    rng = np.random.default_rng(0)
    for k in rng.integers(0, 5, 40):
        node.scale = float(k)
        assert f(2.0) == 2.0 * k
    assert len(runs) == 5


def test_growth_keeps_what_was_compiled():
    a, b, runs = State(jnp.zeros(())), State(jnp.zeros(())), []

    @jit
    def f(x):
        runs.append(x.shape)
        target = [a, b][x.ndim]
        target.value = target.value + x.sum()

    shapes = ((), (3,), (), (3,), (2,))
    for shape in shapes:
        f(jnp.ones(shape))
    assert (float(a.value), float(b.value)) == (2.0, 8.0)
    traced = len(runs)
    assert traced <= len(shapes) - 1  # growing may trace an earlier shape once more
    for shape in shapes:
        f(jnp.ones(shape))
    assert len(runs) == traced


def test_a_state_first_read_and_later_written():
    s = State(jnp.ones(()))

    @jit
    def f(x):
        if x.ndim:
            s.value = s.value + x.sum()
        return s.value + x

    assert f(jnp.zeros(())) == 1
    np.testing.assert_array_equal(f(jnp.ones(2)), [4, 4])
    assert f(jnp.zeros(())) == 3


def test_failed_growth_leaves_no_trace():
    node = Node()
    extra = State(jnp.zeros(()))

    @jit
    def f(x):
        node.seen = x.ndim
        node.s.value = node.s.value + 1
        if x.ndim:
            extra.value = extra.value + 1
        if x.ndim == 2:
            raise RuntimeError("inside")

    f(jnp.ones(()))
    before = node.s.value, extra.value
    with pytest.raises(RuntimeError, match="inside"):
        f(jnp.ones((1, 1)))
    assert node.seen == 0
    assert node.s.value is before[0]
    assert extra.value is before[1]
    f(jnp.ones(2))
    assert (float(node.s.value), float(extra.value), node.seen) == (2.0, 1.0, 1)


def test_internal_exceptions_stay_inside():
    s = State(jnp.zeros(()))

    @jit
    def f(x):
        s.value = s.value + x
        jit_error_if(x > 0, "at run time")
        return s.value

    def run():
        jax.block_until_ready(f(1.0))
        jax.effects_barrier()

    with pytest.raises(jax.errors.JaxRuntimeError, match="at run time") as caught:
        run()
    error, chain = caught.value, []
    while error is not None:
        chain.append(type(error).__name__)
        error = error.__context__ if not error.__suppress_context__ else error.__cause__
    assert "StatesGrew" not in chain


def test_values_of_several_structures_alternate():
    s = State(jnp.ones(2))
    runs = []

    @jit
    def f():
        runs.append(1)
        s.value = {"k": s.value} if not isinstance(s.value, dict) else s.value["k"] * 2

    for _ in range(3):
        f()
        assert isinstance(s.value, dict)
        f()
    np.testing.assert_array_equal(s.value, [8, 8])
    assert len(runs) == 2


def test_two_nodes_of_one_class_are_told_apart():
    f = jit(lambda node, x: node.s.__setattr__("value", node.s.value + x * node.scale))
    a, b = Node(1.0), Node(10.0)
    for x in (1.0, 2.0):
        f(a, x)
        f(b, x)
    assert (float(a.s.value), float(b.s.value)) == (3.0, 30.0)


def test_keeps_no_model_alive():
    def make():
        node = Node()
        node.w = ParamState(jnp.ones(2))
        f(node, 2.0)
        return weakref.ref(node)

    f = jit(lambda node, x: node.w.value * node.scale * x)
    alive = [make() for _ in range(3)]
    gc.collect()
    assert [ref() for ref in alive] == [None] * 3


def test_model_and_its_jitted_method_are_collected():
    class Cell(Node):
        @jit
        def step(self, x):
            self.s.value = self.s.value + x

    cell = Cell()
    cell.step(1.0)
    ref = weakref.ref(cell)
    del cell
    gc.collect()
    assert ref() is None


def test_order_of_attribute_edits_within_the_body():
    node, runs = Node(), []

    @jit
    def f(x):
        runs.append(1)
        node.count = getattr(node, "count", 0) + 0
        return x * node.count

    assert f(1.0) == 0
    assert f(1.0) == 0
    node.count = 3
    assert f(1.0) == 3
    assert len(runs) <= 3


def test_lists_and_dicts_on_nodes_are_followed():
    node = Node()
    node.layers, node.options = [1.0, 2.0], {"a": 1.0}
    f = jit(lambda x: x * sum(node.layers) * node.options["a"])
    assert f(1.0) == 3
    node.layers.append(3.0)
    assert f(1.0) == 6
    node.options["a"] = 2.0
    assert f(1.0) == 12
    node.layers[0] = 0.0
    assert f(1.0) == 10


def test_states_that_were_replaced_are_let_go():
    """A model initialised anew between calls leaves nothing of its earlier States behind."""
    node = Node()

    @jit
    def step(x):
        node.s.value = node.s.value + x
        return node.scale * node.s.value

    seen = []
    for k in range(5):
        node.s = State(jnp.full((), float(k)))
        seen.append(weakref.ref(node.s))
        assert [float(step(1.0)) for _ in range(2)] == [k + 1.0, k + 2.0]
    gc.collect()
    assert [find() is None for find in seen] == [True] * 4 + [False]
