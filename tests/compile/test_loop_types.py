"""What a loop carries keeps its type; what changes is named, with its types before and after."""

import re

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import State, graph
from brainstate.compile import (
    bounded_while_loop,
    checkpointed_for_loop,
    checkpointed_scan,
    for_loop,
    scan,
    while_loop,
)
from brainstate.compile.loop_types import show_type

XS = jnp.arange(3.0)


def repeat(loop, body, init=0.0):
    """Run `body(carry)` three times by any of the loops."""
    return {
        "scan": lambda: scan(lambda c, x: (body(c), None), init, XS)[0],
        "checkpointed_scan": lambda: checkpointed_scan(lambda c, x: (body(c), None), init, XS)[0],
        "for_loop": lambda: for_loop(lambda x: (body(init), None)[1], XS),
        "checkpointed_for_loop": lambda: checkpointed_for_loop(lambda x: (body(init), None)[1], XS),
        "while_loop": lambda: while_loop(
            lambda c: c[0] < 3, lambda c: (c[0] + 1, body(c[1])), (0, init)
        )[1],
        "bounded_while_loop": lambda: bounded_while_loop(
            lambda c: c[0] < 3, lambda c: (c[0] + 1, body(c[1])), (0, init), max_steps=5
        )[1],
    }[loop]()


ALL = ["scan", "checkpointed_scan", "for_loop", "checkpointed_for_loop", "while_loop",
       "bounded_while_loop"]  # fmt: skip
CARRYING = ["scan", "checkpointed_scan", "while_loop", "bounded_while_loop"]

CHANGES = [
    (jnp.zeros(2), lambda v: jnp.zeros(3), r"float32\[2\]", r"float32\[3\]"),
    (jnp.zeros(2), lambda v: jnp.zeros(2, int), r"float32\[2\]", r"int32\[2\]"),
    (jnp.zeros(()), lambda v: {"a": v}, r"float32\[\]", r"'a': float32\[\]"),
    ({"a": jnp.zeros(2)}, lambda v: {"b": v["a"]}, r"'a': float32\[2\]", r"'b': float32\[2\]"),
    (jnp.ones(2) * u.mV, lambda v: v * (2.0 * u.mA), r"float32\[2\] in mV", r"float32\[2\] in "),
    (jnp.ones(2), lambda v: v * u.mV, r"float32\[2\]", r"float32\[2\] in mV"),
    (jnp.zeros(2), lambda v: None, r"float32\[2\]", r"None"),
]
NAMES = ["shape", "dtype", "tree", "keys", "unit", "new unit", "none"]


@pytest.mark.parametrize("loop", ALL)
@pytest.mark.parametrize(("start", "change", "before", "after"), CHANGES, ids=NAMES)
def test_a_state_that_changes_is_named(loop, start, change, before, after):
    node = graph.Dict(cell=graph.Dict(v=State(start)))
    kept = node.cell.v.value

    def body(c):
        node.cell.v.value = change(node.cell.v.value)
        return c

    with pytest.raises(TypeError) as caught:
        repeat(loop, body)
    text = str(caught.value)
    assert "State `cell.v` of Dict changes its type" in text
    assert re.search(rf"it is .*{before}.* before and .*{after}.* after one step", text), text
    assert "must stay the same" in text
    leaves, before_leaves = jax.tree.leaves(node.cell.v.value), jax.tree.leaves(kept)
    assert all(a is b for a, b in zip(leaves, before_leaves, strict=True))


@pytest.mark.parametrize("loop", CARRYING)
@pytest.mark.parametrize(("start", "change", "before", "after"), CHANGES, ids=NAMES)
def test_a_carry_that_changes_is_named(loop, start, change, before, after):
    with pytest.raises(TypeError, match=rf"carry of .*it is .*{before}.* before .*{after}"):
        repeat(loop, change, start)


@pytest.mark.parametrize("loop", ALL)
@pytest.mark.parametrize("start", [0, 0.0, jnp.asarray(0.0)], ids=["int", "float", "weak"])
def test_weak_states_are_promoted(loop, start):
    s = State(start)

    def body(c):
        s.value = s.value + jnp.float32(1.5)
        return c

    repeat(loop, body)
    assert s.value == 4.5
    assert s.value.dtype == "float32"


@pytest.mark.parametrize("loop", CARRYING)
def test_weak_carries_are_promoted(loop):
    carry = repeat(loop, lambda c: c + jnp.float32(1.5), 0)
    assert carry == 4.5
    assert carry.dtype == "float32"


@pytest.mark.parametrize("loop", CARRYING)
def test_a_weak_float_does_not_become_an_integer(loop):
    with pytest.raises(TypeError, match=r"carry of.*float32\[\].*int32\[\]"):
        repeat(loop, lambda c: jnp.int32(1), 0.5)


@pytest.mark.parametrize("loop", ALL)
def test_a_strong_type_is_not_promoted(loop):
    s = State(jnp.zeros((), int), name="n")

    def body(c):
        s.value = s.value + 0.5
        return c

    with pytest.raises(TypeError, match=r"'n' changes its type.*int32\[\].*float32\[\]"):
        repeat(loop, body)
    assert s.value == 0
    assert s.value.dtype == "int32"


@pytest.mark.parametrize("loop", ALL)
def test_units_of_one_kind_and_different_scale(loop):
    """A quantity may come back in another unit of its kind; its value is right."""
    s = State(jnp.ones(2) * u.mV)

    def body(c):
        s.value = (s.value * 2).in_unit(u.mV)
        return c

    repeat(loop, body)
    np.testing.assert_allclose(s.value.to_decimal(u.mV), [8, 8])


@pytest.mark.parametrize("loop", ["scan", "for_loop", "checkpointed_for_loop"])
def test_nodes_made_in_the_body_cannot_be_collected(loop):
    def body(c):
        return graph.Dict(s=State(1.0))

    with pytest.raises(TypeError, match=r"returns a node or State that it made itself"):
        {
            "scan": lambda: scan(lambda c, x: (c, body(c)), 0.0, XS),
            "for_loop": lambda: for_loop(body, XS),
            "checkpointed_for_loop": lambda: checkpointed_for_loop(body, XS),
        }[loop]()


@pytest.mark.parametrize("loop", [for_loop, checkpointed_for_loop])
def test_states_cannot_be_collected(loop):
    s = State(1.0, name="s")
    with pytest.raises(TypeError, match=r"State 's'.*value"):
        loop(lambda x: s, XS)


@pytest.mark.parametrize("loop", ["scan", "checkpointed_scan"])
@pytest.mark.parametrize("out", [1.0, None, (1.0,), (1.0, 2.0, 3.0), {"a": 1, "b": 2}])
def test_a_scan_body_returns_a_pair(loop, out):
    run = {"scan": scan, "checkpointed_scan": checkpointed_scan}[loop]
    with pytest.raises(TypeError, match=r"must return a pair \(carry, output\); it returned"):
        run(lambda c, x: out, 0.0, XS)


@pytest.mark.parametrize(("value", "text"), [
    (1.0, "float32[]"),
    (jnp.ones((2, 3), int), "int32[2,3]"),
    ({"a": 1, "b": (jnp.ones(2), None)}, "{'a': int32[], 'b': (float32[2], None)}"),
    (jnp.ones(2) * u.mV, "float32[2] in mV"),
    ([1.0 * u.mV], "(float32[] in mV)"),
    (None, "None"),
])  # fmt: skip
def test_types_in_words(value, text):
    assert show_type(value) == text
