"""Why a jitted function was traced again: in words, bounded, and warned of."""

import warnings

import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import HiddenState, State, environ, graph
from brainstate._errors import RetraceError
from brainstate.compile import for_loop, jit, retracing


class LIF(graph.Node):
    def __init__(self, size=5):
        self.V = HiddenState(jnp.zeros((size, 3)) * u.mV)


class Net(graph.Node):
    def __init__(self):
        self.lif, self.training, self.table = LIF(), True, [1, 2]


net = Net()


@pytest.fixture
def model():
    global net
    net = Net()
    return net


def step(x, k=0, **more):
    environ.get("dt", None)
    net.lif.V.value = net.lif.V.value + jnp.sum(x) * u.mV
    return x if net.training and net.table else 2 * x


def last(jitted):
    return jitted.why_retraced().splitlines()[-1].partition(": ")[2]


def replace_state(model):
    model.lif.V = HiddenState(jnp.zeros((5, 3)) * u.mV)


def grow(model):
    model.lif.V = HiddenState(jnp.zeros((8, 3)) * u.mV)


def rescale(model):
    model.lif.V.value = jnp.zeros((5, 3)) * u.volt


CHANGES = {
    "state shape": (
        lambda net: setattr(net.lif.V, "value", jnp.zeros((8, 3)) * u.mV),
        "`net.lif.V` went from (5, 3) to (8, 3)",
    ),
    "state dtype": (
        lambda net: setattr(net.lif.V, "value", jnp.zeros((5, 3), jnp.float16) * u.mV),
        "`net.lif.V` went from float32 to float16",
    ),
    "state replaced": (replace_state, "`net.lif.V` is another HiddenState"),
    "state replaced and larger": (grow, "`net.lif.V` went from (5, 3) to (8, 3)"),
    "attribute": (
        lambda net: setattr(net, "training", False),
        "attribute `net.training` True to False",
    ),
    "list": (lambda net: net.table.append(3.5), "attribute `net.table` [1, 2] to [1, 2, 3.5]"),
    "node": (lambda net: setattr(net, "lif", LIF()), "attribute `net.lif` is another LIF"),
}


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("inside", [False, True], ids=["outside", "in jit"])
def test_what_changed_on_the_model(model, change, expected, inside):
    jitted = jit(step)
    outer = jit(lambda x: jitted(x)) if inside else jitted
    outer(1.0)
    change(model)
    outer(1.0)
    assert last(jitted).removesuffix(" than before") == expected


def test_unit_of_a_state():
    state = State(jnp.ones(2) * u.mV)
    jitted = jit(lambda: state.value)
    jitted()
    state.value = jnp.ones(2) * u.ms
    jitted()
    assert last(jitted) == "`state` went from mV to ms"


ARGUMENTS = {
    "shape": (((jnp.ones(3),), {}), ((jnp.ones((2, 3)),), {}), "`x` went from (3,) to (2, 3)"),
    "dtype": (((jnp.ones(3),), {}), ((jnp.ones(3, int),), {}), "`x` went from float32 to int32"),
    "unit": (((jnp.ones(3),), {}), ((jnp.ones(3) * u.mV,), {}), "`x` went from no unit to mV"),
    "static": (((1.0, 2), {}), ((1.0, 3), {}), "`k` 2 to 3"),
    "part": (
        ((1.0,), {"a": {"b": jnp.ones(1)}}),
        ((1.0,), {"a": {"b": jnp.ones(2)}}),
        "`a['b']` went from (1,) to (2,)",
    ),
    "new": (((1.0,), {}), ((1.0,), {"a": 1.0}), "`a` is new"),
    "node": (((1.0,), {"a": LIF()}), ((1.0,), {"a": LIF()}), "`a` is another LIF than before"),
}


@pytest.mark.parametrize(("first", "second", "expected"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_what_changed_among_the_arguments(first, second, expected):
    jitted = jit(lambda x, k=0, **more: None, static_argnums=1)
    for args, kwargs in (first, second):
        jitted(*args, **kwargs)
    assert last(jitted).endswith(f"argument {expected}")


def test_setting_and_several_at_once(model):
    jitted = jit(step)
    with environ.context(dt=0.1 * u.ms):
        jitted(1.0)
    with environ.context(dt=0.5 * u.ms):
        jitted(1.0)
        assert last(jitted) == "`environ.dt` 0.1 ms to 0.5 ms"
        model.training = False
        jitted(jnp.ones(2))
    reasons = last(jitted).split("; ")
    assert reasons[0].startswith("argument `x` went from a Python number, float32 () to float32")
    assert reasons[1:] == ["attribute `net.training` True to False"]


def test_names_of_closures_bound_methods_and_lists():
    class Own(graph.Node):
        def __init__(self):
            self.w = State(jnp.ones(2))

        def call(self):
            return self.w.value

    own, cells = Own(), [Own()]
    for fun, node, name in [
        (own.call, own, "self.w"),
        (lambda: own.w.value, own, "own.w"),
        (lambda: cells[0].w.value, cells[0], "cells.0.w"),
        (lambda: [helper() for helper in [own.call]], own, "own.w"),
    ]:
        node.w.value = jnp.ones(2)
        jitted = jit(fun)
        jitted()
        node.w.value = jnp.ones(3)
        jitted()
        assert last(jitted) == f"`{name}` went from (2,) to (3,)"


def test_the_last_few_are_kept_and_a_cleared_cache_forgets():
    jitted = jit(lambda x: x)
    assert jitted.why_retraced() == "<lambda> was not traced yet."
    for n in range(20):
        jitted(jnp.ones(n))
        jitted(jnp.ones(n))  # finds its program
    lines = jitted.why_retraced().splitlines()
    assert lines[0] == "<lambda> was traced 20 times."
    assert len(lines) == 1 + retracing._KEPT
    assert lines[-1].strip() == "trace 20: argument `x` went from (18,) to (19,)"
    assert repr(jitted.why_retraced()) == jitted.why_retraced()
    jitted.clear_cache()
    assert jitted.why_retraced() == "<lambda> was not traced yet."


def test_max_traces_raises_with_the_reason_and_changes_nothing(model):
    model.runs = 0

    @jit(max_traces=2)
    def count(x):
        model.runs += 1
        net.lif.V.value = net.lif.V.value + 1 * u.mV
        return x

    count(jnp.ones(1))
    count(jnp.ones(2))
    before, runs = net.lif.V.value, model.runs
    for _ in range(2):
        with pytest.raises(RetraceError, match=r"max_traces=2 .* `x` went from \(2,\) to \(3,\)"):
            count(jnp.ones(3))
    assert net.lif.V.value is before
    assert model.runs == runs
    count(jnp.ones(1))
    assert jit(lambda x: x, max_traces=1)(1.0) == 1.0


@pytest.mark.parametrize("bad", [0, -1, 1.5, True])
def test_max_traces_is_a_positive_number(bad):
    with pytest.raises(ValueError, match=rf"max_traces of jit .* found {bad}"):
        jit(lambda: 0, max_traces=bad)


def test_max_traces_holds_inside_other_transformations():
    inner = jit(lambda x: x * 1.0, max_traces=1)
    outer = jit(lambda x: inner(x))
    outer(jnp.ones(1))
    with pytest.raises(RetraceError, match=r"`x` went from \(1,\) to \(2,\)"):
        outer(jnp.ones(2))
    assert outer.why_retraced() == "<lambda> was traced once."


# ---------------------------------------------------------------- the warning


@pytest.fixture
def many(monkeypatch):
    monkeypatch.setattr(retracing, "_MANY", 3)
    return 3


def caught_in(calls):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for call in calls:
            call()
    return [str(w.message) for w in caught], [w.filename for w in caught]


def test_warns_once_and_names_what_should_be_a_state(many, model):
    @jit
    def simulate(x):
        return x * model.rate

    def call(k):
        model.rate = float(k)
        np.testing.assert_allclose(simulate(2.0), 2.0 * k)

    texts, files = caught_in([lambda k=k: call(k) for k in range(many)])
    assert texts == []
    texts, files = caught_in([lambda k=k: call(k) for k in range(many, 3 * many)])
    assert len(texts) == 1
    assert texts[0].startswith("simulate was traced 4 times, 3 times since attribute `model.rate`")
    assert "2.0 to 3.0" in texts[0]
    assert texts[0].endswith("make `model.rate` a State. [BST-J03]")
    assert files == [__file__]


def settings(k):
    with environ.context(gain=float(k)):
        step_of_gain(1.0)


step_of_gain = jit(lambda x: x * environ.get("gain"))
of_static = jit(lambda x, n: x * n, static_argnames="n")


def test_remedies(many, model):
    jitted = jit(step)

    def renew(k):
        replace_state(model)
        jitted(1.0)

    def loop(k):
        model.rate = float(k)
        for_loop(lambda x: x * model.rate, jnp.ones(2))

    for call, remedy in [
        (settings, "environ.context(gain=jnp.asarray(...))"),
        (lambda k: of_static(1.0, n=k), "Leave it out of static_argnums"),
        (renew, "assign its `.value`"),
        (loop, "Net.rate` a State"),
    ]:
        texts, _ = caught_in([lambda k=k: call(k) for k in range(2 * many)])  # noqa: B023
        assert len(texts) == 1
        assert remedy in texts[0]


def test_new_shapes_and_models_are_no_reason_to_warn(many):
    jitted = jit(lambda x, node: node.V.value)
    assert caught_in([lambda n=n: jitted(jnp.ones(n), LIF(n)) for n in range(3 * many)])[0] == []


def test_debugging_is_no_trace(model):
    jitted = jit(step, max_traces=1)
    jitted(1.0)
    with brainstate.check_state_value_tree():
        jitted(1.0)
    assert "once" in jitted.why_retraced()
