import pytest
from hypothesis import given

from brainstate import ParamState, State, TreefyState
from brainstate.graph import NodeRef, RefMap, flatten, states, unflatten
from brainstate.util import FlattedDict, NestedDict
from graph.random_graphs import Other, Plain, assert_isomorphic, graphs


def tied():
    root = Plain()
    root.s = ParamState(1.0, tag="t")
    root.b = Other()
    root.b.s = root.s
    root.b.up = root
    return root


def test_flatten_gives_each_state_once_at_its_first_path():
    graphdef, refs = flatten(tied())
    assert isinstance(refs, NestedDict)
    assert list(refs.to_flat()) == [("b", "s")]
    assert isinstance(refs["b"]["s"], TreefyState)
    assert graphdef.index == 0


def test_flatten_can_give_the_states_themselves():
    root = tied()
    assert flatten(root, treefy_state=False)[1].to_flat() == states(root)


def test_container_root():
    graphdef, refs = flatten({"a": State(1), "b": [State(2), 3]})
    again = unflatten(graphdef, refs)
    assert again["a"].value == 1
    assert [again["b"][0].value, again["b"][1]] == [2, 3]


@pytest.mark.parametrize("root", [State(1), State(1).to_state_ref()])
def test_state_alone_cannot_be_flattened(root):
    with pytest.raises(TypeError, match=r"alone is no graph.*\[state\]"):
        flatten(root)


def test_root_that_is_no_graph():
    with pytest.raises(TypeError, match="found int: 3"):
        flatten(3)


def test_numbers_continue():
    numbers, root = RefMap(), tied()
    first, _ = flatten(root, numbers)
    again, nothing = flatten(root, numbers)
    more, refs = flatten([root.b, State(2)], numbers)
    assert again == NodeRef(Plain, first.index)
    assert nothing == {}
    assert more.subgraphs[0] == NodeRef(Other, numbers[root.b])
    assert list(refs) == [1]
    made = {}
    merged = unflatten(first, flatten(root)[1], index_ref=made)
    assert unflatten(again, {}, index_ref=made) is merged
    assert unflatten(more, refs, index_ref=made)[0] is merged.b


def test_unflatten_does_not_run_init():
    class Loud(Plain):
        def __init__(self, size):
            raise AssertionError("ran")

    node = Loud.__new__(Loud)
    node.s = State(1)
    assert unflatten(*flatten(node)).s.value == 1


class Counted(Plain):
    def __setstate__(self, fields):
        super().__setstate__(fields)
        self.seen = [s.value for child in self.children for s in vars(child).values()]


def test_unflatten_fills_children_before_parents():
    node = Counted()
    node.children = [Plain(), Plain()]
    node.children[0].s, node.children[1].s = State(1), State(2)
    assert unflatten(*flatten(node)).seen == [1, 2]


def test_unflatten_uses_given_states_as_they_are():
    root = tied()
    graphdef, found = flatten(root, treefy_state=False)
    again = unflatten(graphdef, found)
    assert again is not root
    assert again.s is root.s is again.b.s


def test_unflatten_takes_paths():
    graphdef, refs = flatten(tied())
    assert unflatten(graphdef, refs.to_flat()).s.value == 1.0


def test_attribute_that_is_a_reference_becomes_a_state():
    node = Plain()
    node.ref = ParamState(1.0, tag="t").to_state_ref()
    again = unflatten(*flatten(node))
    assert type(again.ref) is ParamState
    assert (again.ref.value, again.ref.tag) == (1.0, "t")


def test_unknown_key():
    graphdef, refs = flatten(tied())
    refs["zz"] = State(1).to_state_ref()
    with pytest.raises(ValueError, match=r"Unknown keys in the state mapping: \[\('zz',\)\]"):
        unflatten(graphdef, refs)


def test_state_for_a_static_field():
    node = Plain()
    node.size = 3
    with pytest.raises(ValueError, match=r"Unknown keys.*'size'"):
        unflatten(flatten(node)[0], {"size": State(1).to_state_ref()})


def test_missing_state():
    with pytest.raises(ValueError, match=r"Expected key \('b', 's'\) in state while .* Other"):
        unflatten(flatten(tied())[0], NestedDict())


def test_leaf_that_is_no_state():
    with pytest.raises(TypeError, match=r"Expected a TreefyState or State at \('b', 's'\).*int"):
        unflatten(flatten(tied())[0], {"b": {"s": 1}})


def test_mapping_that_is_none():
    with pytest.raises(TypeError, match="NestedDict or FlattedDict, found list"):
        unflatten(flatten(tied())[0], [1])


def test_definition_that_is_none():
    with pytest.raises(TypeError, match="Expected a GraphDef"):
        unflatten(tied(), {})


def test_reference_without_its_definition():
    with pytest.raises(ValueError, match="number 7, that is not part"):
        unflatten(NodeRef(Plain, 7), {})


def cached(root):
    numbers = RefMap()
    graphdef, refs = flatten(root, numbers)
    return graphdef, refs, {number: part for part, number in numbers.items()}


def test_cache_brings_existing_objects_up_to_date():
    root = tied()
    graphdef, refs, cache = cached(root)
    state, child, order = root.s, root.b, list(vars(root))
    root.s.value = 9.0
    root.extra, root.items = 1, [root.s]
    del root.b.up
    again = unflatten(graphdef, refs, index_ref_cache=cache)
    assert again is root
    assert root.s is state is root.b.s
    assert state.value == 1.0
    assert root.b is child
    assert child.up is root
    assert list(vars(root)) == order


def test_cache_leaves_equal_attributes_alone():
    root = tied()
    root.items, root.table, root.size = [root.s, 2], {"b": 1, "a": (root.b,)}, 10**9
    graphdef, refs, cache = cached(root)
    before = dict(vars(root))
    unflatten(graphdef, refs, index_ref_cache=cache)
    assert list(vars(root)) == list(before)
    assert all(vars(root)[name] is before[name] for name in before)


def test_cache_replaces_a_container_that_differs():
    root = tied()
    root.items = [root.s, 2]
    graphdef, refs, cache = cached(root)
    root.items.append(3)
    unflatten(graphdef, refs, index_ref_cache=cache)
    assert root.items == [root.s, 2]


def test_cache_of_another_class():
    graphdef, refs, cache = cached(tied())
    with pytest.raises(ValueError, match=r"Cannot bring a Other up to date.* Plain"):
        unflatten(graphdef, refs, index_ref_cache={**cache, 0: Other()})


def test_wrong_mapping_changes_nothing():
    root = tied()
    graphdef, refs, cache = cached(root)
    refs["b"]["s"] = refs["b"]["s"].replace(5.0)
    refs["zz"] = State(1).to_state_ref()
    with pytest.raises(ValueError, match="zz"):
        unflatten(graphdef, refs, index_ref_cache=cache)
    assert root.s.value == 1.0


@given(graphs())
def test_round_trip(root):
    assert_isomorphic(root, unflatten(*flatten(root)))
    assert_isomorphic(root, unflatten(flatten(root)[0], FlattedDict(flatten(root)[1].to_flat())))


@given(graphs())
def test_round_trip_through_the_cache_keeps_everything(root):
    graphdef, refs, cache = cached(root)
    assert unflatten(graphdef, refs, index_ref_cache=cache) is root
    assert cached(root)[0] == graphdef
    assert {id(part) for part in cached(root)[2].values()} == {id(part) for part in cache.values()}
