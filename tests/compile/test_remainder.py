"""What a compiled call hands out beside leaves: nodes and States that its body made."""

import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import HiddenState, ParamState, State, catch_new_states, graph
from brainstate.augment import vmap
from brainstate.compile import jit


class Cell(graph.Node):
    def __init__(self, x):
        self.v = HiddenState(x * 2)
        self.size = 3


def test_states_on_a_node_from_outside_keep_their_identity():
    net = graph.Dict()

    @jit
    def init(x):
        net.v = HiddenState(x)
        net.alias = net.v

    init(jnp.ones(2))
    assert net.v is net.alias
    np.testing.assert_array_equal(net.v.value, [1, 1])
    init(jnp.ones(2) * 3)
    np.testing.assert_array_equal(net.v.value, [3, 3])


def test_init_again_and_again():
    net = graph.Dict(w=ParamState(jnp.ones(2)))

    @jit
    def init(x):
        net.v = HiddenState(net.w.value * x)

    @jit
    def step():
        net.v.value = net.v.value + 1

    for x in (1.0, 5.0):
        init(x)
        step()
        step()
        np.testing.assert_array_equal(net.v.value, [x + 2, x + 2])


def test_copies_share_older_nodes_and_states():
    inner, shared = Cell(jnp.ones(())), State(jnp.zeros(()))

    @jit
    def make(x):
        node = Cell(x)
        node.inner, node.shared, node.list = inner, shared, [node.v, inner.v]
        return node, node.v

    (first, v), (second, _) = make(1.0), make(2.0)
    assert first is not second
    assert v is first.v is first.list[0]
    assert first.inner is second.inner is inner
    assert first.shared is shared
    assert first.list[1] is inner.v
    assert (float(first.v.value), float(second.v.value)) == (2.0, 4.0)


def test_a_returned_state_made_inside():
    make = jit(lambda x: State(x * 3, name="made", tag="t"))
    a, b = make(1.0), make(2.0)
    assert (float(a.value), float(b.value)) == (3.0, 6.0)
    assert a is not b
    assert (a.name, a.tag) == ("made", "t")


def test_kinds_tags_and_plain_attributes():
    @jit
    def make(x):
        with catch_new_states("new"):
            return {"cell": Cell(x), "x": x}

    out = make(2.0 * u.mV)
    assert type(out["cell"].v) is HiddenState
    assert out["cell"].v.tag == "new"
    assert out["cell"].size == 3
    assert out["cell"].v.value.to_decimal(u.mV) == 4
    assert out["x"].to_decimal(u.mV) == 2


def test_made_by_shape():
    make = jit(lambda x: Cell(x) if x.ndim else graph.Dict(z=State(x)))
    assert make(jnp.ones(3)).v.value.shape == (3,)
    assert make(jnp.ones(())).z.value == 1
    assert make(jnp.ones(4)).v.value.shape == (4,)


def test_changed_structure_and_new_states_at_once():
    s, net = State(None), graph.Dict()

    @jit
    def f(x):
        s.value = {"k": x} if s.value is None else {"k": s.value["k"] + x}
        if not hasattr(net, "v"):
            net.v = State(x)
        net.v.value = net.v.value * 2
        return s.value["k"]

    assert [float(f(1.0)), float(f(1.0)), float(f(1.0))] == [1.0, 2.0, 3.0]
    assert net.v.value == 8


def test_lanes_in_jit():
    made = jit(vmap(Cell))(jnp.arange(3.0))
    np.testing.assert_array_equal(made.v.value, [0, 2, 4])


def test_jit_in_jit():
    inner = jit(Cell)
    outer = jit(lambda x: [inner(x), inner(x + 1)])
    a, b = outer(1.0)
    assert a is not b
    assert (float(a.v.value), float(b.v.value)) == (2.0, 4.0)


def test_a_local_state_needs_no_value_afterwards():
    kept = []

    @jit
    def f(x):
        local = State(x, name="local")
        kept.append(local)
        local.value = local.value + 1
        return local.value

    assert f(1.0) == 2
    assert f(5.0) == 6
    assert float(kept[0].value) in (2.0, 6.0)


@pytest.mark.parametrize("count", [1, 3])
def test_a_failed_call_leaves_no_made_states(count):
    net = graph.Dict()

    @jit
    def f():
        for k in range(count):
            setattr(net, f"v{k}", State(1.0))
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        f()
    assert not [name for name in vars(net) if name.startswith("v")]
