"""`cond`, `switch` and `ifelse`, compared with Python branches and JAX."""

import re

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import ParamState, State, graph
from brainstate.augment import grad, vmap
from brainstate.compile import cond, for_loop, ifelse, jit, switch


@pytest.fixture(params=["compiled", "disable_jit"])
def mode(request):
    if request.param == "compiled":
        yield
    else:
        with jax.disable_jit():
            yield


both_modes = pytest.mark.usefixtures("mode")


@pytest.fixture
def ab():
    return State(jnp.asarray(1.0), name="a"), State(jnp.asarray(10.0), name="b")


# ---------------------------------------------------------------- cond

TRUE = [True, np.True_, 1, 2.5, -1, jnp.asarray(True), jnp.uint8(3), np.float32(0.1)]
FALSE = [False, np.False_, 0, 0.0, jnp.asarray(False), jnp.asarray(0), np.int32(0)]


@both_modes
@pytest.mark.parametrize("pred", TRUE + FALSE, ids=repr)
def test_predicates(pred):
    assert cond(pred, lambda: 1, lambda: 2) == (1 if bool(pred) else 2)


@both_modes
@pytest.mark.parametrize("pred", [None, [True], "yes", jnp.ones(2), 1j, (1,), {"a": True}])
def test_what_is_no_predicate(pred):
    with pytest.raises(TypeError, match=r"condition.*scalar"):
        cond(pred, lambda: 1, lambda: 2)


@both_modes
def test_operands_and_trees():
    def yes(x, d):
        return {"out": x + d["k"], "none": None}

    def no(x, d):
        return {"out": x * d["k"], "none": None}

    args = (jnp.arange(2.0), {"k": 10.0})
    np.testing.assert_array_equal(cond(True, yes, no, *args)["out"], [10, 11])
    np.testing.assert_array_equal(cond(False, yes, no, *args)["out"], [0, 10])
    assert cond(True, lambda: None, lambda: None) is None


@both_modes
@pytest.mark.parametrize("pred", [True, False])
def test_only_the_branch_taken_writes(ab, pred):
    a, b = ab

    def yes(x):
        a.value = a.value + x

    def no(x):
        b.value = b.value + a.value * x

    cond(pred, yes, no, 5.0)
    assert (float(a.value), float(b.value)) == ((6.0, 10.0) if pred else (1.0, 15.0))


@both_modes
def test_both_write_one_state(ab):
    a, b = ab
    f = jit(lambda p: cond(p, lambda: a.__setattr__("value", b.value * 2),
                           lambda: a.__setattr__("value", a.value + 1)))  # fmt: skip
    f(True)
    assert a.value == 20
    f(False)
    assert a.value == 21


@both_modes
def test_units():
    s = State(1.0 * u.mV)

    def yes():
        s.value = s.value * 3
        return s.value * 2

    out = cond(True, yes, lambda: 0.0 * u.mV)
    assert out.to_decimal(u.mV) == 6
    assert s.value.to_decimal(u.mV) == 3


@both_modes
def test_edit_in_place():
    s = State({"x": jnp.zeros(())})

    def yes():
        s.value["x"] = s.value["x"] + 1

    cond(True, yes, lambda: None)
    cond(False, yes, lambda: None)
    assert s.value["x"] == 1


def test_each_branch_is_traced_once():
    runs = []
    cond(True, lambda: runs.append("yes"), lambda: runs.append("no"))
    assert sorted(runs) == ["no", "yes"]


def test_one_branch_runs_without_jit():
    runs = []
    with jax.disable_jit():
        cond(True, lambda: runs.append("yes"), lambda: runs.append("no"))
    assert runs == ["yes"]


def test_results_are_arrays():
    out = cond(True, lambda: 1, lambda: 2)
    assert isinstance(out, jax.Array)


def test_lanes_select(ab):
    a, _ = ab
    xs = jnp.array([1.0, -1.0, 2.0])
    found = vmap(lambda x: cond(x > 0, lambda x: x * a.value, lambda x: -x * 10, x))(xs)
    np.testing.assert_array_equal(found, [1, 10, 2])
    np.testing.assert_array_equal(
        jax.vmap(lambda x: cond(x > 0, lambda: x, lambda: -x))(xs), jnp.abs(xs)
    )


def test_lanes_write_their_own():
    def run(x):
        s = State(jnp.zeros(()))
        cond(x > 0, lambda: s.__setattr__("value", x * 2), lambda: None)
        return s.value

    np.testing.assert_array_equal(vmap(run)(jnp.array([1.0, -1.0])), [2, 0])


@both_modes
def test_gradient(ab):
    w = ParamState(3.0)

    def loss(x):
        return cond(x > 0, lambda x: w.value**2 * x, lambda x: w.value * x, x)

    assert [float(g) for g in grad(loss, w, argnums=0)(2.0)] == [12.0, 9.0]
    assert [float(g) for g in grad(loss, w, argnums=0)(-2.0)] == [-2.0, 3.0]


@pytest.mark.parametrize(("no", "found"), [
    (lambda: 1.0, r"int32\[\].*float32\[\]"),
    (lambda: (1, 2), r"int32\[\].*\(int32\[\], int32\[\]\)"),
    (lambda: jnp.ones(2, int), r"int32\[\].*int32\[2\]"),
    (lambda: None, r"int32\[\].*None"),
    (lambda: 1 * u.mV, r"int32\[\].*mV"),
])  # fmt: skip
def test_branches_must_agree(no, found):
    def yes():
        return 1

    with pytest.raises(TypeError) as caught:
        cond(True, yes, no)
    text = str(caught.value)
    assert "Branches must return the same types" in text
    assert "yes" in text
    first, second = found.split(".*", 1)
    assert re.search(first, text)
    assert re.search(second, text)


@pytest.mark.parametrize(("change", "before", "after"), [
    (lambda v: jnp.ones(3), "float32[2]", "float32[3]"),
    (lambda v: v.astype(int), "float32[2]", "int32[2]"),
    (lambda v: {"k": v}, "float32[2]", "{'k': float32[2]}"),
    (lambda v: v * u.mV, "float32[2]", "float32[2] in mV"),
])  # fmt: skip
def test_a_state_that_changes_its_type_is_named(change, before, after):
    node = graph.Dict(v=State(jnp.ones(2)))
    kept = node.v.value

    def grow():
        node.v.value = change(node.v.value)

    for branches in ((grow, lambda: None), (lambda: None, grow)):
        with pytest.raises(TypeError) as caught:
            cond(True, *branches)
        text = str(caught.value)
        for part in ("State `v` of Dict", "branch grow", f"is {before} before", f"{after} after"):
            assert part in text
        assert node.v.value is kept


def test_branches_that_agree_on_another_type_are_refused_too():
    s = State(jnp.ones(2), name="s")

    def grow():
        s.value = jnp.ones(3)

    with pytest.raises(TypeError, match="'s' changes its type in branch grow"):
        cond(True, grow, grow)


@both_modes
@pytest.mark.parametrize("start", [0, 0.0], ids=repr)
def test_weak_states(start):
    s = State(start)

    def yes():
        s.value = s.value + 1

    cond(True, yes, lambda: None)
    cond(False, yes, lambda: None)
    assert s.value == 1


@both_modes
@pytest.mark.parametrize("bad", [(3, lambda: 1), (lambda: 1, None)])
def test_branches_must_be_callable(bad):
    with pytest.raises(TypeError, match="cond needs functions as branches; found"):
        cond(True, *bad)


def test_nodes_made_in_a_branch():
    def make():
        return graph.Dict(s=State(1.0))

    with pytest.raises(TypeError, match="returns a node or State that it made itself"):
        cond(True, make, make)


def test_different_states_are_named(ab):
    a, b = ab
    with pytest.raises(TypeError, match=r"Branches must return the same.*'a'.*'b'"):
        cond(True, lambda: a, lambda: b)


def test_nodes_from_outside_may_be_returned():
    node = graph.Dict(s=State(1.0))
    assert cond(True, lambda: node, lambda: node) is node


@both_modes
def test_nodes_as_operands():
    node = graph.Dict(s=State(jnp.asarray(1.0)))

    def add(n, x):
        n["n"].s.value = n["n"].s.value + x
        return n["n"].s.value

    def same(n, x):
        return n["n"].s.value

    assert cond(True, add, same, {"n": node}, 2.0) == 3
    assert cond(False, add, same, {"n": node}, 2.0) == 3
    assert switch(1, [same, add], {"n": node}, 2.0) == 5
    assert ifelse([True, False], [add, same], {"n": node}, 2.0) == 7
    assert node.s.value == 7
    assert cond(True, lambda n: n, lambda n: n, node) is node


def test_an_error_in_a_branch_changes_nothing(ab):
    a, _ = ab
    kept = a.value

    def bad():
        a.value = a.value + 1
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        cond(False, bad, lambda: None)
    assert a.value is kept


# ---------------------------------------------------------------- switch


@both_modes
@pytest.mark.parametrize(("index", "expected"), [
    (0, 0), (1, 1), (2, 2), (-5, 0), (9, 2), (jnp.asarray(1), 1), (np.int64(2), 2),
    (jnp.uint8(200), 2), (np.int8(-3), 0),
])  # fmt: skip
def test_index_is_clamped(index, expected):
    branches = [lambda x, k=k: x * 10 + k for k in range(3)]
    assert switch(index, branches, 5) == 50 + expected


@both_modes
@pytest.mark.parametrize("index", [1.0, True, jnp.ones(2, int), "1", None, [1], jnp.asarray(False)])
def test_what_is_no_index(index):
    with pytest.raises(TypeError, match=r"switch needs a scalar"):
        switch(index, [lambda: 1, lambda: 2])


@both_modes
def test_switch_with_states(ab):
    a, b = ab

    def swap():
        a.value, b.value = b.value, a.value

    def double():
        a.value = a.value * 2

    for index, expected in ((0, (2.0, 10.0)), (1, (10.0, 2.0)), (2, (10.0, 2.0))):
        switch(index, (double, swap, lambda: None))
        assert (float(a.value), float(b.value)) == expected


@both_modes
def test_one_branch_is_called():
    calls = []
    assert switch(7, [lambda x: calls.append(x) or "any object"], 5) == "any object"
    assert calls == [5]


@both_modes
def test_no_branches():
    with pytest.raises(ValueError, match="switch needs at least one branch"):
        switch(0, [])


@both_modes
@pytest.mark.parametrize("branches", [[3], [lambda: 1, None]])
def test_switch_branches_must_be_callable(branches):
    with pytest.raises(TypeError, match="switch needs functions as branches; found"):
        switch(0, branches)


def test_switch_branches_must_agree():
    with pytest.raises(TypeError, match=r"Branches must return the same types.*int32.*float32"):
        switch(0, [lambda: 1, lambda: 2, lambda: 3.0])


def test_switch_in_lanes_gradients_and_loops():
    w = ParamState(2.0)
    branches = [lambda x: x * w.value, lambda x: x**2, lambda x: x * 0]
    xs, ks = jnp.array([1.0, 2.0, 3.0, 4.0]), jnp.arange(4)
    np.testing.assert_array_equal(vmap(lambda k, x: switch(k, branches, x))(ks, xs), [2, 4, 0, 0])
    np.testing.assert_array_equal(
        for_loop(lambda k, x: switch(k, branches, x), ks, xs), [2, 4, 0, 0]
    )
    assert grad(lambda x: switch(0, branches, x), w)(5.0) == 5
    assert grad(lambda k, x: switch(k, branches, x), argnums=1)(1, 5.0) == 10


# ---------------------------------------------------------------- ifelse

NAMES = [lambda: 1, lambda: 2, lambda: 3]


@both_modes
@pytest.mark.parametrize("chosen", [0, 1, 2])
def test_the_branch_of_the_true_condition(chosen):
    conditions = [k == chosen for k in range(3)]
    assert ifelse(conditions, NAMES) == chosen + 1
    assert ifelse(jnp.array(conditions), NAMES) == chosen + 1
    assert ifelse(tuple(map(int, conditions)), NAMES, check_cond=False) == chosen + 1


@both_modes
@pytest.mark.parametrize(("conditions", "expected"), [
    ([True, True, False], 1), ([False, True, True], 2), ([False, False, False], 3),
    ([True, True, True], 1),
])  # fmt: skip
def test_unchecked_takes_the_first_or_the_last(conditions, expected):
    assert ifelse(conditions, NAMES, check_cond=False) == expected


@pytest.mark.parametrize("wrap", [lambda f: f, jit], ids=["eager", "jit"])
@pytest.mark.parametrize(("conditions", "count"), [([1, 1, 0], 2), ([0, 0, 0], 0)])
def test_checked_needs_exactly_one(conditions, count, wrap):
    @wrap
    def choose(c):
        return ifelse([c[0] > 0, c[1] > 0, c[2] > 0], NAMES)

    def run():
        jax.block_until_ready(choose(jnp.array(conditions)))
        jax.effects_barrier()

    with pytest.raises(
        jax.errors.JaxRuntimeError, match=rf"exactly one condition must hold; {count} do"
    ):
        run()


@both_modes
def test_ifelse_operands_and_states(ab):
    a, b = ab

    def first(x):
        a.value = a.value + x
        return x

    def second(x):
        b.value = b.value + x
        return -x

    assert ifelse([a.value > 5, a.value <= 5], [first, second], 2.0) == -2
    assert (float(a.value), float(b.value)) == (1.0, 12.0)


@both_modes
def test_one_branch_whatever_the_condition():
    assert ifelse([False], [lambda x: x], 5) == 5


@both_modes
@pytest.mark.parametrize("count", [1, 3])
def test_as_many_conditions_as_branches(count):
    with pytest.raises(ValueError, match=rf"ifelse got {count} conditions for 2 branches.*one"):
        ifelse([True] * count, NAMES[:2])


@both_modes
def test_bad_ifelse():
    with pytest.raises(TypeError, match="ifelse needs a list of branches; found"):
        ifelse(True, lambda: 1)
    with pytest.raises(ValueError, match="ifelse needs at least one branch"):
        ifelse([], [])
    with pytest.raises(TypeError, match="ifelse needs functions as branches; found 3"):
        ifelse([True, False], [lambda: 1, 3])
    with pytest.raises(TypeError, match="condition must be a scalar"):
        ifelse([jnp.ones(2), True], NAMES[:2])


def test_ifelse_in_lanes_and_gradients():
    def f(x):
        return ifelse(
            [x < 0, (x >= 0) & (x < 2), x >= 2], [lambda: -x, lambda: x * 2, lambda: x**2]
        )

    xs = jnp.array([-1.0, 1.0, 3.0])
    np.testing.assert_array_equal(vmap(f)(xs), [1, 2, 9])
    np.testing.assert_array_equal(vmap(grad(f))(xs), [-1, 2, 6])
