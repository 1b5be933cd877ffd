"""Nodes and States on their way through JAX, and what is said and kept about objects."""

import copy
import gc
import pickle
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate._engine.attachments import Attachable, attachments
from brainstate._engine.hidden import (
    Static,
    fill,
    has_graph,
    hide,
    hide_foreign,
    is_graph,
    punch,
    show,
)
from brainstate._engine.names import adopt, caller, describe, path_of
from brainstate._engine.options import decorator
from brainstate.graph import Node


@pytest.fixture
def tree():
    node, state = Node(), brainstate.State(1.0)
    return {"a": [node, 1.0], "b": (state, None), "c": jnp.ones(2), "d": node}


def test_graphs_are_nodes_and_states():
    assert is_graph(Node())
    assert is_graph(brainstate.ParamState(1.0))
    assert not is_graph(Node)
    assert not is_graph(jnp.ones(2))
    assert has_graph({"a": [Node()]})
    assert not has_graph({"a": [1.0]})


def test_hidden_objects_have_no_leaves_and_come_back(tree):
    hidden = hide(tree)
    assert len(jax.tree.leaves(hidden)) == 2
    shown = show(jax.jit(lambda x: x)(hidden))
    assert shown["a"][0] is shown["d"] is tree["d"]
    assert shown["b"][0] is tree["b"][0]


def test_hidden_objects_are_compared_by_identity(tree):
    structure = jax.tree.structure
    assert structure(hide(tree)) == structure(hide(tree))
    assert hash(structure(hide(tree))) == hash(structure(hide(tree)))
    assert structure(hide(tree)) != structure(hide({**tree, "d": Node()}))


def test_weakly_hidden_objects_die():
    node = Node()
    hidden, reference = hide([node], strong=False), weakref.ref(node)
    assert show(hidden)[0] is node
    del node
    gc.collect()
    assert reference() is None
    assert jax.tree.structure(hidden) != jax.tree.structure(hide([Node()], strong=False))


def test_foreign_leaves_are_hidden_too():
    thing = object()
    hidden = hide_foreign({"a": "text", "b": thing, "c": 1.0, "d": np.ones(2)})
    assert len(jax.tree.leaves(hidden)) == 2
    assert show(hidden)["a"] == "text"
    assert show(hidden)["b"] is thing


def test_holes_are_numbered_and_filled(tree):
    punched, objects = punch(tree)
    assert [type(x) for x in objects] == [Node, brainstate.State, Node]
    other, _ = punch({**tree, "a": [Node(), 1.0]})
    assert jax.tree.structure(punched) == jax.tree.structure(other)
    replacements = [Node(), brainstate.State(2.0), Node()]
    filled = fill(punched, [lambda x=x: x for x in replacements])
    assert [filled["a"][0], filled["b"][0], filled["d"]] == replacements


def test_static_values_are_compared():
    structure = jax.tree.structure
    assert structure(Static((1, 2))) == structure(Static((1, 2)))
    assert structure(Static(1)) != structure(Static(2))


# ------------------------------------------------------------------ names


class Part(Node):
    def __init__(self):
        self.weights = {"in": [brainstate.ParamState(1.0)]}


def test_objects_are_named_by_their_path():
    root = Node()
    root.layers = [Part(), Part()]
    state = root.layers[1].weights["in"][0]
    assert path_of(state) == (root, ("layers", 1, "weights", "in", 0))
    assert describe(state) == "ParamState `layers.1.weights.in.0` of Node"
    assert describe(root.layers[0]) == "Part `layers.0` of Node"
    assert describe(root) == "Node"


def test_objects_without_owner_are_named_otherwise():
    assert describe(brainstate.State(1.0, name="x")) == "State 'x'"
    text = describe(brainstate.HiddenState(1.0))
    assert text.startswith("HiddenState created at test_hidden.py:")


def test_owner_is_not_kept_alive():
    part = Part()
    state, reference = part.weights["in"][0], weakref.ref(part)
    del part
    gc.collect()
    assert reference() is None
    assert path_of(state) == (state, ())


def test_rings_of_owners_have_a_path():
    a, b = Node(), Node()
    a.b, b.a = b, a
    assert path_of(a)[1] in (("b", "a"), ("a",), ("b",), ())
    assert describe(a)


def test_adoption_by_hand():
    owner, state = Node(), brainstate.State(1.0)
    adopt(owner, ("here", 0), {"deep": [state]}, (brainstate.State,))
    assert path_of(state) == (owner, ("here", 0, "deep", 0))


def test_caller_is_outside_the_package():
    assert caller().startswith("test_hidden.py:")


# ------------------------------------------------------------------ attachments


class Thing(Attachable):
    def __init__(self):
        self.x = 1


def test_attachments_live_with_their_object():
    thing = Thing()
    attachments(thing)["me"] = thing
    assert attachments(thing) == {"me": thing}
    assert vars(thing) == {"x": 1}
    reference = weakref.ref(thing)
    del thing
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize(
    "twin", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_attachments_are_not_copied(twin):
    thing = Thing()
    attachments(thing)["lock"] = lambda: 1  # cannot be pickled
    other = twin(thing)
    assert vars(other) == {"x": 1}
    assert attachments(other) == {}


# ------------------------------------------------------------------ options


@decorator
def scaled(fun, by=1):
    return lambda x: fun(x) * by


def test_transformations_take_options_with_and_without_a_function():
    assert scaled(lambda x: x)(2) == 2
    assert scaled(lambda x: x, by=3)(2) == 6
    assert scaled(by=3)(lambda x: x)(2) == 6
    assert scaled()(lambda x: x)(2) == 2
    assert scaled(fun=lambda x: x, by=3)(2) == 6

    @scaled(by=4)
    def f(x):
        return x

    assert f(2) == 8


def test_transformations_refuse_what_is_no_function():
    with pytest.raises(TypeError, match=r"scaled\(\) transforms a function; found 3"):
        scaled(3)
