"""Cells: leaves ready for JAX, and containers that their readers may edit."""

import gc
import weakref

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainstate._engine.cell import UNSET, Cell, HandedOut, changes, handed_out

VALUES = {
    "array": jnp.ones(2),
    "number": 1.5,
    "NumPy array": np.ones(2),
    "None": None,
    "quantity": 2.0 * u.mV,
    "empty dict": {},
    "dict": {"a": jnp.ones(2), "b": jnp.zeros(3)},
    "nested": {"a": [1.0, (jnp.ones(2), {"q": 1.0 * u.mA})], "b": None},
    "tuple": (jnp.ones(2), 3),
    "one-element list": [jnp.ones(2)],
}


def cell_of(value):
    cell = Cell()
    cell.set(value)
    return cell


def absorb(cell):
    """The value of the cell as compiled code sees it, after edits in place were taken over."""
    handed_out.absorb_edits()
    return cell.leaves[0] if cell.tree is None else cell.tree.unflatten(cell.leaves)


def same(a, b):
    (a_leaves, a_tree), (b_leaves, b_tree) = jax.tree.flatten(a), jax.tree.flatten(b)
    return a_tree == b_tree and all(x is y for x, y in zip(a_leaves, b_leaves, strict=True))


def test_new_cell_has_no_value():
    assert Cell().get() is UNSET
    assert repr(UNSET) == "<unset>"


@pytest.mark.parametrize("name", VALUES)
def test_value_comes_back_as_it_went_in(name):
    value = VALUES[name]
    cell = cell_of(value)
    assert cell.get() is value
    assert same(absorb(cell), value)
    assert cell.leaves == jax.tree.leaves(value) or name != "number"


@pytest.mark.parametrize("name", VALUES)
def test_list_of_leaves_stays_the_same_list(name):
    cell = cell_of(jnp.zeros(3))
    leaves = cell.leaves
    cell.set(VALUES[name])
    assert cell.leaves is leaves


def test_leaves_put_by_compiled_code_are_read_in_the_old_structure():
    cell = cell_of({"a": 1.0, "b": [2.0]})
    before = cell.get()
    cell.put([3.0, 4.0])
    assert cell.get() == {"a": 3.0, "b": [4.0]}
    assert cell.get() is cell.get()
    assert before == {"a": 1.0, "b": [2.0]}  # the reader of then keeps what he read


def test_bare_value_has_no_structure():
    cell = cell_of(jnp.ones(2))
    assert cell.tree is None
    cell.put([7.0])
    assert cell.get() == 7.0


EDITS = {
    "array": lambda v: v.update(a=jnp.full(2, 9.0)),
    "equal array": lambda v: v.update(a=jnp.ones(2)),
    "number": lambda v: v.update(a=9.0),
    "NumPy array": lambda v: v.update(a=np.full(2, 9.0)),
    "quantity": lambda v: v.update(a=jnp.ones(2) * u.mV),
    "None": lambda v: v.update(a=None),
    "container": lambda v: v.update(a={"x": 1.0}),
    "new key": lambda v: v.update(z=1.0),
    "lost key": lambda v: v.pop("a"),
    "order of keys": lambda v: v.update(a=v.pop("a")),
    "empty array": lambda v: v.update(a=jnp.ones((2, 0))),
    "other shape": lambda v: v.update(a=jnp.ones((2, 1))),
    "swap": lambda v: v.update(a=v["b"], b=v["a"]),
}
BEFORE = {
    "flat": lambda: {"a": jnp.ones(2), "b": jnp.zeros(2)},
    "flat and small": lambda: {"a": jnp.ones(()), "b": jnp.zeros(1)},
    "numbers": lambda: {"a": 1.0, "b": 2},
    "with a quantity": lambda: {"a": jnp.ones(2) * u.mV, "b": jnp.zeros(2)},
    "nested": lambda: {"a": {"x": jnp.ones(2)}, "b": [jnp.zeros(2)]},
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("before", BEFORE)
def test_every_edit_of_a_held_dict_is_taken_over(before, edit):
    value = BEFORE[before]()
    cell = cell_of(value)
    for _ in range(2):  # the first look is more thorough than the next
        assert same(absorb(cell), value)
    now = changes.now
    EDITS[edit](value)
    assert same(absorb(cell), value)
    if edit != "order of keys":
        assert changes.now is not now
    now = changes.now
    assert same(absorb(cell), value)
    assert changes.now is now  # nothing is taken over twice


DEEP = {
    "list in a dict": (lambda: {"a": [1.0, 2.0]}, lambda v: v["a"].append(3.0)),
    "dict in a list": (lambda: [{"a": 1.0}], lambda v: v[0].update(a=2.0)),
    "dict in a tuple": (lambda: ({"a": jnp.ones(2)},), lambda v: v[0].update(a=jnp.zeros(2))),
    "list of lists": (lambda: [[jnp.ones(2)], []], lambda v: v[1].append(jnp.ones(2))),
    "list reversed": (lambda: [jnp.ones(2), jnp.zeros(2)], lambda v: v.reverse()),
    "list cleared": (lambda: [jnp.ones(2)], lambda v: v.clear()),
}


@pytest.mark.parametrize("name", DEEP)
def test_edits_deep_down_are_taken_over(name):
    make, edit = DEEP[name]
    value = make()
    cell = cell_of(value)
    assert same(absorb(cell), value)
    edit(value)
    assert same(absorb(cell), value)


@given(
    st.lists(st.sampled_from(["set", "put", "read", "edit", "drop", "absorb"]), max_size=12),
)
def test_a_cell_behaves_as_a_variable(steps):
    """Whatever the order of writes, reads and edits, `get` and compiled code see one value."""
    value = {"a": 0.0, "b": [0.0]}
    cell, held = cell_of(value), value
    del value
    expected = {"a": 0.0, "b": [0.0]}
    for number, step in enumerate(steps, start=1):
        if step == "set":
            held, expected = {"a": number, "b": [0.0]}, {"a": number, "b": [0.0]}
            cell.set(held)
        elif step == "put":
            absorb(cell)  # compiled code looks before it writes
            cell.put([number, number])
            held, expected = None, {"a": number, "b": [number]}
        elif step == "read":
            held = cell.get()
        elif step == "edit" and held is not None:
            held["a"] = expected["a"] = -number
        elif step == "drop":
            held = None
        assert absorb(cell) == expected
        if step == "absorb":
            assert cell.get() == expected


def test_clock_moves_with_each_assignment():
    cell = cell_of(1.0)
    now = changes.now
    cell.set(2.0)
    assert changes.now is not now


def test_clock_moves_when_a_cell_is_remembered_first():
    cell, now = cell_of(1.0), changes.now
    cell.remember()
    assert cell.remembered
    later = changes.now
    assert later is not now
    cell.remember()
    assert changes.now is later


def test_dead_cells_are_forgotten():
    watcher = HandedOut()
    cell = cell_of({"a": jnp.ones(2)})
    held = cell.get()
    watcher.add(cell)
    watcher.absorb_edits()
    assert watcher.dicts
    leaf = weakref.ref(held["a"])
    del cell, held
    gc.collect()
    assert leaf() is None
    watcher.absorb_edits()
    assert watcher.dicts == watcher.copies == []


def test_nobody_looks_at_containers_that_nobody_holds():
    watcher = HandedOut()
    cell = Cell()
    cell.set({"a": jnp.ones(2)})
    cell.put([jnp.zeros(2)])
    watcher.add(cell)
    watcher.absorb_edits()
    assert watcher.dicts == watcher.copies == []


@pytest.mark.parametrize("value", [None, ()], ids=str)
def test_what_everybody_holds_and_nobody_can_edit_is_not_watched(value):
    cell = cell_of(value)
    assert cell.get() is value
    assert not cell.watched
    cell.set([jnp.ones(2)])
    assert cell.watched
