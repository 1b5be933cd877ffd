import jax
import jax.numpy as jnp
import pytest
from hypothesis import given

from brainstate import HiddenState, ParamState, State
from brainstate.compile import jit
from brainstate.graph import (
    Node,
    clone,
    graphdef,
    states,
    treefy_merge,
    treefy_split,
    treefy_states,
)
from brainstate.util import FlattedDict, NestedDict
from graph.random_graphs import Plain, assert_isomorphic, graphs


class Dense(Node):
    def __init__(self):
        self.w = ParamState({"weight": jnp.arange(3.0), "bias": jnp.ones(())})
        self.calls = State(jnp.zeros((), int))
        self.scale = jnp.full((), 2.0)

    def __call__(self, x):
        self.calls.value += 1
        w = self.w.value
        return self.scale * (w["weight"] * x).sum() + w["bias"]


X = jnp.array([1.0, 2.0, 3.0])


def test_split_and_merge_inside_plain_jit():
    dense = Dense()
    definition, refs = treefy_split(dense)

    @jax.jit
    def run(refs, x):
        node = treefy_merge(definition, refs)
        y = node(x)
        return y, treefy_states(node)

    y, new = run(refs, X)
    assert y == 2 * (0 * 1 + 1 * 2 + 2 * 3) + 1
    assert new["calls"].value == 1
    assert dense.calls.value == 0
    assert run(new, X)[1]["calls"].value == 2


def test_definition_is_an_argument_and_a_result_of_plain_jit():
    traces = []

    @jax.jit
    def run(definition, refs):
        traces.append(None)
        node = treefy_merge(definition, refs)
        node.extra = State(node.w.value["bias"] + 1)
        return treefy_split(node)

    dense = Dense()
    node = treefy_merge(*run(*treefy_split(dense)))
    run(*treefy_split(dense))
    assert node.extra.value == 2.0
    assert len(traces) == 1


def test_plain_grad_through_merge():
    definition, params, rest = treefy_split(Dense(), ParamState, ...)
    grads = jax.grad(lambda params: treefy_merge(definition, params, rest)(X))(params)
    assert list(grads) == ["w"]
    assert grads["w"].value["weight"].tolist() == [2.0, 4.0, 6.0]
    assert grads["w"].value["bias"] == 1.0


def test_plain_vmap_and_scan_over_merge():
    definition, refs = treefy_split(Dense())
    both = jax.vmap(lambda x: treefy_merge(definition, refs)(x))(jnp.stack([X, 2 * X]))
    assert both.tolist() == [17.0, 33.0]

    def step(refs, x):
        node = treefy_merge(definition, refs)
        y = node(x)
        return treefy_states(node), y

    last, ys = jax.lax.scan(step, refs, jnp.stack([X, X]))
    assert last["calls"].value == 2
    assert ys.tolist() == [17.0, 17.0]


def test_split_by_filters():
    _, params, rest = treefy_split(Dense(), ParamState, ...)
    assert isinstance(params, NestedDict)
    assert [list(params), list(rest)] == [["w"], ["calls"]]


def test_split_must_be_exhaustive():
    with pytest.raises(ValueError, match=r"Non-exhaustive filters.*'calls'.*use `\.\.\.`"):
        treefy_split(Dense(), ParamState, HiddenState)


def test_rest_comes_last():
    with pytest.raises(ValueError, match="last of the filters"):
        treefy_split(Dense(), ..., ParamState)


def test_later_mappings_win():
    definition, refs = treefy_split(Dense())
    newer = FlattedDict({("calls",): State(7).to_state_ref()})
    assert treefy_merge(definition, refs, newer).calls.value == 7


def test_merge_shares_no_container_with_the_original():
    dense = Dense()
    definition, refs = treefy_split(dense)
    one, two = treefy_merge(definition, refs), treefy_merge(definition, refs)
    one.w.value["bias"] = 5.0
    assert two.w.value["bias"] == dense.w.value["bias"] == 1.0


def test_clone_shares_arrays_and_no_container():
    old = Dense()
    old.table = {"b": [1], "a": old.calls}
    old.meta = State(0.0, axes=["x"])
    new = clone(old)
    assert new.scale is old.scale
    assert new.w.value["weight"] is old.w.value["weight"]
    assert list(new.w.value) == list(old.w.value)
    assert list(new.table) == ["b", "a"]
    new.w.value["bias"] = 5.0
    new.table["b"].append(2)
    new.meta.axes.append("y")
    assert old.w.value["bias"] == 1.0
    assert old.table["b"] == [1]
    assert old.meta.axes == ["x"]
    assert new.table["a"] is new.calls is not old.calls


def test_clone_keeps_attribute_order():
    old = Dense()
    assert list(vars(clone(old))) == list(vars(old)) == ["w", "calls", "scale"]


def test_clone_of_a_container():
    node = Dense()
    one, two = clone([node, node])
    assert one is two is not node


def test_clone_of_a_deep_chain():
    top = node = Plain()
    for _ in range(3000):
        node.next = Plain()
        node = node.next
    node.s = State(5)
    copy = clone(top)
    assert [state.value for state in states(copy).values()] == [5]
    assert graphdef(copy) == graphdef(top)
    node.size = 3
    assert graphdef(copy) != graphdef(top)


def test_clone_inside_compiled_code():
    dense = Dense()

    @jit
    def run(x):
        new = clone(dense)
        new(x)
        return new(x), new.calls.value

    y, calls = run(X)
    assert [y, calls, dense.calls.value] == [17.0, 2, 0]


@given(graphs())
def test_split_and_merge_give_an_isomorphic_graph(root):
    assert_isomorphic(root, treefy_merge(*treefy_split(root)))
    assert_isomorphic(root, treefy_merge(*treefy_split(root, ParamState, "none", ...)))


@given(graphs())
def test_clone_is_isomorphic_and_leaves_the_original_alone(root):
    before = dict(vars(root))
    assert_isomorphic(root, clone(root))
    assert list(vars(root)) == list(before)
    assert all(vars(root)[name] is before[name] for name in before)
