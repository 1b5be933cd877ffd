"""Copies of models: pickled, deep, cloned; and models as trees of States."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
import brainstate.transform as bt
from contract.models import Layer
from contract.transformations import KINDS, name_of

COPIES = {
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),
    "deepcopy": copy.deepcopy,
    "clone": brainstate.graph.clone,
    "split and merge": lambda model: brainstate.graph.treefy_merge(
        *brainstate.graph.treefy_split(model)
    ),
}


class Model(brainstate.graph.Node):
    """Shared States, a cycle, containers, a generator, and plain attributes."""

    def __init__(self):
        self.layers = [Layer(2.0), Layer(3.0)]
        self.by_name = {"first": self.layers[0]}
        self.tied = self.layers[1].weight
        self.me = self
        self.table = brainstate.State({"a": jnp.zeros(2), "b": [jnp.ones(())]}, tag="t", unit="mV")
        self.hidden = brainstate.HiddenState(jnp.float32(0.0), name="h")
        self.rng = brainstate.random.RandomState(0)

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        self.hidden.value = self.hidden.value + x
        self.table.value["a"] = self.table.value["a"] + x
        self.tied.value = self.tied.value * 2.0
        return x


def used_model():
    """A model that compiled and looped code has written to."""
    model = Model()
    bt.jit(model)(jnp.float32(1.0))
    bt.for_loop(model, jnp.ones(2))
    return model


def values(model):
    states = brainstate.graph.states(model)
    return {path: jax.tree.map(np.asarray, state.value) for path, state in states.items()}


@pytest.mark.parametrize("name", COPIES)
def test_copy_is_alike_and_apart(name):
    model = used_model()
    twin = COPIES[name](model)
    assert type(twin) is Model
    assert twin.me is twin
    assert twin.by_name["first"] is twin.layers[0]
    assert twin.tied is twin.layers[1].weight
    assert (twin.table.tag, twin.table.unit, twin.hidden.name) == ("t", "mV", "h")
    assert {type(state) for state in brainstate.graph.states(twin).values()} == {
        brainstate.State, brainstate.ParamState, brainstate.HiddenState,
        brainstate.random.RandomState,
    }  # fmt: skip
    jax.tree.map(np.testing.assert_array_equal, values(twin), values(model))
    before = values(model)
    bt.jit(twin)(jnp.float32(1.0))
    twin.table.value["a"] = jnp.full(2, 99.0)
    twin.layers[0].sizes.append(3)
    jax.tree.map(np.testing.assert_array_equal, values(model), before)
    assert model.layers[0].sizes == [1, 2]


@pytest.mark.parametrize("name", COPIES)
def test_copy_behaves_as_its_original(name):
    model = used_model()
    twin = COPIES[name](model)
    step = bt.jit(lambda model, x: model(x))
    for _ in range(2):
        assert float(step(model, 2.0)) == float(step(twin, 2.0))
    jax.tree.map(np.testing.assert_array_equal, values(twin), values(model))


@pytest.mark.parametrize("name", [name for name in COPIES if name != "pickle"])
@pytest.mark.parametrize("row", KINDS, ids=name_of)
def test_copy_taken_inside_a_body(row, name):
    model, found = Layer(2.0), brainstate.State(jnp.float32(0.0))

    def body(x):
        twin = COPIES[name](model)
        twin.weight.value = twin.weight.value * x
        found.value = twin.weight.value
        return x

    row(body)(jnp.float32(3.0))
    assert (float(found.value), float(model.weight.value)) == (6.0, 2.0)


def test_states_are_the_leaves_of_a_model():
    model = Model()
    states = brainstate.graph.states(model)
    leaves = jax.tree.leaves(states)
    assert all(isinstance(leaf, brainstate.State) for leaf in leaves)
    assert {*leaves} == {*states.values()}
    assert len(leaves) == 5
    assert jax.tree.leaves({"m": [model], "s": model.hidden}) == [model, model.hidden]
    assert jax.tree.map(lambda x: x, model) is model
    mapped = jax.tree.map(lambda state: state.value, states)
    assert jax.tree.structure(mapped[("table",)]) == jax.tree.structure(model.table.value)


def test_states_compare_and_hash_by_identity():
    one, two = brainstate.ParamState(jnp.ones(2)), brainstate.ParamState(jnp.ones(2))
    assert one != two
    assert len({one, two, one}) == 2
