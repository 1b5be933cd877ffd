import jax
import jax.numpy as jnp
import pytest

from brainstate import ParamState, State
from brainstate.graph import (
    NodeRef,
    current_update_context,
    merge_context,
    split_context,
    states,
    update_context,
)
from graph.random_graphs import Other, Plain


def make():
    node = Plain()
    node.w = ParamState(1.0)
    node.child = Other()
    node.child.w = node.w
    return node


def test_second_split_is_a_reference():
    node = make()
    with split_context() as ctx:
        _, first = ctx.treefy_split(node)
        again, nothing = ctx.treefy_split(node)
        child, none = ctx.treefy_split(node.child)
    assert list(first.to_flat()) == [("child", "w")]
    assert again == NodeRef(Plain, 0)
    assert isinstance(child, NodeRef)
    assert nothing == none == {}


def test_merge_keeps_what_is_shared():
    node = make()
    with split_context() as ctx:
        splits = [ctx.treefy_split(part) for part in (node.child, node, [node.w, node])]
    with merge_context() as ctx:
        child, again, (w, same) = (ctx.treefy_merge(*split) for split in splits)
    assert again.child is child
    assert again is same
    assert w is again.w is child.w is not node.w


def test_split_with_filters():
    with split_context() as ctx:
        graphdef, params, rest = ctx.treefy_split(make(), ParamState, ...)
    assert [list(params), list(rest)] == [["child"], []]
    with merge_context() as ctx:
        assert ctx.treefy_merge(graphdef, params, rest).w.value == 1.0


def update_through_jit(node, change):
    @jax.jit
    def run(graphdef, refs):
        copy = ctx.merge(graphdef, refs)
        change(copy)
        return ctx.split(copy)

    with update_context("tag") as ctx:
        for _ in range(2):
            result = ctx.merge(*run(*ctx.split(node)))
    return result


def test_update_reaches_the_original_from_inside_jit():
    node = make()
    before = dict(vars(node))

    def change(copy):
        copy.w.value *= 2.0

    assert update_through_jit(node, change) is node
    assert node.w.value == 4.0
    assert vars(node) == before
    assert list(vars(node)) == list(before)


def test_update_brings_new_attributes_states_nodes_and_cycles():
    node = make()
    w, child = node.w, node.child

    def change(copy):
        if not hasattr(copy, "new"):
            copy.size = 3
            copy.new = State(jnp.ones(2))
            copy.more = Plain()
            copy.more.me = copy
            copy.child.me = copy
        copy.new.value += 1

    assert update_through_jit(node, change) is node
    assert node.w is w
    assert node.child is child
    assert node.child.me is node.more.me is node
    assert node.size == 3
    assert node.new.value.tolist() == [3.0, 3.0]


def test_update_removes_what_was_deleted():
    node = make()
    with update_context("tag") as ctx:
        copy = ctx.merge(*ctx.split(node))
        del copy.child
        ctx.merge(*ctx.split(copy))
    assert list(vars(node)) == ["w"]


def test_update_can_swap_the_parts():
    a, b = Plain(), Plain()
    a.s, b.s = State(1), State(2)
    s, t = a.s, b.s
    with update_context("tag") as ctx:
        x, y = ctx.merge(*ctx.split([a, b]))
        x.s, y.s = y.s, x.s
        again = ctx.merge(*ctx.split([x, y]))
    assert again[0] is a
    assert again[1] is b
    assert a.s is t
    assert b.s is s


def test_update_with_filters():
    node = make()
    node.v = State(2.0)
    with update_context("tag") as ctx:
        copy = ctx.merge(*ctx.split(node, ParamState, ...))
        copy.w.value, copy.v.value = 5.0, 6.0
        ctx.merge(*ctx.split(copy, ParamState, ...))
    assert [node.w.value, node.v.value] == [5.0, 6.0]


def test_tagged_contexts_take_part_in_the_update():
    a, b = make(), make()
    b.child = a.child
    with update_context("tag"):
        with split_context("tag") as ctx:
            splits = [ctx.treefy_split(a), ctx.treefy_split(b)]
        with merge_context("tag") as ctx:
            x, y = (ctx.treefy_merge(*split) for split in splits)
        assert x.child is y.child
        y.w.value = 7.0
        y.child.s = State(1)
        with split_context("tag") as ctx:
            splits = [ctx.treefy_split(x), ctx.treefy_split(y)]
        with merge_context("tag") as ctx:
            assert ctx.treefy_merge(*splits[0]) is a
            assert ctx.treefy_merge(*splits[1]) is b
    assert [a.w.value, b.w.value] == [1.0, 7.0]
    assert a.child.s is b.child.s
    assert list(states([a, b])) == [(0, "child", "s"), (0, "child", "w"), (1, "w")]


def test_update_context_as_decorator():
    @update_context("outer")
    def run(node):
        ctx = current_update_context("outer")
        copy = ctx.merge(*ctx.split(node))
        copy.w.value = 3.0
        return ctx.merge(*ctx.split(copy))

    node = make()
    assert run(node) is run(node) is node
    assert node.w.value == 3.0


def test_innermost_context_is_current():
    with update_context("a") as first, update_context("b") as other:
        assert current_update_context("a") is first
        with update_context("a") as second:
            assert current_update_context("a") is second
            assert current_update_context("b") is other
        assert current_update_context("a") is first


def test_no_context_open():
    with update_context("other"):
        for use in (current_update_context, lambda tag: split_context(tag).__enter__()):
            with pytest.raises(ValueError, match=r"No update_context 'tag' is open.*\['other'\]"):
                use("tag")


def test_changed_copy_needs_its_original():
    with update_context("tag") as ctx:
        changed = ctx.split(ctx.merge(*ctx.split(make())))
    with update_context("tag") as fresh, pytest.raises(ValueError, match="Split it first"):
        fresh.merge(*changed)
