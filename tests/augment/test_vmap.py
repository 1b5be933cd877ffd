"""`vmap`, `vmap_new_states` and `map`, compared with `jax.vmap` and with lanes run one by one."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import (
    HiddenState,
    ParamState,
    ShortTermState,
    State,
    StateTraceStack,
    catch_new_states,
    graph,
    random,
)
from brainstate._errors import BatchAxisError
from brainstate.augment import StateAxes, grad, map, vmap, vmap_new_states
from brainstate.transform import cond, for_loop, jit, while_loop
from brainstate.util import BrainStateError

LANES = jnp.arange(3.0)


class Pair(graph.Node):
    """Two States and some plain attributes."""

    def __init__(self, size=3):
        self.a = ParamState(jnp.arange(float(size)))
        self.b = ShortTermState(jnp.arange(float(size)) + 10)
        self.plain = jnp.arange(7)
        self.layers = [1, {"k": "v"}]


@pytest.fixture(autouse=True)
def _same_key_afterwards():
    with random.seed_context(0):
        yield


# ---------------------------------------------------------------- plain functions


@pytest.mark.parametrize(("in_axes", "out_axes"), [
    (0, 0), ((0, None), 0), ((None, 0), 1), ((1, 0), -1), ((-1, None), 1), (1, (0, 1)),
    (({"p": 0, "q": None}, 1), 0), ([0, None], 0),
], ids=repr)  # fmt: skip
def test_arrays_follow_jax(in_axes, out_axes):
    x, y = jnp.arange(9.0).reshape(3, 3), jnp.arange(9.0).reshape(3, 3) + 1
    nested = isinstance(in_axes, tuple) and isinstance(in_axes[0], dict)
    args = ({"p": x, "q": y}, y) if nested else (x, y)

    def f(a, b):
        a = a["p"] * a["q"].sum() if nested else a
        out = jnp.outer(jnp.atleast_1d(a.sum()), b) if jnp.ndim(b) else a * b
        return (out, out + 1) if isinstance(out_axes, tuple) else out

    for given in (in_axes,):
        as_jax = tuple(given) if isinstance(given, list) else given
        expected = jax.vmap(f, in_axes=as_jax, out_axes=out_axes)(*args)
        found = vmap(f, in_axes=given, out_axes=out_axes)(*args)
        jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_decorator_forms():
    @vmap
    def double(x):
        """Doc."""
        return 2 * x

    @vmap(in_axes=(0, None))
    def scale(x, y):
        return x * y

    assert (double.__name__, double.__doc__) == ("double", "Doc.")
    np.testing.assert_array_equal(double(LANES), [0, 2, 4])
    np.testing.assert_array_equal(scale(LANES, 3.0), [0, 3, 6])
    np.testing.assert_array_equal(vmap(fn=lambda x: x + 1)(LANES), [1, 2, 3])


def test_keyword_arguments_are_mapped_on_axis_0():
    f = vmap(lambda x, y=1.0, **rest: x * y + sum(rest.values()), in_axes=None)
    np.testing.assert_array_equal(f(2.0, y=LANES), [0, 2, 4])
    np.testing.assert_array_equal(f(2.0, y=LANES, z=LANES), [0, 3, 6])
    np.testing.assert_array_equal(vmap(lambda x, y=1.0: x * y)(LANES), LANES)
    np.testing.assert_array_equal(vmap(lambda x, y: x * y)(LANES, y={"k": LANES}["k"]), [0, 1, 4])


def test_nodes_as_keyword_arguments():
    pair = Pair()

    def body(x, node):
        node.a.value += x
        return node.b.value

    np.testing.assert_array_equal(vmap(body)(LANES, node=pair), [10, 11, 12])
    np.testing.assert_array_equal(pair.a.value, [0, 2, 4])


def test_axis_size():
    np.testing.assert_array_equal(vmap(lambda: 2.0, axis_size=3)(), [2, 2, 2])
    with pytest.raises(ValueError, match=r"nothing to map over.*axis_size="):
        vmap(lambda: 2.0)()
    with pytest.raises(ValueError, match="nothing to map over"):
        vmap(lambda x: x, in_axes=None)(1.0)
    with pytest.raises(ValueError, match=r"one number of lanes.*axis_size: 4"):
        vmap(lambda x: x, axis_size=4)(LANES)


def test_axis_name_for_collectives():
    found = vmap(lambda x: x / jax.lax.psum(x, "i"), axis_name="i")(LANES)
    np.testing.assert_allclose(found, [0, 1 / 3, 2 / 3], rtol=1e-6)
    index = vmap(lambda x: jax.lax.axis_index("i"), axis_name="i")(LANES)
    np.testing.assert_array_equal(index, [0, 1, 2])


def test_spmd_axis_name_is_passed_on():
    assert vmap(lambda x: x + 1, spmd_axis_name="devices")(LANES)[2] == 3


def test_sizes_that_differ_are_all_named():
    pair = Pair(4)
    pair.a.name = "a"
    with pytest.raises(ValueError, match="needs one number of lanes") as caught:
        vmap(lambda node, x, y: None)(pair, LANES, {"k": jnp.ones(2)})
    text = str(caught.value)
    for part in ("ParamState `a` of Pair: 4", "[1]: 3", "['k']: 2"):
        assert part in text


def test_axes_beyond_the_rank_are_named():
    pair = Pair()
    with pytest.raises(ValueError, match=r"`a` of Pair along axis 1: its shape is \(3,\).*None"):
        vmap(lambda node: None, in_axes=1)(pair)
    with pytest.raises(ValueError, match=r"argument \[1\] along axis 0: its shape is \(\)"):
        vmap(lambda x, y: None)(LANES, 1.0)


@pytest.mark.parametrize("in_axes", [StateAxes({...: 0}), {"a": 0}, "0", 1.5])
def test_in_axes_of_a_wrong_type(in_axes):
    with pytest.raises(TypeError, match=r"in_axes of vmap must be an int, None, or a tuple"):
        vmap(lambda x: x, in_axes=in_axes)


def test_in_axes_of_a_wrong_length():
    with pytest.raises(ValueError, match=r"in_axes of vmap has 3 entries for 2 positional"):
        vmap(lambda x, y: x, in_axes=(0, 0, None))(LANES, LANES)


def test_axes_of_a_wrong_structure():
    with pytest.raises(ValueError, match="out_axes"):
        vmap(lambda x: (x, x), out_axes=(0, 0, 0))(LANES)
    with pytest.raises(ValueError, match="in_axes"):
        vmap(lambda d: d["a"], in_axes=({"b": 0},))({"a": LANES})
    with pytest.raises(ValueError, match="in_axes"):
        vmap(lambda d: d["a"], in_axes=((0, 0),))({"a": LANES, "n": Pair()})


def test_target_must_be_callable():
    with pytest.raises(TypeError, match=r"vmap\(\) transforms a function; found 3"):
        vmap(3)


# ---------------------------------------------------------------- nodes as arguments


def test_int_axis_maps_every_state():
    pair = Pair()

    @vmap
    def product(node):
        assert node.a.value.shape == node.b.value.shape == ()
        node.b.value = node.a.value * node.b.value

    assert product(pair) is None
    np.testing.assert_array_equal(pair.b.value, [0, 11, 24])
    np.testing.assert_array_equal(pair.a.value, [0, 1, 2])


def test_plain_attributes_are_never_mapped():
    pair = Pair()

    @vmap
    def body(node):
        assert node.plain.shape == (7,)
        assert node.layers == [1, {"k": "v"}]
        return node.plain.sum() + node.a.value

    np.testing.assert_array_equal(body(pair), [21, 22, 23])


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_states_leave_along_the_axis_they_came_by(axis):
    class Table(graph.Node):
        def __init__(self):
            self.s = State({"x": jnp.arange(6.0).reshape(2, 3)})

    table, before = Table(), jnp.arange(6.0).reshape(2, 3)

    @vmap(in_axes=axis)
    def body(node):
        node.s.value = {"x": node.s.value["x"] * 2}

    body(table)
    np.testing.assert_array_equal(table.s.value["x"], before * 2)


def test_none_shares_and_keeps_writes_that_all_lanes_agree_on():
    pair = Pair()

    @vmap(in_axes=(None, 0))
    def body(node, x):
        assert node.a.value.shape == (3,)
        node.b.value = node.b.value + 1
        return node.a.value.sum() * x

    np.testing.assert_array_equal(body(pair, LANES), [0, 3, 6])
    np.testing.assert_array_equal(pair.b.value, [11, 12, 13])


def test_state_axes_choose_by_state():
    pair = Pair()

    @vmap(in_axes=(StateAxes({ParamState: None, ...: 0}), 0))
    def body(node, x):
        assert node.a.value.shape == (3,)
        assert node.b.value.shape == ()
        node.b.value = node.a.value.sum() + x

    body(pair, LANES)
    np.testing.assert_array_equal(pair.b.value, [3, 4, 5])


def test_nodes_in_containers():
    pair = Pair()
    found = vmap(lambda t: t["m"].a.value * t["x"], in_axes=({"m": None, "x": 0},))(
        {"m": pair, "x": LANES}
    )
    np.testing.assert_array_equal(found, LANES[:, None] * pair.a.value)
    axes = ({"m": StateAxes({ParamState: 0, ...: None}), "x": None},)
    found = vmap(lambda t: t["m"].a.value * t["x"], in_axes=axes)({"m": pair, "x": 2.0})
    np.testing.assert_array_equal(found, [0, 2, 4])


def test_states_as_arguments():
    s, shared = State(LANES), State(jnp.ones(2))

    @vmap(in_axes=(0, None))
    def body(a, b):
        a.value = a.value + b.value.sum()

    body(s, shared)
    np.testing.assert_array_equal(s.value, [2, 3, 4])


def test_same_node_twice():
    pair = Pair()
    seen = []
    vmap(lambda m, n: seen.append(m is n))(pair, pair)
    assert seen == [True]
    with pytest.raises(ValueError, match=r"Inconsistent aliasing detected.*axis 0.*axis None"):
        vmap(lambda m, n: None, in_axes=(0, None))(pair, pair)
    with pytest.raises(ValueError, match="Inconsistent aliasing"):
        vmap(lambda m, s: None, in_axes=(0, None))(pair, pair.a)


def test_original_objects_are_updated_and_nothing_else_about_them():
    pair = Pair()
    a, b, layers, text = pair.a, pair.b, pair.layers, repr(pair)
    order = list(vars(pair))
    vmap(lambda m: None)(pair)
    assert repr(pair) == text
    assert list(vars(pair)) == order
    assert pair.a is a
    assert pair.b is b
    assert pair.layers is layers


def test_states_added_to_an_argument_are_stacked_along_its_axis():
    pair = Pair()

    @vmap(in_axes=(0, 0))
    def body(node, x):
        node.c = HiddenState(jnp.stack([x, x]))
        node.label = "added"

    body(pair, LANES)
    np.testing.assert_array_equal(pair.c.value, [[0, 0], [1, 1], [2, 2]])
    assert type(pair.c) is HiddenState
    assert pair.label == "added"


def test_states_added_to_an_argument_are_stacked_by_its_filters():
    pair = Pair()

    @vmap(in_axes=(StateAxes({"second": 1, HiddenState: 0, ...: None}), 0))
    def body(node, x):
        node.c = HiddenState(jnp.stack([x, x]))
        node.d = HiddenState(jnp.stack([x, x]), tag="second")
        node.e = ShortTermState(5.0)

    body(pair, LANES)
    np.testing.assert_array_equal(pair.c.value, [[0, 0], [1, 1], [2, 2]])
    np.testing.assert_array_equal(pair.d.value, [[0, 1, 2], [0, 1, 2]])
    assert pair.e.value == 5.0


def test_argument_returned_is_the_original():
    pair = Pair()
    a = pair.a

    @vmap
    def body(node):
        node.a.value = node.a.value + 1
        return node, node.a.value

    node, values = body(pair)
    assert node is pair
    assert node.a is a
    np.testing.assert_array_equal(a.value, [1, 2, 3])
    np.testing.assert_array_equal(values, [1, 2, 3])


def test_tags_names_and_metadata_survive():
    pair = Pair()
    pair.a.tag, pair.a.name, pair.a.extra = "t", "n", (1, 2)

    @vmap
    def body(node):
        assert (node.a.tag, node.a.name, node.a.extra) == ("t", "n", (1, 2))
        node.a.value += 1

    body(pair)
    assert (pair.a.tag, pair.a.name, pair.a.extra) == ("t", "n", (1, 2))


def test_only_what_is_written_counts_as_written():
    pair = Pair()
    body = vmap(lambda m: m.a.value * 2)
    for _ in range(2):
        with StateTraceStack() as trace:
            body(pair)
        assert trace.get_write_states() == ()
        pair.a.value = pair.a.value + 0


def test_quantities():
    pair = Pair()
    pair.a.value = LANES * u.mV
    pair.b.value = jnp.ones(3) * u.mA

    @vmap
    def body(node, r):
        node.a.value = node.a.value + node.b.value * r

    body(pair, LANES * u.ohm)
    np.testing.assert_allclose(pair.a.value.to_decimal(u.mV), [0, 2, 4])
    found = vmap(lambda x: x * 2, in_axes=1)(jnp.ones((2, 3)) * u.mV)
    assert found.shape == (3, 2)
    assert found.unit == u.mV


# ---------------------------------------------------------------- nodes as results


class Made(graph.Node):
    def __init__(self, x):
        self.s = ShortTermState({"x": jnp.stack([x, x])}, tag="new")
        self.w = ParamState(jnp.ones(()))
        self.size = 2


def test_node_made_inside_comes_out_stacked():
    made = vmap(Made)(LANES)
    assert type(made) is Made
    assert made.size == 2
    assert type(made.w) is ParamState
    assert made.s.tag == "new"
    np.testing.assert_array_equal(made.s.value["x"], [[0, 0], [1, 1], [2, 2]])
    np.testing.assert_array_equal(made.w.value, [1, 1, 1])


@pytest.mark.parametrize("out_axes", [1, -1])
def test_out_axis_of_a_node(out_axes):
    class Square(graph.Node):
        def __init__(self, x):
            self.s = State(jnp.stack([x, x + 10]))

    made = vmap(Square, out_axes=out_axes)(LANES)
    np.testing.assert_array_equal(made.s.value, [[0, 1, 2], [10, 11, 12]])


def test_out_axes_by_filter():
    made = vmap(Made, out_axes=StateAxes({"new": 1, ...: None}))(LANES)
    np.testing.assert_array_equal(made.s.value["x"], [[0, 1, 2], [0, 1, 2]])
    assert made.w.value.shape == ()


def test_out_axes_of_nodes_and_arrays_together():
    def body(x):
        return {"m": Made(x), "y": jnp.stack([x, x])}

    found = vmap(body, out_axes={"m": StateAxes({"new": 0, ...: None}), "y": 1})(LANES)
    assert found["y"].shape == (2, 3)
    assert found["m"].w.value.shape == ()
    assert found["m"].s.value["x"].shape == (3, 2)


def test_none_as_out_axis_needs_equal_lanes():
    same = vmap(lambda x: Made(jnp.zeros(())), out_axes=None)(LANES)
    np.testing.assert_array_equal(same.s.value["x"], [0, 0])
    with pytest.raises(BatchAxisError, match=r"differs between the lanes of vmap.*out_axes"):
        vmap(Made, out_axes=None)(LANES)


def test_a_model_in_a_closure_is_initialised_for_all_lanes():
    """The tutorial's `init_net`."""

    class Net(graph.Node):
        def __init__(self):
            self.w = ParamState(jnp.ones(2))

        def init(self, x):
            self.v = HiddenState(jnp.stack([x, x]) * u.mV)

    net = Net()

    @vmap(out_axes=StateAxes({"new": 0, ...: None}))
    def init_net(x):
        with catch_new_states("new"):
            net.init(x)
        return net

    returned = init_net(LANES)
    assert returned.v.tag == "new"
    np.testing.assert_array_equal(returned.v.value.mantissa, [[0, 0], [1, 1], [2, 2]])
    assert returned.v.value.unit == u.mV
    assert returned.w.value.shape == (2,)
    assert returned.w is net.w

    @vmap(in_axes=(StateAxes({"new": 0, ...: None}), 0))
    def run(model, x):
        model.v.value = model.v.value + x * u.mV
        return model.v.value.sum()

    assert run(returned, LANES).shape == (3,)
    np.testing.assert_array_equal(returned.v.value.mantissa, [[0, 0], [2, 2], [4, 4]])


def test_lanes_that_set_their_key_are_the_lanes_run_alone():
    """The tutorial's `create_linear`."""

    def create(key):
        random.set_key(key)
        return graph.Dict(w=ParamState(random.rand(2)), b=ParamState(random.rand(3)))

    keys = random.split_key(4)
    made = vmap(create)(keys)
    outside = random.get_key()
    for lane, key in enumerate(keys):
        with random.seed_context(0):
            alone = create(key)
        np.testing.assert_allclose(made.w.value[lane], alone.w.value, rtol=1e-6)
        np.testing.assert_allclose(made.b.value[lane], alone.b.value, rtol=1e-6)
    np.testing.assert_array_equal(random.get_key(), outside)


# ---------------------------------------------------------------- closed-over States


def test_closed_over_states_are_shared():
    s = State(jnp.array([1.0, 2.0]))
    np.testing.assert_array_equal(vmap(lambda x: x * s.value)(LANES)[2], [2, 4])


def test_unbatched_write_of_a_closed_over_state():
    s = State(0.0)

    def body(x):
        s.value = s.value + 2.0
        return x

    vmap(body)(LANES)
    assert s.value == 2.0


def test_batched_write_is_refused_and_says_what_to_declare():
    s = State(jnp.zeros(()), name="total")
    before = s.value

    def body(x):
        s.value = s.value + x
        return x

    with pytest.raises(BatchAxisError) as caught:
        vmap(body)(LANES)
    text = str(caught.value)
    for part in ("State 'total'", "differs between the lanes of vmap", "out_states", "StateAxes",
                 "jax.lax.pmean"):  # fmt: skip
        assert part in text
    assert s.value is before
    assert issubclass(BatchAxisError, (ValueError, BrainStateError))


def test_batched_write_through_inner_transformations_is_refused_too():
    s = State(jnp.zeros(()), name="total")

    def body(x):
        s.value = s.value + x

    for inner in (
        jit(body),
        lambda x: for_loop(body, jnp.stack([x, x])),
        lambda x: cond(x > 1, lambda: body(x), lambda: None),
        lambda x: grad(lambda y: (body(y), y)[1])(x),
    ):
        with pytest.raises(BatchAxisError, match="'total'"):
            vmap(inner)(LANES)
    assert s.value == 0


def test_a_reduced_write_is_shared():
    s = State(jnp.zeros(()))

    def body(x):
        s.value = s.value + jax.lax.psum(x, "lanes")

    vmap(body, axis_name="lanes")(LANES)
    assert s.value == 3.0


def test_in_states_and_out_states():
    a, b, c = State(LANES), State(jnp.arange(6.0).reshape(2, 3)), State(jnp.zeros(()))

    def body(x):
        assert a.value.shape == ()
        assert b.value.shape == (2,)
        a.value = a.value + x
        c.value = b.value.sum() + x

    vmap(body, in_states={0: a, 1: [b]}, out_states=c)(LANES)
    np.testing.assert_array_equal(a.value, [0, 2, 4])
    np.testing.assert_array_equal(b.value, [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(c.value, [3, 6, 9])


@pytest.mark.parametrize("declare", [
    lambda s: s, lambda s: [s], lambda s: {"k": (s,)}, lambda s: {0: s}, lambda s: {0: {"k": s}},
])  # fmt: skip
def test_forms_of_declaring_states(declare):
    s = State(LANES)

    def body():
        s.value = s.value * 2

    vmap(body, in_states=declare(s))()
    np.testing.assert_array_equal(s.value, [0, 2, 4])


def test_out_axis_may_differ_from_in_axis():
    s = State(jnp.arange(6.0).reshape(3, 2))

    def body():
        s.value = s.value + 1

    vmap(body, in_states={0: s}, out_states={1: s})()
    np.testing.assert_array_equal(s.value, np.arange(6.0).reshape(3, 2).T + 1)


def test_out_states_broadcast_what_all_lanes_share():
    s = State(jnp.zeros(()))

    def body(x):
        s.value = s.value + 1

    vmap(body, out_states=s)(LANES)
    np.testing.assert_array_equal(s.value, [1, 1, 1])


def test_declared_axes_must_not_contradict_arguments():
    pair = Pair()
    vmap(lambda m: None, in_states=pair.a)(pair)
    with pytest.raises(ValueError, match=r"`a` of Pair is given axis None by in_axes and 0 by"):
        vmap(lambda m, x: None, in_axes=(None, 0), in_states=pair.a)(pair, LANES)


@pytest.mark.parametrize("name", ["in_states", "out_states"])
def test_declared_states_must_be_states(name):
    with pytest.raises(TypeError, match=rf"{name} takes States.*found 3"):
        vmap(lambda x: x, **{name: 3})


# ---------------------------------------------------------------- nesting


def test_nested_with_nodes_passed_and_closed_over():
    class Grid(graph.Node):
        def __init__(self):
            self.s = State(jnp.arange(6.0).reshape(2, 3))
            self.w = ParamState(10.0)

    grid = Grid()

    @vmap(in_axes=(StateAxes({ParamState: None, ...: 0}), 0))
    def outer(node, x):
        @vmap(in_axes=(StateAxes({ParamState: None, ...: 0}), 0))
        def inner(n, y):
            n.s.value = n.s.value * grid.w.value + x * y

        inner(node, LANES)

    outer(grid, jnp.array([1.0, 2.0]))
    expected = np.arange(6.0).reshape(2, 3) * 10 + np.array([[1.0], [2.0]]) * LANES
    np.testing.assert_array_equal(grid.s.value, expected)


def test_inside_jit_with_a_node_closed_over_and_passed():
    pair = Pair()

    @vmap
    def body(node, x):
        node.b.value = node.a.value + x
        return node.b.value * 2

    step = jit(lambda x: body(pair, x))
    np.testing.assert_array_equal(step(LANES), [0, 4, 8])
    np.testing.assert_array_equal(pair.b.value, [0, 2, 4])
    pair.a.value = pair.a.value + 1
    np.testing.assert_array_equal(jit(body)(pair, LANES), [2, 6, 10])


def test_loops_and_branches_inside():
    def body(x):
        total = for_loop(lambda y: y * x, LANES).sum()
        total = cond(x > 1, lambda t: t + 100, lambda t: t, total)
        return while_loop(lambda t: t < 5, lambda t: t + 2, total)

    expected = [6.0, 5.0, 106.0]
    np.testing.assert_array_equal(vmap(body)(LANES), expected)


def test_gradient_through_lanes():
    w = ParamState(jnp.array([1.0, 2.0]))

    def loss(x):
        return vmap(lambda y: (w.value * y).sum() ** 2)(x).sum()

    expected = jax.grad(lambda w, x: jax.vmap(lambda y: (w * y).sum() ** 2)(x).sum())(
        w.value, LANES
    )
    np.testing.assert_allclose(grad(loss, w)(LANES), expected)


def test_gradient_through_a_mapped_state():
    pair = Pair()

    def loss():
        return vmap(lambda m: m.a.value**2 * m.b.value)(pair).sum()

    np.testing.assert_allclose(grad(loss, pair.a)(), 2 * np.arange(3) * (np.arange(3) + 10))


def test_plain_jax_vmap_around_reads():
    s = State(2.0)
    f = vmap(lambda x: x * s.value)
    np.testing.assert_array_equal(jax.vmap(f)(jnp.ones((2, 3))), jnp.full((2, 3), 2.0))


# ---------------------------------------------------------------- randomness


def test_lanes_and_calls_draw_apart_and_the_key_stays_one():
    draw = vmap(lambda x: random.rand())
    found = np.concatenate([draw(LANES), draw(LANES)])
    assert len(set(found.tolist())) == 6
    assert random.get_key().shape == (2,)


def test_a_call_that_draws_nothing_leaves_the_key():
    before = random.get_key()
    vmap(lambda x: x + 1)(LANES)
    np.testing.assert_array_equal(random.get_key(), before)


def test_generators_may_be_named():
    rng = random.RandomState(3)
    found = vmap(lambda x: rng.rand(), rngs=rng)(LANES)
    assert len(set(found.tolist())) == 3
    np.testing.assert_array_equal(vmap(lambda x: x, rngs=[rng, random.DEFAULT])(LANES), LANES)


# ---------------------------------------------------------------- vmap_new_states


class Lazy(graph.Node):
    def __init__(self):
        self.w = ParamState(jnp.ones(3))

    def init(self, scale=1.0):
        self.h = HiddenState(jnp.full(3, 2.0) * scale)
        self.k = ShortTermState({"n": jnp.zeros((), int)})


def test_new_states_come_out_stacked_in_place():
    cell = Lazy()
    assert vmap_new_states(cell.init, axis_size=4)() is None
    np.testing.assert_array_equal(cell.h.value, np.full((4, 3), 2.0))
    assert cell.k.value["n"].shape == (4,)
    assert cell.w.value.shape == (3,)


@pytest.mark.parametrize("axes", [None, StateAxes({ParamState: None, ...: 0})])
def test_new_states_on_an_argument_that_is_shared(axes):
    cell = Lazy()
    vmap_new_states(lambda m: m.init(), in_axes=(axes,), axis_size=4)(cell)
    assert cell.h.value.shape == (4, 3)
    assert cell.w.value.shape == (3,)
    cell = Lazy()
    vmap_new_states(lambda m, x: m.init(x), in_axes=(axes, 0))(cell, LANES)
    np.testing.assert_array_equal(cell.h.value, LANES[:, None] * np.full(3, 2.0))
    assert cell.w.value.shape == (3,)


def test_new_states_on_a_returned_model_that_is_shared():
    cell = Lazy()

    def init(x):
        cell.init(x)
        return cell

    assert vmap_new_states(init, out_axes=None)(LANES) is cell
    assert cell.h.value.shape == (3, 3)
    assert cell.w.value.shape == (3,)


def test_new_states_again():
    cell = Lazy()
    for lanes in (4, 5):
        vmap_new_states(cell.init, axis_size=lanes)()
        assert cell.h.value.shape == (lanes, 3)


def test_new_states_that_depend_on_the_lane():
    cell = Lazy()
    vmap_new_states(cell.init, state_tag="n")(LANES)
    np.testing.assert_array_equal(cell.h.value, LANES[:, None] * np.full(3, 2.0))
    assert (cell.h.tag, cell.k.tag, cell.w.tag) == ("n", "n", None)


def test_excluded_new_states_stay_without_lanes():
    cell = Lazy()
    vmap_new_states(cell.init, axis_size=4, state_tag="n", state_to_exclude=ShortTermState)()
    assert cell.h.value.shape == (3,)  # a HiddenState is a ShortTermState
    cell = Lazy()
    only = lambda path, state: type(state) is ShortTermState  # noqa: E731
    vmap_new_states(cell.init, axis_size=4, state_tag="n", state_to_exclude=only)()
    assert cell.h.value.shape == (4, 3)
    assert cell.k.value["n"].shape == ()
    assert (cell.h.tag, cell.k.tag) == ("n", None)


def test_excluded_new_states_must_be_alike():
    cell = Lazy()
    with pytest.raises(BatchAxisError, match=r"`h` of Lazy differs between the lanes of vmap_new"):
        vmap_new_states(cell.init, state_to_exclude=HiddenState)(LANES)
    assert not hasattr(cell, "h")


def test_vmap_new_states_as_a_decorator():
    cell = Lazy()

    @vmap_new_states(axis_size=2)
    def init():
        cell.init()
        return cell.h.value.sum()

    np.testing.assert_array_equal(init(), [6, 6])
    assert cell.h.value.shape == (2, 3)


def test_random_initial_values_differ_between_lanes():
    cell = Lazy()

    def init():
        cell.h = HiddenState(random.rand(2))

    vmap_new_states(init, axis_size=3)()
    assert len(np.unique(cell.h.value)) == 6


# ---------------------------------------------------------------- map


@pytest.mark.parametrize("batch_size", [None, 1, 2, 5, 7])
def test_map_is_a_python_loop(batch_size):
    xs, ys = jnp.arange(5.0), {"k": jnp.arange(10.0).reshape(5, 2)}
    s = State(3.0)

    def f(x, y):
        return {"p": x * s.value, "q": (y["k"] + x,)}

    found = map(f, xs, ys, batch_size=batch_size)
    expected = [f(x, {"k": k}) for x, k in zip(xs, ys["k"], strict=True)]
    jax.tree.map(
        np.testing.assert_allclose, found, jax.tree.map(lambda *a: jnp.stack(a), *expected)
    )


def test_map_without_batches_carries_states():
    total = State(0.0)

    def f(x):
        total.value = total.value + x
        return total.value

    np.testing.assert_array_equal(map(f, LANES), [0, 1, 3])
    assert total.value == 3.0


def test_map_in_batches_refuses_writes_that_differ():
    total = State(0.0, name="total")

    def f(x):
        total.value = total.value + x

    with pytest.raises(BatchAxisError, match="'total'"):
        map(f, LANES, batch_size=2)
    assert total.value == 0.0


@pytest.mark.parametrize("batch_size", [0, -1])
def test_map_needs_a_positive_batch(batch_size):
    with pytest.raises(ValueError, match=rf"batch_size must be at least 1; found {batch_size}"):
        map(lambda x: x, LANES, batch_size=batch_size)


@pytest.mark.parametrize("batch_size", [None, 2])
def test_map_of_unequal_lengths(batch_size):
    for lengths in ((3, 2), (2, 3), (4, 6)):
        with pytest.raises(ValueError, match=rf"one length.*{lengths[0]}.*{lengths[1]}"):
            map(lambda x, y: x, *[jnp.ones(n) for n in lengths], batch_size=batch_size)


@pytest.mark.parametrize("batch_size", [None, 2])
def test_map_over_nothing(batch_size):
    assert map(lambda x: jnp.stack([x, x]), jnp.zeros(0), batch_size=batch_size).shape == (0, 2)


@pytest.mark.parametrize("batch_size", [None, 2])
def test_map_takes_numpy_and_quantities(batch_size):
    found = map(lambda x, q: x * q, np.arange(3.0), LANES * u.mV, batch_size=batch_size)
    np.testing.assert_allclose(found.to_decimal(u.mV), [0, 1, 4])


def test_map_through_gradient_and_lanes():
    def f(x):
        return map(lambda y: (x * y) ** 2, LANES, batch_size=2).sum()

    expected = jax.grad(lambda x: ((x * LANES) ** 2).sum())(3.0)
    assert grad(f)(3.0) == expected
    np.testing.assert_array_equal(vmap(f)(LANES), [0, 5, 20])


def test_everything_is_exported():
    assert brainstate.augment.vmap is vmap
    assert {"vmap", "map", "vmap_new_states", "StateAxes"} <= set(brainstate.augment.__all__)
