import jax
import pytest

from brainstate import State
from brainstate.graph import Node, call, treefy_merge, treefy_split


class Counter(Node):
    def __init__(self):
        self.count = State(0)

    def __call__(self, n):
        self.count.value += n
        return self.count.value

    def inc(self, n=1):
        self.count.value += n


def test_call_leaves_the_original_alone():
    counter = Counter()
    result, (graphdef, refs) = call(treefy_split(counter))(3)
    assert result == 3
    assert treefy_merge(graphdef, refs).count.value == 3
    assert counter.count.value == 0


def test_names_and_indices_choose_the_method():
    split = treefy_split({"a": [Counter()], "b": Counter()})
    _, split = call(split)["b"].inc(2)
    _, split = call(split)["a"][0].inc(n=5)
    _, split = call(split)["b"].inc()
    merged = treefy_merge(*split)
    assert [merged["a"][0].count.value, merged["b"].count.value] == [5, 3]


def test_apply_of_a_definition():
    graphdef, refs = treefy_split(Counter())
    result, (again, _) = graphdef.apply(refs)(4)
    assert result == 4
    assert again == graphdef


def test_apply_of_several_mappings():
    graphdef, refs, rest = treefy_split(Counter(), State, ...)
    assert graphdef.apply(refs, rest)(4)[0] == 4


def test_call_inside_plain_jit():
    graphdef, refs = treefy_split(Counter())
    step = jax.jit(lambda refs, n: call((graphdef, refs))(n))
    result, split = step(refs, 2)
    result, split = step(split[1], 2)
    assert result == 4


def test_unknown_method():
    with pytest.raises(AttributeError, match="'Counter' object has no attribute 'dec'"):
        call(treefy_split(Counter())).dec(1)
