"""Guards: facts that a program was built on, and when they hold."""

import collections
import dataclasses
import enum
import functools
import gc
import weakref

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import brainstate
from brainstate._engine.guards import (
    Fact,
    Guards,
    Identity,
    attribute_clock,
    freeze,
    settings,
    tick,
)
from brainstate.graph import Node


class Colour(enum.Enum):
    red = 1
    blue = 2


class Anything:
    pass


Point = collections.namedtuple("Point", "x y")


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Record:
    x: object


DIFFERENT = [
    0, 1, 1.0, True, False, 0.0, -0.0, float("nan"), 1j, "1", b"1", "", None,
    Colour.red, Colour.blue,
    [], (), {}, set(), frozenset(), [1], (1,), [1, 2], [2, 1], [1.0], [True], [[1]], [(1,)],
    {"a": 1}, {"a": 1.0}, {"b": 1}, {"a": 1, "b": 2}, {"a": [1]}, {1}, {2}, frozenset({1}),
    np.zeros(2), np.ones(2), np.zeros(2, np.float32), np.zeros((2, 1)), np.float32(0), np.int32(0),
    collections.OrderedDict(a=1), collections.defaultdict(int, a=1), Point(1, 2), Point(2, 1),
    collections.deque([1]), collections.deque([2]), bytearray(b"a"), bytearray(b"b"),
    1.0 * u.mV, 2.0 * u.mV, 1.0 * u.mA, 1.0 * u.volt, Record(1), Record(2),
    Anything(), Anything(), len, sum, int, np, jnp.ones(2), jnp.ones(2),
    functools.partial(sum), functools.partial(sum),
    [float("nan"), 1], [0.0], [-0.0], {"a": Anything()}, {"a": Anything()},
]  # fmt: skip


def same(a, b):
    """Whether two snapshots count as the same; comparing them never raises."""
    result = freeze(a) == freeze(b)
    assert result in (True, False)
    return bool(result)


def test_every_value_is_like_itself():
    assert [value for value in DIFFERENT if not same(value, value)] == []


def test_all_values_are_told_apart():
    alike = [
        (i, j) for i, a in enumerate(DIFFERENT) for j, b in enumerate(DIFFERENT[:i]) if same(a, b)
    ]
    assert [(DIFFERENT[i], DIFFERENT[j]) for i, j in alike] == []


MAKERS = [
    lambda: [1, [2.0, {"a": (None, "b")}]],
    lambda: {"a": {1, 2}, "b": np.arange(3)},
    lambda: (float("nan"), [float("nan")]),
    lambda: Point(1.0, [2.0]),
    lambda: Record([1.0, 2.0 * u.mV]),
    lambda: collections.OrderedDict(a=[1]),
    lambda: 3.0 * u.ms,
]


@pytest.mark.parametrize("make", MAKERS)
def test_equal_data_made_anew_is_the_same(make):
    assert same(make(), make())


def test_containers_that_contain_themselves():
    ring = [1]
    ring.append(ring)
    assert same(ring, ring)
    loop = {"a": 1}
    loop["loop"] = [loop]
    assert same(loop, loop)


TREES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.floats(), st.text("ab", max_size=2)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text("ab", max_size=2), inner, max_size=3),
        st.tuples(inner, inner),
    ),
    max_leaves=6,
)


@given(TREES, TREES)
def test_snapshots_are_the_same_exactly_if_the_printed_values_are(a, b):
    assert same(a, b) == (repr(a) == repr(b))


def test_identity_keeps_nothing_alive():
    thing = Anything()
    one, reference = Identity(thing), weakref.ref(thing)
    assert one == Identity(thing)
    assert one != Identity(Anything())
    del thing
    gc.collect()
    assert reference() is None
    assert one != Identity(Anything())


CONTAINERS = {
    "bare": lambda x: x,
    "list": lambda x: [x],
    "dict": lambda x: {"a": (x, 1)},
    "dataclass": lambda x: Record(x),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_snapshots_keep_no_object_alive(name):
    thing = Anything()
    snapshot, reference = freeze(CONTAINERS[name](thing)), weakref.ref(thing)
    del thing
    gc.collect()
    assert reference() is None
    assert snapshot is not None


# ------------------------------------------------------------------ facts and guards


def attribute(name):
    return lambda node: vars(node).get(name)


def guards_on(node, *names):
    guards = Guards()
    for name in names:
        guards.add(node, name, attribute(name))
    guards.settle()
    return guards


def make(**attributes):
    node = Node()
    for name, value in attributes.items():
        setattr(node, name, value)
    return node


def test_guards_hold_only_after_a_trace():
    guards = Guards()
    assert not guards.hold()
    guards.settle()
    assert guards.hold()


def test_guards_notice_an_assignment_and_its_undoing():
    node = make(a=1, b=2)
    guards = guards_on(node, "a")
    node.b = 3
    assert guards.hold()
    node.a = 2
    assert not guards.hold()
    assert "'a' of Node" in guards.broken()
    node.a = 1
    assert guards.hold()
    assert guards.broken() is None


IN_PLACE = {
    "list": ([1], lambda v: v.append(2), lambda v: v.pop()),
    "list of objects": ([Anything(), "x"], lambda v: v.append(None), lambda v: v.pop()),
    "dict": ({"a": 1}, lambda v: v.update(b=1), lambda v: v.pop("b")),
    "dict of objects": ({"a": Anything()}, lambda v: v.update(b=1), lambda v: v.pop("b")),
    "set": ({1}, lambda v: v.add(2), lambda v: v.remove(2)),
    "tuple": (([1],), lambda v: v[0].append(2), lambda v: v[0].pop()),
    "array": (np.zeros(2), lambda v: v.__setitem__(0, 1), lambda v: v.__setitem__(0, 0)),
    "deep": ({"a": [{"b": {1}}]}, lambda v: v["a"][0]["b"].add(2),
             lambda v: v["a"][0]["b"].remove(2)),
    "OrderedDict": (collections.OrderedDict(a=1), lambda v: v.update(b=1), lambda v: v.pop("b")),
    "deque": (collections.deque([1]), lambda v: v.append(2), lambda v: v.pop()),
    "bytearray": (bytearray(b"ab"), lambda v: v.append(3), lambda v: v.pop()),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_PLACE)
def test_guards_notice_edits_in_place_without_an_assignment(name):
    value, edit, undo = IN_PLACE[name]
    node = make(a=value)
    guards = guards_on(node, "a")
    snapshot = freeze(value)
    clock = attribute_clock.now
    for _ in range(2):
        assert guards.hold()
        edit(value)
        assert freeze(value) != snapshot
        assert not guards.hold()
        undo(value)
        assert guards.hold()
    assert attribute_clock.now == clock


def test_facts_about_a_dead_node_hold():
    node = make(a=1)
    fact = Fact(node, attribute("a"))
    guards = guards_on(node, "a")
    del node
    gc.collect()
    tick()
    assert fact.holds()
    assert guards.hold()


def test_first_look_counts():
    node = make(a=1)
    guards = Guards()
    guards.add(node, "a", attribute("a"))
    node.a = 2
    guards.add(node, "a", attribute("a"))  # the body went on and looked again
    guards.ready = True
    assert not guards.hold()


def test_settings_are_facts():
    guards = Guards()
    with brainstate.environ.context(k=1):
        guards.add_setting("k", settings.snapshot("k"))
        guards.settle()
        assert guards.hold()
        with brainstate.environ.context(other=1):
            assert guards.hold()
        with brainstate.environ.context(k=2):
            assert not guards.hold()
            assert guards.broken() == "environ setting 'k'"
        assert guards.hold()
    assert not guards.hold()


def test_merging_takes_over_facts_that_agree():
    node = make(a=1, b=2)
    one, two = guards_on(node, "a"), guards_on(node, "a", "b")
    assert not one.covers(two)
    assert one.merge(two)
    assert one.covers(two)
    node.b = 3
    assert not one.hold()


def test_merging_refuses_facts_that_contradict():
    node = make(a=1)
    one = guards_on(node, "a")
    node.a = 2
    two = guards_on(node, "a")
    assert not one.merge(two)
    assert not one.hold()
    node.a = 1
    assert one.hold()


class Lenient(dict):
    def __eq__(self, other):
        return True

    __hash__ = None


@pytest.mark.parametrize(
    ("container", "quick"),
    [
        ({"a": Node()}, True),
        (brainstate.util.FlattedDict({("layers", 0, "w"): brainstate.State(1.0)}), True),
        ([brainstate.State(1.0), Node()], True),
        ({"a": 1}, False),  # equals {"a": True}
        ({1: Node()}, False),
        (Lenient(a=Node()), False),
        ([1.0], False),
    ],
    ids=repr,
)
def test_containers_that_need_no_look_at_each_item(container, quick):
    guards, node = Guards(), Node()
    node.held = container
    guards.add(node, "held", lambda node: node.held)
    guards.settle()
    assert bool(guards.live) is quick
    assert bool(guards.containers) is not quick
    assert guards.hold()
    node.held.append(None) if isinstance(container, list) else node.held.update(b=None)
    assert not guards.hold()


def test_plain_attributes_need_no_look_at_each_call():
    node = make(a=None, b=1, c=(2, (None, "x")), d=1.0 * u.mV, e=jnp.ones(2), f=Node())
    guards = guards_on(node, *"abcdef")
    guards.add(node, "everything", vars)
    guards.settle()
    assert guards.hold()
    assert not guards.slow
    assert not guards.live
    node.a = 0
    assert not guards.hold()


@pytest.mark.parametrize("name", IN_PLACE)
def test_edits_are_noticed_where_all_attributes_are_looked_at(name):
    value, edit, undo = IN_PLACE[name]
    guards = Guards()
    node = make(a=value, b=None)
    guards.add(node, "everything", vars)
    guards.settle()
    assert guards.hold()
    edit(value)
    assert not guards.hold()
    undo(value)
    assert guards.hold()
    node.c = 1
    assert not guards.hold()


def test_an_equal_container_takes_the_place_of_another():
    node, other = make(a=["x"]), ["x"]
    guards = guards_on(node, "a")
    node.a = other
    assert guards.hold()
    other.append("y")
    assert not guards.hold()
    other.pop()
    assert guards.hold()
