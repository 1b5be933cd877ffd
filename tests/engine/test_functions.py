"""Storage of functions: the same for the same function, another for another."""

import functools
import gc
import operator
import types
import weakref

import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate._engine.functions import common_storage, forgive_changes, storage_of
from brainstate.graph import Node

factor = 1.0
table = {"k": 1.0}


class Config:
    k = 1.0

    def method(self, x):
        return x * self.k

    def __call__(self, x):
        return x * self.k


class Model(Node):
    def __init__(self):
        self.k = 1.0

    def __call__(self, x):
        return x * self.k

    def method(self, x):
        return x * self.k


def closing_over(value):
    return lambda x: (x, value)


def two_levels(value):
    def inner(x):
        return x, value

    return lambda x: inner(x)


def with_default(value):
    def body(x, k=value, *, j=value):
        return x, k, j

    return body


def holding(value):
    config = Config()
    config.k = value
    return lambda x: x * config.k


MAKERS = {
    "closure": closing_over,
    "closure of a closure": two_levels,
    "default": with_default,
    "partial": lambda value: functools.partial(closing_over(0), value),
    "partial by name": lambda value: functools.partial(with_default(0), k=value),
    "in a list": lambda value: closing_over([value]),
    "in a dict": lambda value: closing_over({"a": (value,)}),
    "function in a list": lambda value: closing_over([closing_over(value)]),
}


@pytest.mark.parametrize("name", MAKERS)
def test_function_made_anew_with_the_same_contents_is_the_same(name):
    for value in (1.0, "text", (1, 2), None, np.ones(2), Config, len, Model()):
        assert storage_of(MAKERS[name](value)) is storage_of(MAKERS[name](value))


@pytest.mark.parametrize("name", MAKERS)
def test_function_made_anew_with_other_contents_is_another(name):
    for a, b in [(1.0, 2.0), (1, 1.0), ("a", "b"), (Model(), Model()), (0.0, -0.0),
                 (jnp.ones(2), jnp.ones(2)), (np.ones(2), np.zeros(2)), (len, sum)]:  # fmt: skip
        assert storage_of(MAKERS[name](a)) is not storage_of(MAKERS[name](b))
        assert storage_of(MAKERS[name](a)) is storage_of(MAKERS[name](a))


def test_functions_of_the_same_text_are_different():
    one = lambda x: x  # noqa: E731
    two = lambda x: x  # noqa: E731
    assert storage_of(one) is storage_of(one)
    assert storage_of(one) is not storage_of(two)


def changed(value, change):
    """Whether a change of what `value` holds makes a closure over it another function."""
    function = closing_over(value)
    before = storage_of(function)
    assert storage_of(function) is before
    change()
    return storage_of(function) is not before


def test_changes_of_what_is_closed_over():
    items, mapping, members, array, config = [1], {"a": [1]}, {1}, np.ones(2), Config()
    space = types.SimpleNamespace(a=1)
    assert changed(items, lambda: items.append(2))
    assert changed(mapping, lambda: mapping["a"].append(2))
    assert changed(members, lambda: members.add(2))
    assert changed(array, lambda: array.__setitem__(0, 5.0))
    assert changed(config, lambda: setattr(config, "k", 2.0))
    assert changed([config], lambda: setattr(config, "k", 3.0))
    assert changed(config.method, lambda: setattr(config, "k", 4.0))
    assert changed(space, lambda: setattr(space, "a", 2))


def test_changes_that_guards_or_inputs_look_after():
    """Attributes of nodes and values of States are no part of the function."""
    model, state = Model(), brainstate.State(1.0)
    assert not changed(model, lambda: setattr(model, "k", 2.0))
    assert not changed(state, lambda: setattr(state, "value", 2.0))
    assert not changed(model.method, lambda: setattr(model, "k", 3.0))


def uses_globals(x):
    return x * factor + helper(x)


def helper(x):
    return x * table["k"]


def test_changes_of_globals(monkeypatch):
    before = storage_of(uses_globals)
    monkeypatch.setitem(globals(), "factor", 2.0)
    second = storage_of(uses_globals)
    assert second is not before
    monkeypatch.setitem(globals(), "factor", 1.0)
    assert storage_of(uses_globals) is before
    monkeypatch.setitem(table, "k", 2.0)  # of a function that it calls
    assert storage_of(uses_globals) not in (before, second)
    monkeypatch.setitem(table, "k", 1.0)
    monkeypatch.setitem(globals(), "unrelated", 1.0)
    assert storage_of(uses_globals) is before


def test_cells_that_are_not_assigned_yet():
    def outer():
        def body(x):
            return later, x

        before = storage_of(body)
        assert storage_of(body) is before
        later = 1.0
        return before is not storage_of(body)

    assert outer()


def test_bound_methods():
    one, two, model = Config(), Config(), Model()
    assert storage_of(one.method) is storage_of(one.method)
    assert storage_of(one.method) is not storage_of(two.method)
    assert storage_of(model.method) is storage_of(model.method)
    assert storage_of(model.method) is not storage_of(Model().method)
    assert storage_of(model.method) is not storage_of(model)


def test_callable_objects():
    one, two = Config(), Config()
    before = storage_of(one)
    assert storage_of(one) is before
    assert storage_of(one) is not storage_of(two)
    one.k = 5.0
    assert storage_of(one) is not before


@pytest.mark.parametrize("fun", [len, jnp.sum, operator.add, int, Config])
def test_functions_from_elsewhere(fun):
    """Nothing is seen inside these, and they are what they are."""
    assert storage_of(fun) is storage_of(fun)


def test_recursive_functions():
    def even(n):
        return n == 0 or odd(n - 1)

    def odd(n):
        return n != 0 and even(n - 1)

    assert storage_of(even) is storage_of(even)
    ring = [1]
    ring.append(ring)
    assert storage_of(closing_over(ring)) is storage_of(closing_over(ring))


def test_storage_of_several_functions():
    model = Model()
    a, b = closing_over(model), closing_over(2)
    assert common_storage([a, b]) is common_storage([a, b])
    assert common_storage([a, b]) is not common_storage([b, a])
    assert common_storage([a, b]) is not common_storage([a, closing_over(3)])
    assert common_storage([a]) is storage_of(a)
    assert common_storage([a, a]) is not storage_of(a)


def test_storages_are_told_apart_by_identity():
    one, two = storage_of(closing_over(1)), storage_of(closing_over(2))
    assert one is not two
    assert dict(one) == dict(two) == {}
    assert len({one, two}) == 2


def test_many_closures_do_not_pile_up():
    kept = [storage_of(closing_over(i)) for i in range(100)]
    references = [weakref.ref(storage) for storage in kept]
    del kept
    gc.collect()
    assert sum(reference() is not None for reference in references) <= 16


def test_what_was_made_for_a_model_goes_with_it():
    class Made:
        def __init__(self, model):
            self.model = model

    def use(make):
        model = Model()
        function = make(model)
        storage_of(function)["made"] = made = Made(model)
        return weakref.ref(model), weakref.ref(made)

    makers = [
        closing_over, two_levels, with_default, lambda m: m, lambda m: m.method,
        lambda m: functools.partial(closing_over(1), m), lambda m: closing_over([m]),
    ]  # fmt: skip
    for make in makers:
        references = use(make)
        gc.collect()
        assert [reference() for reference in references] == [None, None]


def test_changes_made_by_the_function_itself_are_forgiven():
    runs = [0]

    def body(x):
        runs[0] += 1
        return x * factor

    before = storage_of(body)
    forgive = forgive_changes(body)
    body(1.0)
    forgive()
    assert storage_of(body) is before
    runs[0] = 7
    assert storage_of(body) is before


def test_other_changes_are_not_forgiven(monkeypatch):
    runs = [0]

    def body(x):
        runs[0] += 1
        return x * factor

    before = storage_of(body)
    forgive = forgive_changes(body)
    body(1.0)
    forgive()
    monkeypatch.setitem(globals(), "factor", 3.0)
    assert storage_of(body) is not before
