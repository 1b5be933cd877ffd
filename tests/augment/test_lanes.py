"""The plan of one mapped call: which State goes in and comes out how."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import ParamState, ShortTermState, State, graph
from brainstate._engine.jax_api import current_trace
from brainstate._errors import BatchAxisError
from brainstate.augment import grad, vmap
from brainstate.augment.lanes import Axes, lane_axis_name, watch_batching
from brainstate.random import RandomState
from brainstate.transform import jit

LANES = jnp.arange(3.0)


def test_options_are_validated_when_the_function_is_made():
    assert Axes("vmap", [0, None], 0).in_axes == (0, None)
    assert Axes("vmap", None, 0).of_arguments((1, 2)) == (None, None)
    assert Axes("vmap", (0, 1), 0).of_arguments((1, 2)) == (0, 1)
    with pytest.raises(TypeError, match=r"in_axes of pmap.*found 'x'. Write in_axes=\('x',\)"):
        Axes("pmap", "x", 0)


def test_inner_maps_have_names_of_their_own():
    names = []

    def f(x):
        names.append(lane_axis_name(f))
        return vmap(f)(jnp.ones(2)) if len(names) < 4 else x

    vmap(f)(LANES)
    assert len(set(names)) == 4


def test_recursion_through_lanes_draws_apart():
    rng = RandomState(0)

    def f(x):
        return vmap(f)(x) if jnp.ndim(x) else rng.rand()

    assert len(np.unique(f(jnp.zeros((2, 3))))) == 6
    assert len(np.unique(jit(f)(jnp.zeros((2, 2, 2, 2))))) == 16


@pytest.mark.parametrize("batched", [True, False])
def test_watch_reports_what_differs_between_lanes(batched):
    hits, outer = [], current_trace()

    def lane(x):
        watch_batching(x if batched else jnp.ones(()) * 2, outer, lambda: hits.append(1))
        return x

    jax.vmap(lane)(LANES)
    assert bool(hits) == batched


def test_refusals_name_the_right_level():
    """What all inner lanes share may differ between the outer ones, if the outer map says so."""
    s = State(jnp.zeros(2))

    def write(x, y):
        s.value = jnp.zeros(()) + x

    def outer(x):
        vmap(lambda y: write(x, y), axis_size=2)(jnp.ones(2))

    with pytest.raises(BatchAxisError, match="differs between the lanes"):
        vmap(outer)(jnp.arange(2.0))
    vmap(outer, out_states=s)(jnp.arange(2.0))
    np.testing.assert_array_equal(s.value, [0, 1])


def test_written_values_lose_nothing_to_the_axis():
    class Node(graph.Node):
        def __init__(self):
            self.s = State(jnp.arange(6.0).reshape(2, 3))

    node = Node()

    def body(n):
        n.s.value = jnp.outer(n.s.value, jnp.ones(4))

    vmap(body, in_axes=1)(node)
    np.testing.assert_array_equal(
        node.s.value, np.arange(6.0).reshape(2, 3)[:, :, None] * np.ones(4)
    )


def test_a_mapped_value_of_too_low_rank_is_named():
    class Node(graph.Node):
        def __init__(self):
            self.s = State(jnp.ones((2, 3)))

    node = Node()
    before = node.s.value

    def body(n):
        n.s.value = n.s.value.sum()

    with pytest.raises(ValueError, match=r"`s` of Node.*axis 1"):
        vmap(body, in_axes=1)(node)
    assert node.s.value is before


def test_states_made_in_lanes_within_lanes_get_both_axes():
    made = []

    def inner(x):
        made.append(ShortTermState(x * 2))
        return x

    vmap(lambda x: vmap(inner)(jnp.stack([x, x + 10])))(LANES)
    np.testing.assert_array_equal(made[-1].value, [[0, 20], [2, 22], [4, 24]])


def test_states_made_in_a_jitted_map():
    class Net(graph.Node):
        def init(self, x):
            self.h = ShortTermState(x * 2)

    net = Net()
    jit(vmap(net.init))(LANES)
    np.testing.assert_array_equal(net.h.value, [0, 2, 4])
    other = Net()
    vmap(jit(other.init))(LANES)
    np.testing.assert_array_equal(other.h.value, [0, 2, 4])


def test_generators_made_in_lanes_come_out_by_lane():
    class Noise(graph.Node):
        def __init__(self, seed):
            self.rng = RandomState(seed)

    noise = vmap(Noise)(jnp.arange(3))
    assert noise.rng.value.shape == (3, 2)

    @vmap
    def draw(node):
        return node.rng.rand()

    first, second = draw(noise), draw(noise)
    alone = [RandomState(seed) for seed in range(3)]
    for found in (first, second):
        np.testing.assert_allclose(found, [rng.rand() for rng in alone], rtol=1e-6)


def test_gradient_of_a_loss_in_lanes_of_a_shared_parameter():
    w = ParamState(jnp.array([1.0, 2.0]))

    @vmap(in_axes=(None, 0))
    def forward(model, x):
        return (model.w.value * x).sum()

    model = graph.Dict(w=w)

    def loss(x):
        return (forward(model, x) ** 2).sum()

    xs = jnp.arange(6.0).reshape(3, 2)
    expected = jax.grad(lambda w: ((xs * w).sum(1) ** 2).sum())(w.value)
    np.testing.assert_allclose(grad(loss, w)(xs), expected)


def test_lanes_may_be_zero():
    w = State(jnp.ones(2))
    assert vmap(lambda x: x * w.value)(jnp.zeros(0)).shape == (0, 2)


def test_private_writes_of_a_lane_stay_with_it():
    rng = RandomState(0)
    before = rng.value

    def body(x):
        rng.seed(7)
        return rng.rand()

    found = vmap(body)(LANES)
    alone = RandomState(7)
    np.testing.assert_allclose(found, [alone.rand()] * 3, rtol=1e-6)
    assert rng.value.shape == before.shape
