"""`jit`: values, retracing, static and donated arguments, methods, nesting."""

import functools

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from brainstate import HiddenState, ParamState, State, environ, graph
from brainstate.augment import grad, vmap
from brainstate.compile import cond, for_loop, jit, scan, while_loop


def counted(fun):
    """`fun`, and a list that gets an entry at each run of its Python body."""
    runs = []

    @functools.wraps(fun)
    def wrapper(*args, **kwargs):
        runs.append(1)
        return fun(*args, **kwargs)

    return wrapper, runs


class Counter(graph.Node):
    def __init__(self, start=0.0):
        self.total = State(jnp.asarray(start))
        self.gain = ParamState(jnp.asarray(2.0))

    def __call__(self, x):
        self.total.value = self.total.value + self.gain.value * x
        return self.total.value

    @jit
    def step(self, x):
        return self(x)

    @jit(static_argnames="n")
    def power(self, x, n=2):
        return self.gain.value * x**n


# ---------------------------------------------------------------- States


def test_reads_and_writes():
    a, b = State(jnp.asarray(1.0)), State(jnp.asarray(2.0))
    kept = b.value

    def step(x):
        a.value = a.value + x * b.value
        return a.value

    step, runs = counted(step)
    f = jit(step)
    assert [float(f(1.0)), float(f(2.0))] == [3.0, 7.0]
    assert a.value == 7.0
    assert b.value is kept
    assert len(runs) == 1


def test_states_change_between_calls():
    s = State(1.0)
    f = jit(lambda x: s.value * x)
    found = []
    for value in (1.0, 2.0, jnp.asarray(3.0), np.float32(4.0)):
        s.value = value
        found.append(float(f(10.0)))
    assert found == [10, 20, 30, 40]


@pytest.mark.parametrize("after", [
    jnp.arange(3.0), jnp.arange(2), {"a": jnp.ones(2)}, (jnp.ones(()), 3.0), 5,
    jnp.ones(2) * u.mV,
], ids=["shape", "dtype", "tree", "tuple", "scalar", "unit"])  # fmt: skip
def test_a_state_of_another_type_is_traced_anew(after):
    s = State(jnp.zeros(2))

    def read():
        leaves = jax.tree.leaves(s.value)
        return sum(leaf.sum() * 2 for leaf in map(jnp.asarray, leaves)), len(leaves)

    f, runs = counted(read)
    f = jit(f)
    assert float(f()[0]) == 0
    s.value = after
    total, count = f()
    assert float(total) == 2 * sum(float(jnp.sum(x)) for x in jax.tree.leaves(after))
    assert int(count) == len(jax.tree.leaves(after))
    assert len(runs) == 2
    s.value = jnp.ones(2)
    assert float(f()[0]) == 4
    assert len(runs) == 2  # the first trace is found again


@pytest.mark.parametrize(("before", "after"), [
    (None, lambda x: jnp.ones(2) * x),
    (1.0, lambda x: jnp.ones(3) * x),
    (1.0, lambda x: (x, {"k": x})),
    ({"a": 1.0}, lambda x: {"a": x, "b": x}),
    (jnp.ones(2), lambda x: jnp.ones(2) * x * u.mV),
], ids=["none to array", "shape", "tuple", "new key", "unit"])  # fmt: skip
def test_a_written_state_may_change_its_type(before, after):
    s = State(before)

    @jit
    def f(x):
        s.value = after(x)

    for x in (2.0, 3.0):
        f(x)
        expected = after(x)
        assert jax.tree.structure(s.value) == jax.tree.structure(expected)
        jax.tree.map(np.testing.assert_allclose, s.value, expected)


def test_python_numbers_become_arrays_after_a_write():
    s = State({"n": 0, "x": 1.0})

    @jit
    def f():
        s.value = {"n": s.value["n"] + 1, "x": s.value["x"]}

    f()
    f()
    assert int(s.value["n"]) == 2
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(s.value))


def test_one_state_through_several_functions():
    s = State(jnp.asarray(0.0))
    add = jit(lambda x: s.__setattr__("value", s.value + x))
    double = jit(lambda: s.__setattr__("value", s.value * 2))
    for _ in range(3):
        add(1.0)
        double()
    assert s.value == 14.0


def test_a_state_with_a_dict_is_not_edited_behind_ones_back():
    s = State({"w": jnp.ones(2)})
    held = s.value

    @jit
    def f():
        s.value["w"] = s.value["w"] * 3
        return s.value["w"].sum()

    assert float(f()) == 6
    np.testing.assert_array_equal(s.value["w"], [3, 3])
    assert float(f()) == 18
    del held


def test_a_branch_that_touches_another_state():
    a, b = State(jnp.asarray(1.0)), State(jnp.asarray(10.0))

    @jit
    def f(x):
        target = a if x.ndim == 0 else b
        target.value = target.value + x.sum()
        return target.value

    assert f(jnp.asarray(2.0)) == 3
    assert f(jnp.ones(3)) == 13
    assert f(jnp.asarray(2.0)) == 5
    assert (float(a.value), float(b.value)) == (5.0, 13.0)


def test_what_is_no_jax_value_is_named():
    s = State("text", name="label")
    with pytest.raises(TypeError, match=r"State 'label' holds 'text', which is no JAX value"):
        jit(lambda: s.value)()
    s.value = 1.0
    f = jit(lambda: s.value * 2)
    assert f() == 2.0
    s.value = "text"
    with pytest.raises(TypeError, match=r"State 'label' holds 'text'"):
        f()
    with pytest.raises(TypeError, match="str"):
        jit(lambda x: x)("text")


# ---------------------------------------------------------------- results


def test_states_and_nodes_as_results():
    s, node = State(1.0), Counter()
    f = jit(lambda: {"s": s, "n": node, "x": s.value * 2})
    for _ in range(2):
        out = f()
        assert out["s"] is s
        assert out["n"] is node
        assert out["x"] == 2.0


def test_each_call_makes_its_own_node():
    @jit
    def make(x):
        node = Counter(x)
        node.me = node
        node.alias = node.total
        node.total.tag = "t"
        return node

    first, second = make(1.0), make(2.0)
    assert type(first) is Counter
    assert first is not second
    assert first.me is first
    assert first.alias is first.total
    assert first.total.tag == "t"
    assert (float(first.total.value), float(second.total.value)) == (1.0, 2.0)
    first(10.0)
    assert (float(first.total.value), float(second.total.value)) == (21.0, 2.0)


def test_states_made_and_kept_outside():
    box = graph.Dict()

    @jit
    def init(x):
        if not hasattr(box, "h"):
            box.h = HiddenState(x * 2)
        box.h.value = box.h.value + 1
        return box.h.value

    assert init(3.0) == 7.0
    assert box.h.value == 7.0
    assert init(3.0) == 8.0
    assert box.h.value == 8.0


def test_plain_results():
    f = jit(lambda x: {"a": x, "b": (None, 2.0, x * u.mV)})
    out = f(jnp.ones(2))
    assert out["b"][0] is None
    assert out["b"][1] == 2.0
    assert out["b"][2].unit == u.mV


# ---------------------------------------------------------------- retracing

SERIES = [
    ("same", [1.0, 2.0], 1),
    ("int after float", [1.0, 2], 2),
    ("bool after int", [1, True], 2),
    ("strong after weak", [1.0, jnp.asarray(1.0, jnp.float32) + jnp.zeros(())], 2),
    ("shape", [jnp.ones(2), jnp.ones(3), jnp.ones(2)], 2),
    ("dtype", [jnp.ones(2), jnp.ones(2, int)], 2),
    ("numpy after jax", [jnp.float32(1.0), np.float32(1.0)], 1),
    ("numpy array after jax", [jnp.ones(2), np.ones(2, np.float32)], 1),
    ("unit", [1.0 * u.mV, 1.0 * u.volt], 2),
    ("same unit", [1.0 * u.mV, 2.0 * u.mV], 1),
    ("tree", [(1.0, 2.0), [1.0, 2.0]], 2),
    ("keys", [{"a": 1.0}, {"b": 1.0}], 2),
    ("none", [None, 1.0, None], 2),
]


@pytest.mark.parametrize(("values", "traces"), [s[1:] for s in SERIES], ids=[s[0] for s in SERIES])
def test_traces_by_kind_of_argument(values, traces):
    f, runs = counted(lambda x: jax.tree.map(lambda leaf: leaf * 2, x))
    f = jit(f)
    for value in (*values, *values):
        out = f(value)
        jax.tree.map(np.testing.assert_array_equal, jax.tree.leaves(out),
                     jax.tree.leaves(jax.tree.map(lambda x: x * 2, value)))  # fmt: skip
        assert jax.tree.structure(out) == jax.tree.structure(value)
    assert len(runs) == traces


def test_structure_is_part_of_the_key():
    f = jit(lambda a, b: (len(a), len(b)))
    assert [*map(int, f((1.0, 2.0), (3.0,)))] == [2, 1]
    assert [*map(int, f((1.0,), (2.0, 3.0)))] == [1, 2]


def test_keyword_names_are_part_of_the_key():
    f = jit(lambda a=1.0, b=2.0: a - b)
    assert [float(f(a=5.0)), float(f(b=5.0)), float(f()), float(f(5.0)), float(f(5.0, 1.0))] == [
        3.0, -4.0, -1.0, 3.0, 4.0,
    ]  # fmt: skip
    assert float(f(b=1.0, a=7.0)) == float(f(a=7.0, b=1.0)) == 6.0


def test_variadic_arguments():
    f = jit(lambda *args, scale, **rest: sum(args) * scale + sum(rest.values()))
    assert f(1.0, 2.0, scale=3.0) == 9.0
    assert f(1.0, 2.0, 3.0, scale=2.0, k=1.0) == 13.0


def test_clear_cache():
    s = State(1.0)
    f, runs = counted(lambda x: s.value * x)
    f = jit(f)
    f(1.0)
    f.clear_cache()
    assert f(2.0) == 2.0
    assert len(runs) == 2


def test_clear_cache_of_nodes():
    node = Counter()
    f, runs = counted(lambda n, x: n(x))
    f = jit(f)
    f(node, 1.0)
    f.clear_cache()
    assert f(node, 1.0) == 4.0
    assert len(runs) == 2


def test_follows_attributes_and_settings():
    node = Counter()
    node.scale = 2.0
    f, runs = counted(lambda x: x * node.scale * environ.get("dt", 1.0))
    f = jit(f)
    assert f(1.0) == 2.0
    node.scale = 3.0
    assert f(1.0) == 3.0
    with environ.context(dt=10.0):
        assert f(1.0) == 30.0
    node.scale = 2.0
    assert f(1.0) == 2.0
    assert len(runs) == 3
    node.unrelated = 5
    assert f(1.0) == 2.0
    assert len(runs) == 3


def test_follows_a_replaced_state():
    node = Counter()
    f = jit(lambda x: node(x))
    f(1.0)
    node.total = State(jnp.asarray(100.0))
    assert f(1.0) == 102.0
    assert node.total.value == 102.0


# ---------------------------------------------------------------- static arguments


def branch(x, mode, *, extra="none"):
    factor = {"double": 2.0, "triple": 3.0}[mode]
    return x * factor + (1.0 if extra == "one" else 0.0)


STATIC = {
    "positions": {"static_argnums": 1, "static_argnames": "extra"},
    "negative": {"static_argnums": -1, "static_argnames": "extra"},
    "tuple": {"static_argnums": (1,), "static_argnames": ("extra",)},
    "names": {"static_argnames": ("mode", "extra")},
}


@pytest.mark.parametrize("options", STATIC.values(), ids=STATIC)
def test_static_arguments_by_position_and_keyword(options):
    f, runs = counted(branch)
    f = jit(f, **options)
    assert f(1.0, "double") == 2.0
    assert f(1.0, "triple") == 3.0
    assert f(1.0, mode="double") == 2.0
    assert f(x=1.0, mode="triple") == 3.0
    assert f(1.0, "double", extra="one") == 3.0
    traced = len(runs)
    assert f(2.0, "double") == 4.0
    assert f(x=2.0, mode="triple") == 6.0
    assert f(2.0, "double", extra="one") == 5.0
    assert len(runs) == traced


def test_static_arguments_with_states():
    s = State(jnp.asarray(1.0))

    @jit(static_argnums=0)
    def f(n, x):
        for _ in range(n):
            s.value = s.value + x
        return s.value

    assert f(3, 1.0) == 4.0
    assert f(2, 10.0) == 24.0
    assert s.value == 24.0


@pytest.mark.parametrize("call", [
    lambda f: f(1.0, [1, 2]), lambda f: f(1.0, mode=[1, 2]),
], ids=["position", "keyword"])  # fmt: skip
def test_unhashable_static_argument_is_named(call):
    def scale(x, mode):
        return x

    with pytest.raises(TypeError) as caught:
        call(jit(scale, static_argnums=1))
    text = str(caught.value)
    assert "scale" in text
    assert "[1, 2]" in text
    assert "list" in text
    assert "hashable" in text
    assert "'mode'" in text or "1" in text


@pytest.mark.parametrize("options", [
    {"static_argnums": 5}, {"static_argnums": -3}, {"donate_argnums": 2},
    {"static_argnums": (0, 7)},
])  # fmt: skip
def test_positions_out_of_range_are_named(options):
    def pair(a, b):
        return a

    (name,) = options
    with pytest.raises(ValueError, match=rf"{name}=.*no position among the 2 parameters of pair"):
        jit(pair, **options)


@pytest.mark.parametrize("option", ["static_argnames", "donate_argnames"])
def test_unknown_names_are_refused(option):
    with pytest.raises(ValueError, match=rf"{option}.*'zz'.*a, b"):
        jit(lambda a, b: a, **{option: "zz"})


def test_static_and_donated_at_once_is_refused():
    with pytest.raises(ValueError, match="static arguments cannot be donated"):
        jit(lambda a, b: a, static_argnums=0, donate_argnums=0)


def test_static_value_compared_by_equality():
    f, runs = counted(lambda x, shape: jnp.zeros(shape) + x)
    f = jit(f, static_argnums=1)
    assert f(1.0, (2, 3)).shape == (2, 3)
    assert f(1.0, tuple([2, 3])).shape == (2, 3)  # noqa: C409
    assert len(runs) == 1


# ---------------------------------------------------------------- donation


@pytest.mark.parametrize("options", [
    {"donate_argnums": 0}, {"donate_argnums": (0,)}, {"donate_argnums": -2},
    {"donate_argnames": "x"}, {"donate_argnames": ("x",)},
], ids=repr)  # fmt: skip
@pytest.mark.parametrize("keyword", [False, True])
def test_donated_arguments(options, keyword):
    s = State(jnp.arange(3.0))
    old = s.value

    def step(x, y):
        s.value = s.value + x
        return x * 2 + y

    f = jit(step, **options)
    for _ in range(2):
        x, y = jnp.ones(3), jnp.zeros(3)
        out = f(x=x, y=y) if keyword else f(x, y)
        np.testing.assert_array_equal(out, [2, 2, 2])
        assert x.is_deleted()
        assert not y.is_deleted()
    assert not old.is_deleted()
    np.testing.assert_array_equal(s.value, [2, 3, 4])


def test_donated_states():
    w, c = State(jnp.arange(3.0)), State(jnp.ones(3))
    tree = State({"a": jnp.ones(4), "b": jnp.zeros(5)})

    @jit(donate_states=True)
    def step(x):
        w.value = w.value + c.value * x
        tree.value = {"a": tree.value["a"] * 2, "b": tree.value["b"] + 1}
        return w.value.sum()

    for k in range(1, 4):
        old, kept, leaves = w.value, c.value, jax.tree.leaves(tree.value)
        assert float(step(1.0)) == 3 + 3 * k
        assert old.is_deleted()
        assert all(leaf.is_deleted() for leaf in leaves)
        assert c.value is kept
        assert not kept.is_deleted()
    np.testing.assert_array_equal(w.value, [3, 4, 5])
    np.testing.assert_array_equal(tree.value["a"], np.full(4, 8.0))


def test_donated_states_and_arguments():
    w = State(jnp.arange(3.0))

    @jit(donate_states=True, donate_argnums=1)
    def step(x, y):
        w.value = w.value + x
        return y * 2

    old, x, y = w.value, jnp.ones(3), jnp.ones(3)
    np.testing.assert_array_equal(step(x, y), [2, 2, 2])
    assert [a.is_deleted() for a in (old, x, y)] == [True, False, True]
    np.testing.assert_array_equal(w.value, [1, 2, 3])


def test_donated_states_that_hold_one_array():
    x = jnp.ones(3)
    w, mean, seen = State(x, name="w"), State(x, name="mean"), State(x, name="seen")

    @jit(donate_states=True)
    def step():
        w.value = w.value + seen.value
        mean.value = mean.value * 0.5 + w.value * 0.5

    for _ in range(2):
        try:
            step()
        except ValueError as error:
            assert "'w'" in str(error)  # noqa: PT017
            assert "'mean'" in str(error)  # noqa: PT017
            return
    np.testing.assert_array_equal(w.value, [3, 3, 3])
    np.testing.assert_array_equal(mean.value, [2.25, 2.25, 2.25])
    np.testing.assert_array_equal(seen.value, [1, 1, 1])


def test_without_donation_old_values_live():
    w = State(jnp.arange(3.0))
    old = w.value
    jit(lambda: w.__setattr__("value", w.value + 1))()
    assert not old.is_deleted()


# ---------------------------------------------------------------- shardings


def mesh():
    return Mesh(np.array(jax.devices()[:4]), ("d",), axis_types=(AxisType.Auto,))


def test_shardings_of_arguments_and_results():
    split = NamedSharding(mesh(), PartitionSpec("d"))
    whole = NamedSharding(mesh(), PartitionSpec())
    s = State(jnp.asarray(2.0))

    @jit(in_shardings=(split, whole), out_shardings=(whole, split))
    def f(x, y):
        s.value = s.value + 1
        return x.sum() * y, x * s.value

    for k in (3.0, 4.0):
        total, scaled = f(jnp.arange(8.0), jnp.ones(()))
        assert total == 28
        np.testing.assert_array_equal(scaled, jnp.arange(8.0) * k)
        assert scaled.sharding.is_equivalent_to(split, 1)
        assert total.sharding.is_equivalent_to(whole, 0)


def test_shardings_beside_donation():
    split = NamedSharding(mesh(), PartitionSpec("d"))
    f = jit(lambda x, y: x + y, in_shardings=(split, split), donate_argnums=0)
    x, y = jax.device_put(jnp.arange(8.0), split), jnp.ones(8)
    found = f(x, y)
    np.testing.assert_array_equal(found, jnp.arange(8.0) + 1)
    assert found.sharding.is_equivalent_to(split, 1)
    assert x.is_deleted()
    assert not y.is_deleted()


def test_shardings_beside_static_arguments():
    """As in JAX, static arguments have no entry."""
    split = NamedSharding(mesh(), PartitionSpec("d"))
    for options in ({"static_argnums": 1}, {"static_argnames": "n"}):
        found = jit(lambda x, n: x * n, in_shardings=(split,), **options)(jnp.arange(8.0), 3)
        np.testing.assert_array_equal(found, jnp.arange(8.0) * 3)
        assert found.sharding.is_equivalent_to(split, 1)


def test_shardings_and_keyword_arguments():
    split = NamedSharding(mesh(), PartitionSpec("d"))
    f = jit(lambda x, n=1.0: x * n, in_shardings=(split,))
    assert f(jnp.arange(8.0)).sharding.is_equivalent_to(split, 1)
    try:
        found = f(jnp.arange(8.0), n=2.0)
    except ValueError as error:
        assert "kwargs" in str(error) or "keyword" in str(error)  # noqa: PT017
    else:
        np.testing.assert_array_equal(found, jnp.arange(8.0) * 2)
        assert found.sharding.is_equivalent_to(split, 1)


@pytest.mark.parametrize("option", ["in_shardings", "out_shardings"])
def test_shardings_of_an_inner_jit(option):
    split = NamedSharding(mesh(), PartitionSpec("d"))
    inner = jit(lambda x: x * 2, **{option: split})
    for outer in (jit(lambda x: inner(x)), jit(grad(lambda x: (inner(x) ** 2).sum()))):
        assert outer(jnp.arange(8.0)).sharding.is_equivalent_to(split, 1)


def test_states_keep_their_sharding():
    split = NamedSharding(mesh(), PartitionSpec("d"))
    s = State(jax.device_put(jnp.arange(8.0), split))
    f = jit(lambda: s.__setattr__("value", s.value * 2))
    f()
    f()
    assert s.value.sharding.is_equivalent_to(split, 1)
    np.testing.assert_array_equal(s.value, jnp.arange(8.0) * 4)


# ---------------------------------------------------------------- methods, modules, wrappers


def test_jitted_methods():
    a, b = Counter(), Counter(10.0)
    assert [float(a.step(1.0)), float(a.step(1.0)), float(b.step(1.0))] == [2.0, 4.0, 12.0]
    assert (float(a.total.value), float(b.total.value)) == (4.0, 12.0)
    assert [float(a.power(3.0)), float(a.power(3.0, n=3)), float(a.power(3.0, 1))] == [18, 54, 6]
    assert float(Counter.step(a, 1.0)) == 6.0


def test_jitted_method_of_a_plain_class():
    class Plain:
        def __init__(self):
            self.total = State(jnp.zeros(()))

        @jit
        def step(self, x):
            self.total.value = self.total.value + x
            return self.total.value

    a, b = Plain(), Plain()
    try:
        assert [float(a.step(1.0)), float(a.step(2.0)), float(b.step(5.0))] == [1.0, 3.0, 5.0]
    except TypeError as error:
        text = str(error)
        assert "Plain" in text
        assert "static_argnums" in text
        assert "Node" in text


def test_a_static_instance():
    class Cell(Counter):
        @jit(static_argnums=0)
        def go(self, x):
            return self(x)

    a, b = Cell(), Cell(10.0)
    assert [float(a.go(1.0)), float(a.go(2.0)), float(b.go(5.0))] == [2.0, 6.0, 20.0]


def test_bound_methods_and_modules():
    node = Counter()
    f, g = jit(node), jit(node.__call__)
    assert [float(f(1.0)), float(g(1.0)), float(f(1.0))] == [2.0, 4.0, 6.0]
    node.gain.value = jnp.asarray(10.0)
    assert float(f(1.0)) == 16.0


def test_partial():
    s = State(2.0)
    f = jit(functools.partial(lambda x, y, z: s.value * x + y + z, 10.0, z=1.0))
    assert f(5.0) == 26.0


def test_nodes_among_arguments():
    f, runs = counted(lambda n, d, x: n(x) + d["k"].total.value)
    f = jit(f)
    a, b = Counter(), Counter(100.0)
    assert f(a, {"k": b}, 1.0) == 102.0
    assert f(a, {"k": b}, 1.0) == 104.0
    assert len(runs) == 1
    assert f(b, {"k": a}, 1.0) == 106.0
    assert f(a, {"k": a}, 1.0) == 12.0
    assert len(runs) == 3


def test_states_among_arguments():
    f = jit(lambda s, x: s.__setattr__("value", s.value + x))
    a, b = State(0.0), State(10.0)
    f(a, 1.0)
    f(b, 2.0)
    f(a, x=3.0)
    assert (float(a.value), float(b.value)) == (4.0, 12.0)


def test_looks_like_the_function():
    def step(x):
        """Doc."""
        return x

    f = jit(step)
    assert (f.__name__, f.__doc__) == ("step", "Doc.")
    assert f.origin_fun is step
    s = State(1.0)
    g = jit(lambda x: s.value * x)
    g.stateful_fun.make_jaxpr(1.0)
    assert g.stateful_fun.get_states() == (s,)


def test_decorator_with_options():
    @jit(static_argnums=(1,), inline=True)
    def f(x, n):
        return x**n

    assert f(2.0, 3) == 8.0
    with pytest.raises(TypeError, match=r"jit\(\) transforms a function; found 3"):
        jit(3)


# ---------------------------------------------------------------- disable_jit


def test_disable_jit_runs_the_function_each_time():
    s, node = State(1.0), Counter()
    f, runs = counted(lambda x: (s.__setattr__("value", s.value + x), type(x))[1])
    f = jit(f)
    with jax.disable_jit():
        assert f(2.0) is float
        f(2.0)
        assert s.value == 5.0
        assert node.step(1.0) == 2.0
        assert node.power(3.0, n=3) == 54.0
    assert len(runs) == 2


def test_disable_jit_after_compiling():
    s = State(jnp.asarray(1.0))

    def body(x):
        s.value = s.value + x
        return s.value

    f = jit(body, donate_states=True)
    f(1.0)
    with jax.disable_jit():
        assert f(1.0) == 3.0
    assert f(1.0) == 4.0


# ---------------------------------------------------------------- nesting


def test_jit_of_jit_and_jit_in_jit():
    s = State(jnp.asarray(1.0))

    def body(x):
        s.value = s.value * x
        return s.value

    inner = jit(body)
    outer = jit(lambda x: inner(x) + inner(x))
    assert outer(2.0) == 6.0
    assert s.value == 4.0
    assert jit(jit(body))(2.0) == 8.0
    assert inner(1.0) == 8.0


def test_an_inner_jit_is_traced_once_per_signature():
    s = State(jnp.zeros(()))

    def body(x):
        s.value = s.value + x.sum()
        return x * 2

    inner, runs = counted(body)
    inner = jit(inner)

    @jit
    def outer(x):
        for _ in range(5):
            x = inner(x)
        return x, inner(jnp.ones(2))

    out, _ = outer(jnp.ones(3))
    np.testing.assert_array_equal(out, np.full(3, 32.0))
    assert s.value == 3 * (1 + 2 + 4 + 8 + 16) + 2
    assert len(runs) == 2


def test_an_inner_jit_under_other_transformations_is_traced_once():
    w = ParamState(jnp.asarray(2.0))
    inner, runs = counted(lambda x: w.value * x)
    inner = jit(inner)

    def twice(x):
        return inner(x) + inner(x + 1)

    assert grad(twice, w)(3.0) == 7.0
    assert len(runs) <= 2
    runs.clear()
    np.testing.assert_array_equal(jit(vmap(twice))(jnp.arange(3.0)), [2, 6, 10])
    assert len(runs) <= 1


def test_loops_and_branches_inside():
    s = State(jnp.asarray(0.0))

    def step(c, x):
        s.value = s.value + x
        return cond(x > 1, lambda: c + s.value, lambda: c), x

    @jit
    def f(xs):
        carry, _ = scan(step, 0.0, xs)
        doubled = for_loop(lambda x: x * 2, xs)
        return while_loop(lambda v: v < 10, lambda v: v + 4, carry), doubled

    value, doubled = f(jnp.arange(3.0))
    assert value == 11.0
    assert s.value == 3.0
    np.testing.assert_array_equal(doubled, [0, 2, 4])


def test_plain_jax_over_a_jitted_function():
    s = State(jnp.array([1.0, 2.0]))
    f = jit(lambda x: (s.value * x**2).sum())
    x = jnp.array([3.0, 4.0])
    assert f(x) == 41.0
    np.testing.assert_array_equal(jax.grad(f)(x), 2 * s.value * x)
    np.testing.assert_array_equal(jax.vmap(f)(jnp.stack([x, x])), [41, 41])
    out, tangent = jax.jvp(f, (x,), (jnp.ones(2),))
    assert (float(out), float(tangent)) == (41.0, 22.0)
    s.value = s.value * 10
    np.testing.assert_array_equal(jax.grad(f)(x), 2 * s.value * x)
    assert f(x) == 410.0


def test_plain_jax_grad_over_a_writing_function_is_refused():
    s = State(jnp.asarray(1.0), name="s")
    f = jit(lambda x: s.__setattr__("value", s.value * x))
    f(1.0)
    before = s.value

    def loss(x):
        f(x)
        return x

    from brainstate.util import TraceContextError

    with pytest.raises(TraceContextError, match=r"'s' was assigned inside a plain jax"):
        jax.grad(loss)(2.0)
    assert s.value is before


def test_vmap_and_grad_around():
    w = ParamState(jnp.asarray(3.0))
    f = jit(lambda x: w.value**2 * x)
    assert grad(f, w)(2.0) == 12.0
    np.testing.assert_array_equal(vmap(f)(jnp.arange(3.0)), [0, 9, 18])
    np.testing.assert_array_equal(vmap(grad(f, w))(jnp.arange(3.0)), [0, 6, 12])


# ---------------------------------------------------------------- errors


def test_an_error_in_the_body_changes_nothing_and_is_not_kept():
    s = State(jnp.asarray(1.0))
    fail = [True]

    @jit
    def f(x):
        s.value = s.value + x
        if fail[0]:
            raise KeyError("inside")
        return s.value

    before = s.value
    with pytest.raises(KeyError, match="inside"):
        f(1.0)
    assert s.value is before
    fail[0] = False
    assert f(1.0) == 2.0


def test_values_in_python_branches_are_refused_by_jax():
    s = State(jnp.asarray(1.0))
    with pytest.raises(jax.errors.TracerBoolConversionError):
        jit(lambda: 1 if s.value > 0 else 2)()
    assert s.value == 1.0


def test_unknown_options_are_jax_errors():
    with pytest.raises(TypeError, match="nonsense"):
        jit(lambda x: x, nonsense=1)(1.0)
