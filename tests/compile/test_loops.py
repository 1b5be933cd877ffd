"""`scan` and `for_loop`, compared with `jax.lax.scan` and Python loops."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import ParamState, ShortTermState, State, graph
from brainstate.augment import grad, vmap
from brainstate.compile import for_loop, scan

XS = jnp.arange(3.0)


def assert_same(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert jnp.shape(x) == jnp.shape(y)
        assert jnp.result_type(x) == jnp.result_type(y)
        np.testing.assert_allclose(x, y, rtol=1e-6)


@pytest.fixture(params=["compiled", "disable_jit"])
def mode(request):
    """Every behaviour here holds under `jax.disable_jit` too."""
    if request.param == "compiled":
        yield
    else:
        with jax.disable_jit():
            yield


pytestmark = pytest.mark.usefixtures("mode")


# ---------------------------------------------------------------- scan


@pytest.mark.parametrize("unroll", [1, 2, 3, 7, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_scan_with_states(reverse, unroll):
    total = State(jnp.zeros(()))

    def body(c, x):
        total.value = total.value + x
        return c * 2 + x, c

    carry, ys = scan(body, 1.0, XS, reverse=reverse, unroll=unroll)
    expected, values = (18.0, [9, 4, 1]) if reverse else (12.0, [1, 2, 5])
    assert carry == expected
    np.testing.assert_array_equal(ys, values)
    assert total.value == 3


def test_order_of_states_in_reverse():
    total = State(jnp.zeros(()))

    def body(x):
        total.value = total.value + x
        return total.value

    np.testing.assert_array_equal(for_loop(body, XS, reverse=True), [3, 3, 2])


TREES = [
    jnp.arange(6.0).reshape(3, 2),
    np.arange(3),
    (XS, {"k": jnp.ones((3, 2, 2))}),
    [XS, None, (np.ones(3),)],
    {"q": XS * u.mV},
]


@pytest.mark.parametrize("xs", TREES, ids=["array", "numpy", "tree", "none", "unit"])
@pytest.mark.parametrize("reverse", [False, True])
def test_scan_as_jax(xs, reverse):
    def body(c, x):
        leaves = jax.tree.leaves(x)
        return (c[0] + sum(jnp.sum(leaf) for leaf in leaves), c[1] + 1), {"x": x, "c": c[0]}

    init = (jnp.zeros(()), 0)
    found = scan(body, init, xs, reverse=reverse)
    with jax.disable_jit(False):
        expected = jax.lax.scan(body, init, xs, reverse=reverse)
    assert_same(found, expected)


def test_scan_without_inputs():
    carry, ys = scan(lambda c, x: (c + 1, (x, c)), 0, None, length=4)
    assert carry == 4
    assert ys[0] is None
    np.testing.assert_array_equal(ys[1], [0, 1, 2, 3])


def test_length_beside_inputs():
    carry, _ = scan(lambda c, x: (c + x, None), 0.0, XS, length=3)
    assert carry == 3


def test_outputs_may_be_none():
    assert scan(lambda c, x: (c + x, None), 0.0, XS) == (3.0, None)
    assert for_loop(lambda x: None, XS) is None
    carry, ys = scan(lambda c, x: (None, x), None, XS)
    assert carry is None
    np.testing.assert_array_equal(ys, XS)


@pytest.mark.parametrize("xs", [jnp.zeros(0), {"a": jnp.zeros((0, 2)), "b": np.zeros((0,), int)}])
def test_zero_length(xs):
    s = State(jnp.ones(()))

    def body(c, x):
        s.value = s.value + 1
        return c + 1, jax.tree.map(lambda leaf: leaf * 2, x)

    carry, ys = scan(body, 5.0, xs)
    assert carry == 5
    assert s.value == 1
    assert_same(ys, xs if isinstance(xs, dict) else jnp.zeros(0))
    assert for_loop(lambda x: jnp.ones((2, 2)), jnp.zeros((0, 3))).shape == (0, 2, 2)
    assert for_loop(lambda: 1.0, length=0).shape == (0,)


def test_zero_length_with_units():
    found = for_loop(lambda x: x * u.mA, jnp.zeros(0) * u.mV)
    assert found.shape == (0,)
    assert found.unit.dim == (u.mV * u.mA).dim


# ---------------------------------------------------------------- weak types


@pytest.mark.parametrize(("init", "dtype"), [
    (0, "float32"), (0.0, "float32"), (False, "bool"), (jnp.zeros(()), "float32"),
], ids=repr)  # fmt: skip
def test_weak_carries_take_the_dtype_of_the_body(init, dtype):
    def body(c, x):
        return (c + x, None) if dtype == "float32" else (c | (x > 1), None)

    carry, _ = scan(body, init, jnp.arange(3.0, dtype=jnp.float32))
    assert jnp.asarray(carry).dtype == dtype
    assert carry == (True if dtype == "bool" else 3.0)


@pytest.mark.parametrize("start", [0, 0.0, jnp.asarray(0.0)], ids=["int", "float", "weak array"])
def test_weak_states_take_the_dtype_of_the_body(start):
    s = State(start)

    def body(x):
        s.value = s.value + x
        return s.value

    np.testing.assert_array_equal(for_loop(body, XS), [0, 1, 3])
    assert s.value == 3
    assert jnp.asarray(s.value).dtype == "float32"


def test_weak_types_that_depend_on_each_other():
    a, b = State(0), State(0)

    def body(c, x):
        a.value = b.value + 0
        b.value = c + 0
        return c + x, None

    carry, _ = scan(body, 0, jnp.ones(4))
    assert (float(carry), float(b.value), float(a.value)) == (4.0, 3.0, 2.0)


# ---------------------------------------------------------------- for_loop


def test_several_inputs_are_zipped():
    xs = (XS, {"k": XS + 10}, np.arange(3))
    found = for_loop(lambda x, d, n: (x * n, {"s": d["k"] + x}), *xs)
    assert_same(found, (XS * np.arange(3), {"s": 2 * XS + 10}))


def test_for_loop_without_inputs():
    count = State(0)

    def body():
        count.value = count.value + 1
        return count.value * 10

    np.testing.assert_array_equal(for_loop(body, length=3), [10, 20, 30])
    assert count.value == 3


def test_for_loop_of_none():
    np.testing.assert_array_equal(
        for_loop(lambda x: 1.0 if x is None else 2.0, None, length=3), [1, 1, 1]
    )


def test_outputs_with_units():
    found = for_loop(lambda x: x * 2.0 * u.mV, XS)
    np.testing.assert_allclose(found.to_decimal(u.mV), [0, 2, 4])
    potential = State(0.0 * u.mV)

    def body(x):
        potential.value = potential.value + x
        return potential.value

    np.testing.assert_allclose(for_loop(body, XS * u.mV).to_decimal(u.mV), [0, 1, 3])
    assert potential.value.unit == u.mV


def test_bound_methods_and_nodes():
    class Cell(graph.Node):
        def __init__(self):
            self.v = ShortTermState(jnp.zeros(2))

        def update(self, x):
            self.v.value = self.v.value * 0.5 + x
            return self.v.value.sum()

    cell = Cell()
    np.testing.assert_allclose(for_loop(cell.update, XS), [0, 2, 5])
    np.testing.assert_allclose(cell.v.value, [2.5, 2.5])


def test_states_of_every_kind_of_value():
    s = State({"a": jnp.zeros(2), "b": (jnp.ones(()), None)})

    def body(x):
        s.value = {"a": s.value["a"] + x, "b": (s.value["b"][0] * 2, None)}

    for_loop(body, XS)
    assert_same(s.value, {"a": jnp.full(2, 3.0), "b": (jnp.asarray(8.0), None)})


def test_edits_in_place_are_carried():
    s = State({"a": jnp.zeros(())})

    def body(x):
        s.value["a"] = s.value["a"] + x
        return s.value["a"]

    np.testing.assert_array_equal(for_loop(body, XS), [0, 1, 3])
    assert s.value["a"] == 3


def test_nodes_in_the_carry():
    node = graph.Dict(s=State(jnp.zeros(())))

    def body(c, x):
        c["n"].s.value = c["n"].s.value + x
        return {"n": c["n"], "k": c["k"] + 1}, c["n"].s.value

    carry, ys = scan(body, {"n": node, "k": 0}, XS)
    assert carry["n"] is node
    assert carry["k"] == 3
    np.testing.assert_array_equal(ys, [0, 1, 3])
    assert node.s.value == 3


def test_a_state_only_read_keeps_its_array():
    s = State(jnp.ones(2))
    kept = s.value
    for_loop(lambda x: x * s.value, XS)
    assert s.value is kept


# ---------------------------------------------------------------- nesting


def test_loops_in_loops():
    s = State(jnp.zeros(()))

    def inner(y):
        s.value = s.value + y
        return s.value

    def outer(x):
        return for_loop(inner, jnp.stack([x, x * 10])).sum()

    found = for_loop(outer, XS)
    values, total = [], 0.0
    for x in (0.0, 1.0, 2.0):
        parts = []
        for y in (x, x * 10):
            total += y
            parts.append(total)
        values.append(sum(parts))
    np.testing.assert_allclose(found, values)
    assert s.value == total


def test_gradient_as_jax():
    w, h = ParamState(0.3), State(jnp.zeros(()))
    xs = jnp.array([1.0, -2.0, 0.5, 3.0])

    def pure(w, xs):
        def body(h, x):
            h = jnp.tanh(w * h + x)
            return h, h**2

        return jax.lax.scan(body, 0.0, xs)[1].sum()

    def loss(xs):
        h.value = jnp.zeros(())

        def body(x):
            h.value = jnp.tanh(w.value * h.value + x)
            return h.value**2

        return for_loop(body, xs).sum()

    found = grad(loss, w, argnums=0)(xs)
    with jax.disable_jit(False):
        expected = jax.grad(pure, argnums=(0, 1))(0.3, xs)
    assert_same(found, expected)


def test_lanes_as_jax():
    xs = jnp.arange(6.0).reshape(2, 3)

    def run(x):
        s = State(jnp.zeros(()))

        def body(y):
            s.value = s.value + y
            return s.value * 2

        return for_loop(body, x), s.value

    ys, total = vmap(run)(xs)
    np.testing.assert_array_equal(ys, np.cumsum(xs, 1) * 2)
    np.testing.assert_array_equal(total, xs.sum(1))


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize("loop", [
    lambda xs, **kw: scan(lambda c, x: (c, x), 0.0, xs, **kw),
    lambda xs, **kw: for_loop(lambda x: x, xs, **kw),
], ids=["scan", "for_loop"])  # fmt: skip
class TestLengths:
    def test_disagreement_with_length(self, loop):
        with pytest.raises(ValueError, match=r"one length.*`length`: 4.*xs.*: 3"):
            loop(XS, length=4)

    def test_disagreement_between_inputs(self, loop):
        with pytest.raises(ValueError, match=r"one length.*xs.*\['a'\]: 3.*xs.*\['b'\]: 2"):
            loop({"a": XS, "b": jnp.ones(2)})

    def test_neither(self, loop):
        with pytest.raises(ValueError, match=r"neither inputs to loop over nor a `length`"):
            loop(None)

    @pytest.mark.parametrize("bad", [3.0, [1.0, 2.0], jnp.ones(()), {"a": 1}])
    def test_no_leading_axis(self, loop, bad):
        with pytest.raises(ValueError, match=r"first axis of its inputs; xs.*which has none"):
            loop(bad)

    @pytest.mark.parametrize("bad", [-1, 2.5, "3"])
    def test_length_is_a_count(self, loop, bad):
        with pytest.raises((TypeError, ValueError), match=r"length"):
            loop(None, length=bad)


@pytest.mark.parametrize("loop", [lambda f: scan(f, 0, XS), lambda f: for_loop(f, XS)])
def test_body_must_be_callable(loop):
    with pytest.raises(TypeError, match="needs a function as body; found 3"):
        loop(3)


def test_unroll_must_be_sensible():
    with jax.disable_jit(False), pytest.raises((TypeError, ValueError), match="unroll"):
        scan(lambda c, x: (c, x), 0.0, XS, unroll=-1)
