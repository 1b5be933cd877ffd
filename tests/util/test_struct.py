import dataclasses
import pickle
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax.tree_util import GetAttrKey

from brainstate.util import PyTreeNode, dataclass, field


@dataclass
class Point:
    x: Any
    y: Any = 2.0
    unit: str = field(pytree_node=False, default="m", metadata={"doc": "length"})


class Neuron(PyTreeNode):
    v: Any
    size: int = field(pytree_node=False, default=1)


class SpikingNeuron(Neuron):
    spike: Any = 0.0


class Wide(PyTreeNode, kw_only=True, eq=False):
    a: int
    b: Any = None


@dataclass
class WithDerived:
    x: Any
    twice: Any = field(init=False, default=None)

    def __post_init__(self):
        object.__setattr__(self, "twice", (self.x, self.x))


def test_children_and_static_fields():
    leaves, structure = jax.tree.flatten(Point(1.0, unit="km"))
    assert leaves == [1.0, 2.0]
    assert jax.tree.unflatten(structure, [5, 6]) == Point(5, 6, "km")
    assert structure != jax.tree.structure(Point(1.0, unit="m"))
    assert [path for path, _ in jax.tree.leaves_with_path(Point(1.0))] == [
        (GetAttrKey("x"),),
        (GetAttrKey("y"),),
    ]


def test_static_field_is_concrete_in_jit():
    @jax.jit
    def run(point):
        return dataclasses.replace(point, x=point.x * (1000 if point.unit == "km" else 1))

    assert run(Point(2.0, 0.0, "km")).x == 2000
    assert run(Point(2.0, 0.0, "m")).x == 2


def test_frozen_and_replace():
    point = Point(1.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 2.0
    assert point.replace(x=3.0, unit="cm") == Point(3.0, 2.0, "cm")
    assert point == Point(1.0)


def test_keywords_reach_dataclasses():
    @dataclass
    class Default:
        x: int

    class Plain:
        x: int

    mutable = dataclass(Plain, frozen=False)(1)
    mutable.x = 2
    assert jax.tree.leaves(mutable) == [2]
    assert Default(1) == Default(1)
    assert Wide(a=1) != Wide(a=1)
    with pytest.raises(TypeError):
        Wide(1)


def test_metadata_is_kept_beside_the_flag():
    metadata = {f.name: dict(f.metadata) for f in dataclasses.fields(Point)}
    assert metadata["unit"] == {"doc": "length", "pytree_node": False}


def test_applying_it_twice_changes_nothing():
    assert dataclass(Point) is Point
    assert dataclass(Neuron) is Neuron
    assert jax.tree.leaves(Neuron(1.0)) == [1.0]


def test_it_is_no_decorator_factory():
    with pytest.raises(TypeError):
        dataclass(frozen=False)


def test_node_subclasses():
    neuron = SpikingNeuron(1.0, size=3, spike=0.5)
    assert jax.tree.leaves(neuron) == [1.0, 0.5]
    mapped = jax.tree.map(lambda x: x + 1, neuron)
    assert type(mapped) is SpikingNeuron
    assert mapped == SpikingNeuron(2.0, 3, 1.5)
    assert neuron.replace(v=0.0) == SpikingNeuron(0.0, 3, 0.5)
    assert pickle.loads(pickle.dumps(neuron)) == neuron
    gradient = jax.grad(lambda n: n.v**2 * n.spike)(SpikingNeuron(3.0, 2, 2.0))
    assert (gradient.v, gradient.spike, gradient.size) == (12.0, 9.0, 2)


def test_own_replace_is_kept():
    @dataclass
    class Own:
        x: int

        def replace(self, **overrides):
            return "own"

    assert Own(1).replace(x=2) == "own"


def test_derived_fields_are_computed_anew():
    mapped = jax.tree.map(lambda x: x + 1, WithDerived(jnp.float32(1.0)))
    assert mapped.twice == (2.0, 2.0)


def test_base_cannot_be_instantiated():
    with pytest.raises(TypeError, match="PyTreeNode"):
        PyTreeNode()


def test_slots_are_refused():
    with pytest.raises(TypeError, match="slots"):

        class Slotted(PyTreeNode, slots=True):
            x: int
