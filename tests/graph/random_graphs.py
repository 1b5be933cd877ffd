"""Random graphs of nodes and States: shared, cyclic, in containers; and how to compare them."""

from collections import namedtuple

from hypothesis import strategies as st

from brainstate import ParamState, ShortTermState, State
from brainstate.graph import Node
from brainstate.util import NestedDict

Pair = namedtuple("Pair", ["left", "right"])


class Plain(Node):
    pass


class Other(Node):
    pass


@st.composite
def graphs(draw):
    """A root node; what it reaches is shared and cyclic by chance."""
    nodes = [draw(st.sampled_from([Plain, Other]))() for _ in range(draw(st.integers(1, 5)))]
    kinds = st.sampled_from([State, ParamState, ShortTermState])
    values = st.one_of(
        st.integers(-9, 9), st.dictionaries(st.sampled_from("uvw"), st.integers(0, 9), max_size=2)
    )
    states = [draw(kinds)(draw(values)) for _ in range(draw(st.integers(0, 4)))]
    leaves = st.one_of(
        st.sampled_from([*nodes, *states]),
        st.one_of(st.none(), st.integers(-3, 3), st.sampled_from(["text", 1.5, len])),
    )
    keys = st.one_of(st.sampled_from("abc"), st.integers(0, 11))
    items = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.lists(inner, max_size=3).map(tuple),
            st.dictionaries(keys, inner, max_size=3),
            st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(NestedDict),
            st.builds(Pair, inner, inner),
        ),
        max_leaves=6,
    )
    for node in nodes:
        for name in draw(st.lists(st.sampled_from("zyxw_k"), unique=True, max_size=4)):
            setattr(node, name, draw(items))
    return nodes[0]


def parts(container):
    """The named children of a node or container, None for anything else."""
    if isinstance(container, Node):
        return vars(container)
    if isinstance(container, dict):
        return dict(container)
    if isinstance(container, Pair):
        return container._asdict()
    if isinstance(container, (list, tuple)):
        return dict(enumerate(container))
    return None


def find_all(root, kind):
    """Every object of a kind that is reachable, by a search that knows nothing of order."""
    found, seen, todo = {}, {}, [root]
    while todo:
        item = todo.pop()
        if isinstance(item, (Node, State)):
            if id(item) in seen:
                continue
            seen[id(item)] = item
        if isinstance(item, kind):
            found[id(item)] = item
        todo += (parts(item) or {}).values()
    return found


def at(root, path):
    """What stands at the end of a path."""
    for key in path:
        root = parts(root)[key]
    return root


def assert_isomorphic(a, b, disjoint=True):
    """Same structure, sharing, cycles and values; with `disjoint`, no common mutable part."""
    there, back, todo = {}, {}, [(a, b)]
    while todo:
        x, y = todo.pop()
        assert type(x) is type(y)
        if isinstance(x, (Node, State)):
            assert (id(x) in there) == (id(y) in back)
            if id(x) in there:
                assert there[id(x)] is y
                assert back[id(y)] is x
                continue
            there[id(x)], back[id(y)] = y, x
            assert x is not y or not disjoint
        if isinstance(x, State):
            assert x.value == y.value
            assert x.tag == y.tag
            assert x.name == y.name
            assert not (disjoint and isinstance(x.value, dict) and x.value is y.value)
        elif (mine := parts(x)) is not None:
            yours = parts(y)
            assert list(mine) == list(yours)
            assert not (disjoint and isinstance(x, (list, dict)) and x is y)
            todo += [(mine[key], yours[key]) for key in mine]
        else:
            assert x == y
