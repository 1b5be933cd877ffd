import copy
import pickle

import jax.numpy as jnp
import pytest
from hypothesis import given

from brainstate import ParamState, State
from graph.random_graphs import Plain, assert_isomorphic, graphs


def pickled(node):
    return pickle.loads(pickle.dumps(node))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, pickled])
@given(root=graphs())
def test_copy_is_isomorphic(duplicate, root):
    assert_isomorphic(root, duplicate(root))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, pickled])
def test_copy_shares_nothing(duplicate):
    node = Plain()
    node.w = ParamState({"bias": jnp.ones(2)}, name="w", tag="t", axes=["x"])
    node.items = [node.w, {"a": node}]
    new = duplicate(node)
    assert new.items[0] is new.w is not node.w
    assert new.items[1]["a"] is new
    assert (type(new.w), new.w.name, new.w.tag, new.w.axes) == (ParamState, "w", "t", ["x"])
    assert new.w.value["bias"].tolist() == [1.0, 1.0]
    new.w.value["bias"] = 0
    new.w.axes.append("y")
    assert node.w.value["bias"].tolist() == [1.0, 1.0]
    assert node.w.axes == ["x"]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, pickled])
def test_state_whose_attribute_leads_back_to_it(duplicate):
    node = Plain()
    node.s = State(1.0)
    node.s.owner = node
    new = duplicate(node)
    assert new.s.owner is new


def test_shallow_copy_holds_the_same_parts():
    node = Plain()
    node.s = State(0)
    new = copy.copy(node)
    new.extra = 1
    assert new.s is node.s
    assert not hasattr(node, "extra")
