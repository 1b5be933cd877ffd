"""`StatefulFunction` and `make_jaxpr`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import ParamState, State, graph, random
from brainstate.compile import StatefulFunction, make_jaxpr


@pytest.fixture
def ab():
    return State(jnp.asarray(1.0), name="a"), State(jnp.array([2.0, 3.0]), name="b")


@pytest.fixture
def fun(ab):
    a, b = ab

    def fun(x, n=2.0):
        b_value = b.value
        a.value = a.value * x
        return {"y": a.value + b_value * n}

    return fun


def run_jaxpr(jaxpr, *args):
    return jax.extend.core.jaxpr_as_fun(jaxpr)(*args)


# ---------------------------------------------------------------- make_jaxpr


def test_inputs_and_outputs_of_the_jaxpr(ab, fun):
    a, b = ab
    before = a.value, b.value
    jaxpr, states = make_jaxpr(fun)(3.0, n=4.0)
    assert states == (b, a)  # in the order of first access
    assert [v.shape for v in jaxpr.in_avals] == [(), (), (2,), ()]
    assert [v.shape for v in jaxpr.out_avals] == [(2,), (2,), ()]
    assert not jaxpr.consts
    out, b_after, a_after = run_jaxpr(jaxpr, 3.0, 4.0, b.value * 10, a.value * 5)
    np.testing.assert_allclose(out, 15.0 + np.array([20.0, 30.0]) * 4)
    np.testing.assert_allclose(b_after, [20, 30])
    assert a_after == 15
    assert (a.value, b.value) == before or (a.value is before[0] and b.value is before[1])


def test_shapes_exclude_states(ab, fun):
    _, states, shapes = make_jaxpr(fun, return_shape=True)(3.0)
    assert shapes == {"y": jax.ShapeDtypeStruct((2,), jnp.float32)}
    assert len(states) == 2


def test_states_are_inputs_where_jax_has_constants(ab):
    _, b = ab
    jaxpr, states = make_jaxpr(lambda x: x * b.value)(2.0)
    assert states == (b,)
    assert not jaxpr.consts
    assert len(jaxpr.in_avals) == 2


def test_a_draw_takes_and_gives_the_key():
    jaxpr, states = make_jaxpr(lambda: random.rand(2))()
    assert states == (random.DEFAULT,)
    assert len(jaxpr.in_avals) == 1
    assert len(jaxpr.out_avals) == 2


def test_name_and_static_arguments(fun):
    assert make_jaxpr(fun).__name__ == "make_jaxpr(fun)"
    jaxpr, _ = make_jaxpr(lambda x, mode: x if mode == "same" else -x, static_argnums=1)(1.0, "neg")
    assert "neg" in str(jaxpr)
    assert len(jaxpr.in_avals) == 1


@pytest.mark.parametrize("option", ["axis_env", "abstracted_axes"])
def test_options_that_jax_dropped(fun, option):
    with pytest.raises(ValueError, match="gone from JAX"):
        StatefulFunction(fun, **{option: ()})
    with pytest.raises(ValueError, match="gone from JAX"):
        make_jaxpr(fun, **{option: ()})


def test_attribute_edits_are_taken_back():
    node = graph.Dict(count=0)

    def f(x):
        node.count += 1
        node.made = State(x)
        return x

    make_jaxpr(f)(1.0)
    StatefulFunction(f).make_jaxpr(1.0)
    assert node.count == 0
    assert not hasattr(node, "made")


def test_errors_change_nothing(ab, fun):
    a, _ = ab
    before = a.value
    with pytest.raises(TypeError):
        make_jaxpr(fun)("text")
    assert a.value is before


# ---------------------------------------------------------------- StatefulFunction


def test_look_ups(ab, fun):
    a, b = ab
    f = StatefulFunction(fun)
    assert f.make_jaxpr(3.0) is f
    assert f.get_states() == (b, a)
    assert f.get_read_states() == (b,)
    assert f.get_write_states() == (a,)
    assert f.get_out_treedef() == jax.tree.structure({"y": 0})
    out, states = f.get_out_shapes()
    assert out == {"y": jax.ShapeDtypeStruct((2,), jnp.float32)}
    assert [s.shape for s in states] == [(2,), ()]
    trace = f.get_state_trace()
    assert (trace.states, trace.been_writen) == ([b, a], [False, True])
    assert "mul" in str(f.get_jaxpr())
    assert a.value == 1.0


@pytest.mark.parametrize("method", [
    "get_jaxpr", "get_out_shapes", "get_out_treedef", "get_state_trace", "get_states",
    "get_read_states", "get_write_states",
])  # fmt: skip
def test_look_ups_before_tracing(fun, method):
    with pytest.raises(ValueError, match=r"fun.*not traced under.*make_jaxpr\(\*args\) first"):
        getattr(StatefulFunction(fun), method)()
    f = StatefulFunction(fun).make_jaxpr(1.0)
    with pytest.raises(ValueError, match="not traced"):
        getattr(f, method)("unknown key")
    f.clear_cache()
    with pytest.raises(ValueError, match="not traced"):
        getattr(f, method)()


def test_programs_by_key(ab):
    a, _ = ab
    runs = []

    def fun(x):
        runs.append(1)
        return a.value * x.sum() / x.shape[0]

    f = StatefulFunction(fun)
    two, four = f.get_arg_cache_key(jnp.ones(2)), f.get_arg_cache_key(jnp.ones(4))
    assert two != four
    assert hash(two) != hash(four)
    f.make_jaxpr(jnp.ones(2)).make_jaxpr(jnp.ones(4)).make_jaxpr(jnp.zeros(2))
    assert len(runs) == 2
    assert f.get_jaxpr(two).in_avals[-1].shape == (2,)
    assert f.get_jaxpr(four).in_avals[-1].shape == (4,)
    assert f.get_states(two) == f.get_states(four) == (a,)


@pytest.mark.parametrize(("one", "other"), [
    (((1.0, 2.0), 3.0), ((1.0,), (2.0, 3.0))),
    (({"x": 1.0},), ({"y": 1.0},)),
    ((1.0,), (1,)),
    ((jnp.ones(2),), (jnp.ones(3),)),
])  # fmt: skip
def test_keys_tell_arguments_apart(one, other):
    f = StatefulFunction(lambda *args, **kwargs: 0)
    assert f.get_arg_cache_key(*one) != f.get_arg_cache_key(*other)
    assert f.get_arg_cache_key(*one) == f.get_arg_cache_key(*one)
    assert f.get_arg_cache_key(a=1.0) != f.get_arg_cache_key(b=1.0)


def test_static_arguments(ab):
    a, _ = ab
    f = StatefulFunction(lambda x, mode: a.value * (x if mode == "same" else -x), static_argnums=1)
    assert f.get_arg_cache_key(1.0, "same") != f.get_arg_cache_key(1.0, "neg")
    f.make_jaxpr(1.0, "same").make_jaxpr(1.0, "neg")
    assert f.jaxpr_call_auto(5.0, "same") == 5
    assert f.jaxpr_call_auto(5.0, "neg") == -5


def test_pure_call(ab, fun):
    a, b = ab
    f = StatefulFunction(fun)
    before = a.value, b.value
    f.make_jaxpr(3.0)
    (b_after, a_after), out = f.jaxpr_call([jnp.ones(2), jnp.asarray(7.0)], 3.0)
    np.testing.assert_array_equal(b_after, [1, 1])
    assert a_after == 21
    np.testing.assert_array_equal(out["y"], [23, 23])
    assert a.value is before[0]
    assert b.value is before[1]
    with pytest.raises(ValueError, match=r"values of 2 States.*found 1"):
        f.jaxpr_call([1.0], 3.0)


def test_pure_call_in_plain_jax(ab, fun):
    f = StatefulFunction(fun).make_jaxpr(3.0)

    def loss(values):
        return f.jaxpr_call(values, 3.0)[1]["y"].sum()

    values = [jnp.array([2.0, 3.0]), jnp.asarray(1.0)]
    gradient = jax.grad(loss)(values)
    np.testing.assert_array_equal(gradient[0], [2, 2])
    assert gradient[1] == 6


def test_call_on_current_values(ab, fun):
    a, _ = ab
    f = StatefulFunction(fun)
    with pytest.raises(ValueError, match="make_jaxpr"):
        f.jaxpr_call_auto(3.0)
    f.make_jaxpr(3.0)
    np.testing.assert_array_equal(f.jaxpr_call_auto(3.0)["y"], [7, 9])
    np.testing.assert_array_equal(f.jaxpr_call_auto(2.0)["y"], [10, 12])
    assert a.value == 6


def test_states_in_one_go(ab, fun):
    a, b = ab
    assert StatefulFunction(fun).compile_function_and_get_states(3.0) == (b, a)
    trace = StatefulFunction(fun).compile_function_and_get_state_trace(3.0)
    assert trace.get_write_states() == (a,)


def test_a_state_of_another_type_is_traced_anew():
    s = State(jnp.ones(2))
    f = StatefulFunction(lambda: s.value.sum() / s.value.shape[0]).make_jaxpr()
    s.value = jnp.ones(4)
    assert f.make_jaxpr().jaxpr_call_auto() == 1
    assert f.get_out_shapes()[1][0].shape == (4,)


def test_created_states_and_nodes():
    def make(x):
        return graph.Dict(s=ParamState(x * 2))

    f = StatefulFunction(make).make_jaxpr(3.0)
    assert f.get_states() == ()
    assert f.jaxpr_call_auto(3.0).s.value == 6


def test_repr_and_options(fun):
    f = StatefulFunction(fun, static_argnums=(1,), state_returns="read", cache_type="jit")
    text = repr(f)
    assert text.startswith("StatefulFunction(<function")
    assert "static_argnums=(1,)" in text
    assert f.state_returns == ("read",)
    with pytest.raises(ValueError, match=r"cache_type must be None or 'jit'; found 'other'"):
        StatefulFunction(fun, cache_type="other")


def test_returning_written_states_only(ab, fun):
    a, b = ab
    f = StatefulFunction(fun).make_jaxpr(3.0, return_only_write=True)
    values, _ = f.jaxpr_call([b.value, a.value], 3.0)
    assert values[1] == 3
