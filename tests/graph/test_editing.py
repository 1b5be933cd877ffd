import jax.numpy as jnp
import pytest
from hypothesis import given

from brainstate import HiddenState, ParamState, State
from brainstate.augment import grad
from brainstate.graph import Dict, pop_states, states, treefy_states, update_states
from brainstate.util import FlattedDict, NestedDict
from graph.random_graphs import Plain, find_all, graphs


def make():
    root = Plain()
    root.w = ParamState(1.0, tag="t")
    root.v = HiddenState(2.0)
    root.items = [State(3.0), 4]
    root.child = Plain()
    root.child.w = root.w
    root.child.h = HiddenState(5.0)
    return root


def ref(value, cls=State, **metadata):
    return cls(value, **metadata).to_state_ref()


def test_update_changes_states_only():
    root = make()
    before, items, order = dict(vars(root)), root.items, repr(root)
    update_states(root, NestedDict({"v": ref(9.0), "items": {0: ref(8.0)}}))
    assert [root.v.value, root.items[0].value, root.w.value] == [9.0, 8.0, 1.0]
    assert vars(root) == before
    assert list(vars(root)) == list(before)
    assert root.items is items
    update_states(root, {"v": ref(2.0), "items": {0: ref(3.0)}})
    assert repr(root) == order


def test_update_takes_over_attributes():
    root = make()
    update_states(root, {"v": ref(0.0, tag="new", name="v", unit="mV")})
    assert (root.v.tag, root.v.name, root.v.unit) == ("new", "v", "mV")
    assert type(root.v) is HiddenState


def test_update_takes_paths_and_several_mappings():
    root = make()
    update_states(root, FlattedDict({("child", "h"): ref(6.0)}), {"v": ref(7.0)}, {"v": ref(8.0)})
    assert [root.child.h.value, root.v.value] == [6.0, 8.0]


def test_update_of_new_keys_makes_states():
    root = make()
    given_state = State(1)
    update_states(root, {"z": ref(3.0, ParamState), "child": {"y": given_state}})
    assert type(root.z) is ParamState
    assert root.z.value == 3.0
    assert root.child.y is given_state


def test_update_turns_a_reference_into_a_state():
    root = Plain()
    root.r = ref(1.0, ParamState)
    update_states(root, {"r": ref(2.0, ParamState)})
    assert type(root.r) is ParamState


def test_update_is_seen_by_gradients():
    root, x = make(), ref(jnp.ones(()))

    def loss():
        update_states(root, {"v": x.replace(root.w.value * 3)})
        return root.v.value

    assert grad(loss, root.w)() == 3.0
    assert root.v.value == 3.0


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"v": State(1)}, r"Unsupported update type State for the HiddenState `v` of Plain"),
        ({"v": 1.0}, r"Unsupported update type float.*TreefyState"),
        ({"z": 1.0}, r"expects a TreefyState or State at \('z',\), found float"),
        ({"items": {1: ref(0)}}, r"the list at \('items',\) has no State 1"),
        ({"items": {5: ref(0)}}, r"the list at \('items',\) has no State 5"),
        ({"nowhere": {"w": ref(0)}}, r"Plain at \(\) has no 'nowhere'"),
        ({"w": {"w": ref(0)}}, r"ParamState at \('w',\) has no State 'w'"),
        ({"child": ref(0)}, r"at \('child',\), where Plain has a Plain; delete"),
    ],
)
def test_update_refuses(mapping, message):
    root = make()
    before = {path: state.value for path, state in states(root).items()}
    with pytest.raises(ValueError, match=message):
        update_states(root, {"w": ref(7.0)} if "w" not in mapping else {}, mapping)
    assert {path: state.value for path, state in states(root).items()} == before


def test_update_needs_a_mapping():
    with pytest.raises(TypeError, match="NestedDict or FlattedDict, found list"):
        update_states(make(), [ref(1)])


@given(graphs())
def test_update_restores_what_was_saved(root):
    saved = treefy_states(root)
    before = {id(s): s.value for s in find_all(root, State).values()}
    for state in find_all(root, State).values():
        state.value = "overwritten"
    update_states(root, saved)
    assert {id(s): s.value for s in find_all(root, State).values()} == before


def test_pop_removes_and_returns_the_states():
    root = make()
    v, h = root.v, root.child.h
    popped = pop_states(root, HiddenState)
    assert isinstance(popped, NestedDict)
    assert popped.to_flat() == {("child", "h"): h, ("v",): v}
    assert not hasattr(root, "v")
    assert not hasattr(root.child, "h")
    assert list(states(root)) == [("child", "w"), ("items", 0)]


def test_pop_with_several_filters():
    root = make()
    hidden, tagged = pop_states(root, HiddenState, "t")
    assert [list(hidden.to_flat()), list(tagged.to_flat())] == [
        [("child", "h"), ("v",)],
        [("child", "w")],
    ]


def test_pop_removes_a_shared_state_from_every_holder():
    root = make()
    pop_states(root, ParamState)
    assert "w" not in vars(root)
    assert "w" not in vars(root.child)


def test_pop_from_a_dict_node():
    node = Dict(a=State(1), b=2)
    pop_states(node, State)
    assert list(node) == ["b"]


@pytest.mark.parametrize("filters", [(State,), (HiddenState, ...)])
def test_pop_out_of_a_container(filters):
    root = make()
    with pytest.raises(ValueError, match=r"Cannot pop the State at \('items', 0\).* a list"):
        pop_states(root, *filters)
    assert len(states(root)) == 4


def test_pop_needs_a_filter():
    with pytest.raises(ValueError, match="at least one filter"):
        pop_states(make())
