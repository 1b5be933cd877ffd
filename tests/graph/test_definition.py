import dataclasses
import pickle

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given

from brainstate import ParamState, State
from brainstate.graph import NodeDef, NodeRef, clone, graphdef
from brainstate.util import NestedDict
from graph.random_graphs import Plain, graphs


def holding(**attributes):
    node = Plain()
    for name, value in attributes.items():
        setattr(node, name, value)
    return node


@pytest.mark.parametrize(
    "value",
    [
        jnp.ones(2),
        np.ones(2),
        np.float64(2.0),
        {1, 2},
        bytearray(b"x"),
        3.0 * u.mV,
        [np.ones(2)],
        jnp.ones(2) * u.mV,
        float("nan"),
    ],
    ids=str,
)
def test_definition_hashes_whatever_it_holds(value):
    node = holding(a=value, s=State(0))
    assert hash(graphdef(node)) == hash(graphdef(node))
    assert graphdef(node) == graphdef(node)


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (2, 2, True),
        (2, 3, False),
        (1, True, False),
        (1, 1.0, False),
        ("x", "x", True),
        (None, 0, False),
        ([1, 2], [1, 2], True),
        ([1, 2], (1, 2), False),
        ({"x": 1}, {"x": 1}, True),
        ({"x": 1}, {"y": 1}, False),
        (NestedDict(x=1), {"x": 1}, False),
        (3.0 * u.mV, 3.0 * u.mV, True),
        (3.0 * u.mV, 3.0 * u.volt, False),
        (np.ones(2), np.ones(2), False),
        (State(1), State(2), True),
        (State(1), ParamState(1), False),
        (State(1), 1, False),
        (holding(x=1), holding(x=1), True),
        (holding(x=1), holding(x=2), False),
        ([], None, False),
    ],
)
def test_equality_is_by_value_except_for_arrays(a, b, equal):
    one, other = graphdef(holding(v=a)), graphdef(holding(v=b))
    assert (one == other) is equal
    assert (hash(one) == hash(other)) >= equal


def test_sharing_is_part_of_the_definition():
    state = State(0)
    assert graphdef([state, state]) != graphdef([State(0), State(0)])


def test_definition_is_static_in_pytrees():
    found = graphdef(holding(s=State(0)))
    assert jax.tree.leaves(found) == []
    assert jax.tree.leaves(found.leaves["s"]) == []


def test_array_attribute_does_not_recompile():
    node = holding(a=np.ones(2))
    traces = []
    run = jax.jit(lambda definition: traces.append(definition))
    run(graphdef(node))
    run(graphdef(node))
    run(graphdef(clone(node)))
    assert len(traces) == 1


def test_fields():
    shared = State(0)
    node = holding(s=shared, again=shared, size=3, items=[shared], child=Plain())
    node.child.up = node
    found = graphdef(node)
    assert (found.type, found.index) == (Plain, 0)
    assert found.attributes == ("again", "child", "items", "s", "size")
    assert found.static_fields == {"size": 3}
    assert found.leaves == {"again": NodeRef(State, 1), "s": NodeRef(State, 1)}
    assert set(found.subgraphs) == {"child", "items"}
    assert found.subgraphs["child"].subgraphs == {"up": NodeRef(Plain, 0)}
    assert found.subgraphs["items"].index == -1
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.index = 1


def test_repr_names_types_and_numbers():
    assert repr(graphdef(holding(s=State(0), size=3))) == (
        "NodeDef(\n"
        "  type=Plain,\n"
        "  index=0,\n"
        "  attributes=('s', 'size'),\n"
        "  subgraphs={},\n"
        "  static_fields={\n"
        "    'size': 3\n"
        "  },\n"
        "  leaves={\n"
        "    's': NodeRef(\n"
        "      type=State,\n"
        "      index=1\n"
        "    )\n"
        "  }\n"
        ")"
    )


def test_comparison_with_other_things():
    assert graphdef(Plain()) != 3
    assert NodeRef(Plain, 0) != graphdef(Plain())


@given(graphs())
def test_clone_has_an_equal_definition_that_survives_pickling(root):
    found = graphdef(root)
    assert found == graphdef(clone(root))
    assert hash(found) == hash(graphdef(clone(root)))
    assert isinstance(found, NodeDef)


def test_pickled_definition_is_equal():
    found = graphdef(holding(s=State(0), items=[1, (2, {"x": None})], size=3))
    assert pickle.loads(pickle.dumps(found)) == found
