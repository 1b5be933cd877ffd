"""`while_loop` and `bounded_while_loop`, compared with Python loops and `jax.lax.while_loop`."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import ParamState, State, graph
from brainstate.augment import grad, vmap
from brainstate.compile import bounded_while_loop, jit, while_loop


def bounded(*args):
    return bounded_while_loop(*args, max_steps=8, base=3)


BOTH = pytest.mark.parametrize("loop", [while_loop, bounded], ids=["while", "bounded"])


@pytest.fixture(params=["compiled", "disable_jit"])
def mode(request):
    if request.param == "compiled":
        yield
    else:
        with jax.disable_jit():
            yield


in_both_modes = pytest.mark.usefixtures("mode")


@in_both_modes
@BOTH
@pytest.mark.parametrize("start", [0, 4, 5, 17, 0.5])
def test_counts(loop, start):
    value, steps = start, 0
    while value < 5:
        value, steps = value + 2, steps + 1
    found, count = loop(lambda v: v[0] < 5, lambda v: (v[0] + 2, v[1] + 1), (start, 0))
    assert (float(found), int(count)) == (value, steps)
    assert jnp.asarray(found).dtype == jnp.asarray(start).dtype


@in_both_modes
@BOTH
def test_states_in_test_and_body(loop):
    limit, total, count = State(10.0), State(jnp.zeros(())), State(0)
    kept = limit.value

    def body(x):
        total.value = total.value + x
        count.value = count.value + 1
        return x + 1

    out = loop(lambda x: total.value < limit.value, body, jnp.asarray(1.0))
    assert (float(out), float(total.value), int(count.value)) == (5.0, 10.0, 4)
    assert limit.value is kept
    limit.value = 20.0
    assert loop(lambda x: total.value < limit.value, body, jnp.asarray(1.0)) == 5
    assert total.value == 20


@in_both_modes
@BOTH
def test_no_carry(loop):
    s = State(jnp.zeros((), int))

    def body(_):
        s.value = s.value + 1

    assert loop(lambda _: s.value < 3, body, None) is None
    assert s.value == 3


@in_both_modes
@BOTH
def test_trees_and_units(loop):
    init = {"v": jnp.zeros(2) * u.mV, "n": (0, jnp.ones(()))}

    def body(c):
        return {"v": c["v"] + 1.0 * u.mV, "n": (c["n"][0] + 1, c["n"][1] * 2)}

    out = loop(lambda c: c["v"].sum() < 5.0 * u.mV, body, init)
    np.testing.assert_allclose(out["v"].to_decimal(u.mV), [3, 3])
    assert (int(out["n"][0]), float(out["n"][1])) == (3, 8.0)


@in_both_modes
@BOTH
def test_nodes_in_the_carry(loop):
    node = graph.Dict(s=State(jnp.zeros(())))

    def body(c):
        c[0].s.value = c[0].s.value + 1
        return c[0], c[1] * 2

    out = loop(lambda c: c[0].s.value < 3, body, (node, 1))
    assert out[0] is node
    assert out[1] == 8
    assert node.s.value == 3


@in_both_modes
@BOTH
def test_zero_iterations_return_the_start(loop):
    s = State(jnp.ones(2))
    kept = s.value

    def body(c):
        s.value = s.value * 2
        return c + 1

    out = loop(lambda c: c < 0, body, jnp.asarray(7))
    assert out == 7
    np.testing.assert_array_equal(s.value, kept)


@BOTH
def test_weak_start(loop):
    out = loop(lambda c: c < 2, lambda c: c + jnp.float32(0.5), 0)
    assert out == 2
    assert out.dtype == "float32"


@BOTH
def test_a_condition_that_writes_is_named(loop):
    s = State(jnp.zeros(()), name="count")
    kept, ran = s.value, []

    def test(c):
        s.value = s.value + 1
        return c < 3

    def body(c):
        ran.append(1)
        return c + 1

    with (
        jax.disable_jit(False),
        pytest.raises(
            ValueError, match=r"condition of .*while_loop writes State 'count'.*only read"
        ),
    ):
        loop(test, body, 0)
    assert s.value is kept


@BOTH
@pytest.mark.parametrize("out", [
    lambda c: jnp.ones(2) > 0, lambda c: 1, lambda c: (True, True), lambda c: None,
    lambda c: c * 1.0,
])  # fmt: skip
def test_a_condition_gives_one_boolean(loop, out):
    with pytest.raises(TypeError, match=r"must return one scalar boolean"):
        loop(out, lambda c: c + 1, 0)


@BOTH
@pytest.mark.parametrize("bad", [(3, lambda c: c), (lambda c: True, "body")])
def test_functions_are_needed(loop, bad):
    with pytest.raises(
        TypeError, match=r"while_loop needs functions for condition and body; found"
    ):
        loop(*bad, 0)


@in_both_modes
@BOTH
def test_inside_jit_and_lanes(loop):
    s = State(5.0)

    def run(x):
        return loop(lambda c: c < s.value, lambda c: c * 2, x)

    xs = jnp.array([1.0, 3.0, 6.0])
    with jax.disable_jit(False):
        expected = jax.vmap(lambda x: jax.lax.while_loop(lambda c: c < 5.0, lambda c: c * 2, x))(xs)
    np.testing.assert_array_equal(vmap(run)(xs), expected)
    np.testing.assert_array_equal(jit(vmap(run))(xs), expected)
    assert jit(run)(3.0) == 6


def test_lanes_with_states_of_their_own():
    def run(x):
        n = State(jnp.zeros((), int))

        def body(c):
            n.value = n.value + 1
            return c * 2

        return bounded(lambda c: c < 10, body, x), n.value

    values, counts = vmap(run)(jnp.array([1.0, 3.0, 11.0]))
    np.testing.assert_array_equal(values, [16, 12, 11])
    np.testing.assert_array_equal(counts, [4, 2, 0])


def test_no_reverse_gradient_of_the_unbounded_form():
    def f(x):
        return while_loop(lambda c: c < 10, lambda c: c * c, x)

    with pytest.raises(ValueError, match="Reverse-mode differentiation"):
        grad(f)(3.0)
    out, tangent = jax.jvp(f, (3.0,), (1.0,))
    assert (float(out), float(tangent)) == (81.0, 108.0)


# ---------------------------------------------------------------- bounded_while_loop


@pytest.mark.parametrize("base", [2, 16])
@pytest.mark.parametrize("max_steps", [0, 1, 2, 3, 7, 16, 17])
def test_stops_at_the_bound_or_before(max_steps, base):
    ran = State(0)

    def body(v):
        ran.value = ran.value + 1
        return v + 1

    out = bounded_while_loop(lambda v: v < 6, body, 0, max_steps=max_steps, base=base)
    assert out == ran.value == min(6, max_steps)


def test_bound_one_still_asks_the_condition():
    s = State(jnp.zeros(()))

    def body(v):
        s.value = s.value + 1
        return v + 1

    assert bounded_while_loop(lambda v: v < 0, body, 0, max_steps=1) == 0
    assert s.value == 0


@pytest.mark.parametrize("max_steps", [5, 20])
def test_gradient_of_the_steps_taken(max_steps):
    w = ParamState(1.5)
    h = State(jnp.ones(()))

    def pure(w, x):
        h = 1.0
        while x < 10:
            x, h = x * w, jnp.sin(h) + x
        return x + h

    def f(x):
        h.value = jnp.ones(())

        def body(c):
            h.value = jnp.sin(h.value) + c
            return c * w.value

        return bounded_while_loop(lambda c: c < 10, body, x, max_steps=max_steps) + h.value

    found, value = grad(f, w, argnums=0, return_value=True)(3.0)
    expected = jax.value_and_grad(pure, argnums=(0, 1))(1.5, 3.0)
    np.testing.assert_allclose((value, *found), (expected[0], *expected[1]), rtol=1e-5)


def test_steps_not_taken_give_no_nan():
    """The body has an infinite derivative where the loop stops."""

    def f(x):
        return bounded_while_loop(lambda c: c > 1.0, lambda c: jnp.sqrt(c - 1.0), x, max_steps=8)

    assert np.isfinite(grad(f)(3.0))
    assert grad(f)(1.0) == 1.0


@pytest.mark.parametrize("bad", [-1, 2.5, True, "3", None])
def test_bound_must_be_a_count(bad):
    with pytest.raises(ValueError, match=r"max_steps must be a non-negative integer; found"):
        bounded_while_loop(lambda c: True, lambda c: c, 0, max_steps=bad)


def test_base_must_be_sensible():
    with pytest.raises(ValueError, match=r"base must be at least 2; found 1"):
        bounded_while_loop(lambda c: c < 5, lambda c: c + 1, 0, max_steps=20, base=1)


def test_bound_is_named():
    with pytest.raises(TypeError, match="max_steps"):
        bounded_while_loop(lambda c: c < 5, lambda c: c + 1, 0)
