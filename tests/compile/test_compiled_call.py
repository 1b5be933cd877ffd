"""Loops and branches called again with the same functions trace and compile nothing again."""

import contextlib
import functools
import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import ParamState, State, environ, graph
from brainstate.compile import (
    bounded_while_loop,
    checkpointed_for_loop,
    checkpointed_scan,
    cond,
    for_loop,
    ifelse,
    scan,
    switch,
    while_loop,
)

XS = jnp.arange(3.0)


@contextlib.contextmanager
def compilations():
    """The names of JAX's tracing and compilation events in this block."""
    events = []

    def listen(name, seconds, **_):
        if "compile" in name:
            events.append(name)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield events
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


CALLS = {
    "for_loop": lambda f: for_loop(f, XS),
    "scan": lambda f: scan(lambda c, x: (c + f(x), None), 0.0, XS),
    "checkpointed_for_loop": lambda f: checkpointed_for_loop(f, XS, base=2),
    "checkpointed_scan": lambda f: checkpointed_scan(
        lambda c, x: (c + f(x), None), 0.0, XS, base=2
    ),
    "while_loop": lambda f: while_loop(lambda c: c < 3, lambda c: c + 1 + 0 * f(c), 0.0),
    "bounded_while_loop": lambda f: bounded_while_loop(
        lambda c: c < 3, lambda c: c + 1 + 0 * f(c), 0.0, max_steps=4
    ),
    "cond": lambda f: cond(True, f, lambda x: -x, 1.0),
    "switch": lambda f: switch(1, [lambda x: -x, f, lambda x: x * 0], 1.0),
    "ifelse": lambda f: ifelse([True, False], [f, lambda x: -x], 1.0, check_cond=False),
}


class Cell(graph.Node):
    def __init__(self):
        self.w = ParamState(jnp.asarray(2.0))
        self.total = State(jnp.zeros(()))
        self.runs = []
        self.scale = 1.0

    def update(self, x):
        self.runs.append(1)
        self.total.value = self.total.value + x
        return self.w.value * x * self.scale


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_same_function(call):
    w, runs = State(jnp.asarray(2.0)), []

    def f(x):
        runs.append(1)
        return w.value * x

    first = call(f)
    traced = len(runs)
    with compilations() as events:
        for _ in range(3):
            jax.tree.map(np.testing.assert_array_equal, call(f), first)
    assert len(runs) == traced
    assert events == []
    w.value = jnp.asarray(0.0)
    call(f)
    assert len(runs) == traced


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_bound_method(call):
    cell = Cell()
    call(cell.update)
    traced = len(cell.runs)
    with compilations() as events:
        for _ in range(3):
            call(cell.update)
    assert len(cell.runs) == traced
    assert events == []


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_fresh_lambda_that_closes_over_the_same(call):
    cell, k = Cell(), 3.0

    def run():
        return call(lambda x: cell.update(x) * k)

    run()
    traced = len(cell.runs)
    with compilations() as events:
        for _ in range(3):
            run()
    assert len(cell.runs) == traced
    assert events == []


def test_a_partial():
    runs = []

    def f(k, x):
        runs.append(1)
        return k * x

    for _ in range(3):
        np.testing.assert_array_equal(for_loop(functools.partial(f, 2.0), XS), 2 * XS)
    assert len(runs) == 1
    np.testing.assert_array_equal(for_loop(functools.partial(f, 5.0), XS), 5 * XS)
    assert len(runs) == 2


def test_a_callable_node():
    class Step(Cell):
        def __call__(self, x):
            return self.update(x)

    step = Step()
    for _ in range(3):
        np.testing.assert_array_equal(for_loop(step, XS), 2 * XS)
    assert len(step.runs) == 1
    assert step.total.value == 9


def test_a_lambda_that_closes_over_something_else():
    def run(k):
        return for_loop(lambda x: x * k, XS)

    for k in (1.0, 2.0, 1.0, 3.0):
        np.testing.assert_array_equal(run(k), XS * k)


def test_a_rebound_closure_variable():
    k = 1.0

    def f(x):
        return x * k

    np.testing.assert_array_equal(for_loop(f, XS), XS)
    k = 2.0
    np.testing.assert_array_equal(for_loop(f, XS), XS * 2)


def test_a_closed_over_list_that_changes():
    ks = [1.0]

    def f(x):
        return x * sum(ks)

    np.testing.assert_array_equal(for_loop(f, XS), XS)
    ks.append(2.0)
    np.testing.assert_array_equal(for_loop(f, XS), XS * 3)


FACTOR = 1.0


def test_globals_and_helpers(monkeypatch):
    k = 1.0

    def helper(x):
        return x * k * FACTOR

    def f(x):
        return helper(x)

    np.testing.assert_array_equal(for_loop(f, XS), XS)
    k = 2.0
    np.testing.assert_array_equal(for_loop(f, XS), XS * 2)
    monkeypatch.setitem(globals(), "FACTOR", 5.0)
    np.testing.assert_array_equal(for_loop(f, XS), XS * 10)


def test_attributes_of_plain_objects():
    class Plain:
        k = 1.0

        def update(self, x):
            return x * self.k

    plain, table = Plain(), {"a": {"k": 1.0}}
    for k in (1.0, 2.0, 1.0):
        plain.k = table["a"]["k"] = k
        np.testing.assert_array_equal(for_loop(plain.update, XS), XS * k)
        np.testing.assert_array_equal(for_loop(lambda x: x * plain.k, XS), XS * k)
        np.testing.assert_array_equal(for_loop(lambda x: x * table["a"]["k"], XS), XS * k)


def test_a_default_that_differs():
    for k in (1.0, 2.0):
        np.testing.assert_array_equal(for_loop(lambda x, k=k: x * k, XS), XS * k)


def test_closed_over_arrays():
    for k in (1.0, 2.0):
        weights = jnp.full(2, k)
        np.testing.assert_array_equal(for_loop(lambda x: (x * weights).sum(), XS), XS * 2 * k)  # noqa: B023
    table = np.ones(2)
    f = lambda x: x * table.sum()  # noqa: E731
    np.testing.assert_array_equal(for_loop(f, XS), XS * 2)
    table[0] = 5.0
    np.testing.assert_array_equal(for_loop(f, XS), XS * 6)


def test_attributes_and_settings_are_followed():
    cell = Cell()

    def f(x):
        return cell.update(x) * environ.get("dt", 1.0)

    np.testing.assert_array_equal(for_loop(f, XS), XS * 2)
    cell.scale = 10.0
    np.testing.assert_array_equal(for_loop(f, XS), XS * 20)
    with environ.context(dt=0.5):
        np.testing.assert_array_equal(for_loop(f, XS), XS * 10)
    cell.w = ParamState(jnp.asarray(3.0))
    np.testing.assert_array_equal(for_loop(f, XS), XS * 30)


def test_other_arguments_are_traced_anew():
    runs = []

    def f(x):
        runs.append(1)
        return x * 2

    for xs in (XS, jnp.ones(5), jnp.arange(3), jnp.ones((3, 2)), XS):
        np.testing.assert_array_equal(for_loop(f, xs), xs * 2)
    assert len(runs) == 4
    for options in ({"reverse": True}, {"unroll": 2}, {}):
        np.testing.assert_array_equal(for_loop(f, XS, **options), XS * 2)


def test_the_length_is_told_apart():
    def f():
        return 1.0

    for n in (2, 3, 2):
        assert for_loop(f, length=n).shape == (n,)


def test_weak_and_strong_operands_keep_their_types():
    def f(x):
        return x + 1

    for x in (1, 1.0, jnp.asarray(1.0), np.int8(1)):
        out = cond(True, f, f, x)
        assert out.dtype == jax.jit(f)(x).dtype
        assert out.weak_type == jax.jit(f)(x).weak_type


def test_keeps_no_model_alive():
    def make():
        cell = Cell()
        for_loop(cell.update, XS)
        for_loop(lambda x: cell.update(x), XS)
        cond(True, lambda x: cell.update(x), cell.update, 1.0)
        return weakref.ref(cell)

    alive = [make() for _ in range(3)]
    gc.collect()
    assert [ref() for ref in alive] == [None] * 3


def test_a_function_that_fails_is_not_kept():
    fail = [True]

    def f(x):
        if fail[0]:
            raise KeyError("inside")
        return x

    with pytest.raises(KeyError, match="inside"):
        for_loop(f, XS)
    fail[0] = False
    np.testing.assert_array_equal(for_loop(f, XS), XS)


def test_recursion():
    def depth(n):
        return lambda x: for_loop(depth(n - 1), jnp.stack([x, x])).sum() if n else x

    np.testing.assert_array_equal(for_loop(depth(2), XS), XS * 4)
    np.testing.assert_array_equal(for_loop(depth(1), XS), XS * 2)
