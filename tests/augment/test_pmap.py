"""`pmap` on eight virtual devices, compared with `vmap`."""

import functools

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import (
    HiddenState,
    ParamState,
    ShortTermState,
    State,
    catch_new_states,
    graph,
    random,
)
from brainstate.augment import StateAxes, grad, pmap, vmap
from brainstate.transform import for_loop, jit

DEVICES = jax.devices()
LANES = jnp.arange(8.0)
COUNTS = [8, 24]


@pytest.fixture(autouse=True)
def _same_key_afterwards():
    with random.seed_context(0):
        yield


class Cell(graph.Node):
    def __init__(self, n=8):
        self.w = ParamState(jnp.array([1.0, 2.0]))
        self.v = HiddenState(jnp.arange(2.0 * n).reshape(n, 2), tag="new")


def assert_same(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6), a, b)


def test_there_are_eight_devices():
    assert len(DEVICES) == 8


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(("in_axes", "out_axes"), [(0, 0), ((0, None), 0), ((-1, 0), 1)], ids=repr)
def test_arrays_as_vmap(count, in_axes, out_axes):
    x = jnp.arange(2.0 * count).reshape(count, 2)
    y = jnp.arange(float(count * 3)).reshape(count, 3)
    if in_axes != 0:
        x = x.T if in_axes[0] == -1 else x
        y = y[0] if in_axes[1] is None else y

    def f(a, b):
        return {"o": jnp.outer(a, b)} if out_axes == 1 else {"o": a.sum() * b, "p": a}

    found = pmap(f, in_axes=in_axes, out_axes=out_axes)(x, y)
    assert_same(found, vmap(f, in_axes=in_axes, out_axes=out_axes)(x, y))


@pytest.mark.parametrize("axis_name", [None, "i"])
def test_lanes_end_up_on_all_devices(axis_name):
    found = pmap(lambda x: x * 2, axis_name)(jnp.arange(16.0))
    assert found.sharding.device_set == set(DEVICES)
    assert {shard.data.shape for shard in found.addressable_shards} == {(2,)}
    cell = Cell()

    @pmap(axis_name=axis_name, in_axes=(StateAxes({"new": 0, ...: None}),))
    def step(c):
        c.v.value = c.v.value + 1

    step(cell)
    assert cell.v.value.sharding.device_set == set(DEVICES)


@pytest.mark.parametrize("count", [8, 16])
def test_nodes_as_vmap(count):
    def body(cell, x):
        cell.v.value = cell.v.value * cell.w.value + x
        cell.seen = ShortTermState(x)
        return cell.v.value.sum()

    axes = (StateAxes({"new": 0, ShortTermState: 0, ...: None}), 0)
    a, b, xs = Cell(count), Cell(count), jnp.arange(float(count))
    found = [pmap(body, in_axes=axes)(a, xs) for _ in range(2)]
    expected = [vmap(body, in_axes=axes)(b, xs) for _ in range(2)]
    assert_same(found, expected)
    assert_same((a.v.value, a.w.value, a.seen.value), (b.v.value, b.w.value, b.seen.value))


def test_int_axis_of_a_node():
    node = graph.Dict(a=State(LANES), b=State({"k": LANES * u.mV}))

    @pmap
    def body(n):
        n.a.value = n.a.value * 2
        n.b.value = {"k": n.b.value["k"] * n.a.value}

    body(node)
    np.testing.assert_array_equal(node.a.value, LANES * 2)
    np.testing.assert_allclose(node.b.value["k"].to_decimal(u.mV), LANES * LANES * 2)


def test_closed_over_states_as_vmap():
    shared, mapped, out = State(2.0), State(LANES), State(0.0)

    def body(x):
        shared.value = shared.value + 1
        mapped.value = mapped.value * x
        out.value = x + 0
        return x * shared.value

    results = []
    for transform in (pmap, vmap):
        shared.value, mapped.value, out.value = jnp.asarray(2.0), LANES, jnp.asarray(0.0)
        found = transform(body, in_states=mapped, out_states={0: out})(LANES)
        results.append((found, shared.value, mapped.value, out.value))
    assert_same(*results)


def test_batched_write_is_refused():
    total = State(jnp.zeros(()), name="total")

    def body(x):
        total.value = total.value + x

    with pytest.raises(ValueError, match=r"'total' differs between the lanes of pmap.*out_states"):
        pmap(body)(LANES)
    assert total.value == 0


def test_new_states_as_vmap():
    class Net(graph.Node):
        def __init__(self):
            self.w = ParamState(jnp.ones(2))

        def init(self, x):
            self.v = HiddenState(jnp.stack([x, x]) * u.mV)

    nets = []
    for transform in (pmap, vmap):
        net = Net()

        @transform(out_axes=StateAxes({"new": 0, ...: None}))
        def init(x, net=net):
            with catch_new_states("new"):
                net.init(x)
            return net

        assert init(LANES).w.value.shape == (2,)
        nets.append(net)
    assert_same(nets[0].v.value.mantissa, nets[1].v.value.mantissa)
    assert nets[0].v.value.unit == u.mV
    assert nets[0].v.tag == "new"


def test_node_made_inside_as_vmap():
    def make(x):
        return {"cell": graph.Dict(s=State(x * 2)), "y": x}

    found, expected = pmap(make)(LANES), vmap(make)(LANES)
    assert_same((found["cell"].s.value, found["y"]), (expected["cell"].s.value, expected["y"]))


@pytest.mark.parametrize(("axis_name", "count"), [(None, 16), ("i", 8)])
def test_draws_as_vmap(axis_name, count):
    xs = jnp.zeros(count)

    def draw(x):
        return x + random.normal(size=2)

    found, after = [], []
    for transform in (pmap, vmap):
        random.seed(3)
        mapped = transform(draw, axis_name=axis_name)
        found.append([mapped(xs), mapped(xs)])
        after.append(random.get_key())
    assert_same(*found)
    assert_same(*after)
    assert len(np.unique(np.stack(found[0]))) == 4 * count


def test_lane_keys():
    def create(key):
        random.set_key(key)
        return random.rand(2)

    keys = random.split_key(8)
    assert_same(pmap(create)(keys), vmap(create)(keys))


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("collective", [
    lambda x: jax.lax.psum(x, "i"),
    lambda x: x / jax.lax.pmean(x, "i"),
    lambda x: jax.lax.pmax(x, "i"),
    lambda x: jax.lax.all_gather(x, "i"),
    lambda x: jax.lax.axis_index("i") + x,
    lambda x: jax.lax.psum_scatter(jnp.arange(48.0) * x, "i", tiled=True),
], ids=["psum", "pmean", "pmax", "all_gather", "axis_index", "psum_scatter"])  # fmt: skip
def test_collectives_see_all_lanes(count, collective):
    xs = jnp.arange(float(count)) + 1
    assert_same(pmap(collective, axis_name="i")(xs), vmap(collective, axis_name="i")(xs))


def test_reduced_writes_are_shared():
    w = ParamState(jnp.zeros(2))

    @pmap(axis_name="i")
    def step(x):
        gradient = grad(lambda: ((w.value - x) ** 2).sum(), w)()
        w.value = w.value - 0.5 * jax.lax.pmean(gradient, "i")

    xs = jnp.arange(32.0).reshape(16, 2)
    step(xs)
    np.testing.assert_allclose(w.value, xs.mean(0), rtol=1e-6)
    assert w.value.shape == (2,)


def test_one_device_is_vmap():
    cell = Cell(3)

    def body(c, x):
        c.v.value = c.v.value + x
        return jax.lax.psum(x, "i")

    axes = (StateAxes({"new": 0, ...: None}), 0)
    found = pmap(body, "i", in_axes=axes, devices=DEVICES[:1])(cell, jnp.arange(3.0))
    np.testing.assert_array_equal(found, [3, 3, 3])
    np.testing.assert_array_equal(cell.v.value[:, 0], [0, 3, 6])


@pytest.mark.parametrize("count", [2, 4])
def test_some_devices(count):
    found = pmap(lambda x: x + 1, devices=DEVICES[:count])(LANES)
    assert found.sharding.device_set == set(DEVICES[:count])
    np.testing.assert_array_equal(found, LANES + 1)
    np.testing.assert_array_equal(pmap(lambda x: x + 1, backend="cpu")(LANES), LANES + 1)


@pytest.mark.parametrize("count", [1, 7, 12])
def test_lanes_must_be_a_multiple_of_the_devices(count):
    with pytest.raises(ValueError, match=rf"{count} lanes for 8 devices.*multiple.*devices="):
        pmap(lambda x: x)(jnp.ones(count))
    with pytest.raises(ValueError, match=rf"{count} lanes for 8 devices"):
        pmap(functools.partial(lambda k, x: x, 1.0))(jnp.ones(count))


def test_axis_size():
    found = pmap(lambda: random.rand(), axis_size=16)()
    assert len(set(found.tolist())) == 16
    with pytest.raises(ValueError, match="nothing to map over"):
        pmap(lambda: 1.0)()
    with pytest.raises(ValueError, match=r"one number of lanes.*axis_size: 16"):
        pmap(lambda x: x, axis_size=16)(LANES)


def test_keyword_arguments():
    np.testing.assert_array_equal(pmap(lambda x, y=1.0: x * y)(LANES, y=LANES), LANES**2)


def test_static_broadcasted_arguments():
    runs = []

    @pmap(static_broadcasted_argnums=1, in_axes=(0, None))
    def power(x, mode):
        runs.append(mode)
        return x**2 if mode == "square" else x

    np.testing.assert_array_equal(power(LANES, "square"), LANES**2)
    np.testing.assert_array_equal(power(LANES, "same"), LANES)
    power(LANES, "square")
    assert runs == ["square", "same"]


def test_donated_arguments():
    x = jax.device_put(jnp.arange(8.0) + 1, jax.sharding.NamedSharding(
        jax.make_mesh((8,), ("d",), axis_types=(jax.sharding.AxisType.Auto,)),
        jax.sharding.PartitionSpec("d")))  # fmt: skip
    found = pmap(lambda x: x * 2, donate_argnums=0)(x)
    np.testing.assert_array_equal(found, (LANES + 1) * 2)
    assert x.is_deleted()


def test_compiles_once():
    runs = []

    @pmap
    def f(x):
        runs.append(1)
        return x * 2

    for k in range(3):
        np.testing.assert_array_equal(f(LANES + k), (LANES + k) * 2)
    assert len(runs) == 1


@pytest.mark.parametrize("axis_name", [None, "i"])
def test_gradient_around(axis_name):
    w = ParamState(jnp.array([1.0, 2.0]))
    xs = jnp.arange(32.0).reshape(16, 2) / 10

    def losses(transform):
        return transform(lambda x: jnp.tanh(w.value @ x) ** 2, axis_name=axis_name)

    found = grad(lambda: losses(pmap)(xs).sum(), w, return_value=True)()
    assert_same(found, grad(lambda: losses(vmap)(xs).sum(), w, return_value=True)())


def test_gradient_inside():
    w = ParamState(jnp.array([1.0, 2.0]))
    xs = jnp.arange(16.0).reshape(8, 2)
    found = pmap(lambda x: grad(lambda: (w.value * x).sum() ** 2, w)())(xs)
    expected = jax.vmap(lambda x: jax.grad(lambda w: (w * x).sum() ** 2)(w.value))(xs)
    assert_same(found, expected)


@pytest.mark.parametrize("axis_name", [None, "i"])
def test_inside_jit_with_loops(axis_name):
    cell = Cell(16)

    @pmap(in_axes=(StateAxes({"new": 0, ...: None}), 0), axis_name=axis_name)
    def run(c, x):
        def step(t):
            c.v.value = c.v.value * 0.5 + c.w.value * t
            return c.v.value.sum()

        return for_loop(step, x)

    xs = jnp.arange(48.0).reshape(16, 3)
    start, w = cell.v.value, cell.w.value
    found, after = jit(lambda xs: run(cell, xs))(xs), cell.v.value
    cell.v.value = start

    def lane(v, x):
        return jax.lax.scan(lambda v, t: (v * 0.5 + w * t,) * 2, v, x)

    expected_after, ys = jax.vmap(lane)(start, xs)
    assert_same((found, after), (ys.sum(-1), expected_after))


def test_inside_vmap_and_around_it():
    xs = jnp.arange(24.0).reshape(8, 3)

    def f(x):
        return vmap(lambda y: y * 2 + x.sum())(x)

    assert_same(pmap(f)(xs), jax.vmap(lambda x: x * 2 + x.sum())(xs))
    stacked = jnp.stack([xs, xs + 1])
    assert_same(vmap(pmap(f))(stacked), jax.vmap(jax.vmap(lambda x: x * 2 + x.sum()))(stacked))


@pytest.mark.parametrize("name", ["σ", "it's", 'a "name"', "<lambda>"])
def test_names_beyond_identifiers(name):
    """The name of the function is in the names of axes, which reach the compiler."""

    def f(x):
        return x * 2

    f.__name__ = name
    np.testing.assert_array_equal(pmap(f)(LANES), LANES * 2)
    np.testing.assert_array_equal(vmap(pmap(f))(jnp.ones((2, 8))), np.full((2, 8), 2.0))


def test_decorator_forms_and_errors():
    @pmap
    def double(x):
        """Doc."""
        return 2 * x

    assert (double.__name__, double.__doc__) == ("double", "Doc.")
    with pytest.raises(ValueError, match="global_arg_shapes is gone"):
        pmap(double, global_arg_shapes=((1,),))
    with pytest.raises(TypeError, match=r"in_axes of pmap must be"):
        pmap(double, in_axes="0")
    with pytest.raises(TypeError, match=r"pmap\(\) transforms a function; found 3"):
        pmap(3)


@pytest.mark.parametrize("axis_name", [None, "i"])
def test_disable_jit(axis_name):
    cell = Cell()

    @pmap(in_axes=(StateAxes({"new": 0, ...: None}), 0), axis_name=axis_name)
    def step(c, x):
        c.v.value = c.v.value + x
        return x + 1, random.rand()

    start = cell.v.value
    _, first = step(cell, LANES)
    with jax.disable_jit():
        found, drawn = step(cell, LANES)
    np.testing.assert_array_equal(found, LANES + 1)
    np.testing.assert_array_equal(cell.v.value, start + 2 * LANES[:, None])
    assert len({*first.tolist(), *drawn.tolist()}) == 16
