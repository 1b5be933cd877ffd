"""`checkpointed_scan` and `checkpointed_for_loop`: the plain loops, with less memory backwards."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import ParamState, State, random
from brainstate.augment import grad, vmap
from brainstate.compile import checkpointed_for_loop, checkpointed_scan, for_loop, jit, scan


def assert_same(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        assert jnp.shape(x) == jnp.shape(y)
        assert jnp.result_type(x) == jnp.result_type(y)
        np.testing.assert_allclose(x, y, rtol=1e-5)


@pytest.mark.parametrize(
    ("n", "base"), [(0, 2), (1, 16), (2, 2), (5, 2), (9, 3), (16, 16), (17, 16), (20, 3)]
)
def test_values_and_states_of_scan(n, base):
    xs = {"a": jnp.arange(float(n)), "b": np.arange(2 * n).reshape(n, 2)}
    s, results = State(jnp.zeros(())), []

    def body(c, x):
        s.value = s.value * 0.9 + x["a"]
        return c + x["b"].sum(), (s.value, x["b"] * c)

    for loop in (lambda *a: checkpointed_scan(*a, base=base), scan):
        s.value = jnp.zeros(())
        results.append((loop(body, jnp.asarray(1, jnp.int32), xs), s.value))
    assert_same(*results)


@pytest.mark.parametrize(("n", "base"), [(1, 2), (5, 2), (17, 16), (20, 3)])
def test_gradients_of_scan(n, base):
    xs = jnp.linspace(-1, 1, n)
    w, h = ParamState(0.7), State(jnp.zeros(()))

    def loss(xs, loop, **options):
        h.value = jnp.zeros(())

        def body(c, x):
            h.value = jnp.tanh(w.value * h.value + x)
            return c * 0.9 + h.value, h.value**2

        carry, ys = loop(body, 0.0, xs, **options)
        return carry + ys.sum()

    gradient = grad(loss, w, argnums=0, return_value=True)
    assert_same(gradient(xs, checkpointed_scan, base=base), gradient(xs, scan))


@pytest.mark.parametrize("n", [0, 1, 5, 20])
def test_for_loop_form(n):
    s, results = State(jnp.zeros(())), []
    xs = jnp.arange(float(n)), {"k": jnp.ones((n, 2))}

    def body(x, d):
        s.value = s.value + x
        return s.value, d["k"] * x

    for loop in (lambda *a: checkpointed_for_loop(*a, base=3), for_loop):
        s.value = jnp.zeros(())
        results.append((loop(body, *xs), s.value))
    assert_same(*results)


def test_without_inputs():
    count = State(0)

    def body():
        count.value = count.value + 1
        return count.value

    np.testing.assert_array_equal(checkpointed_for_loop(body, length=20, base=4), np.arange(20) + 1)
    carry, ys = checkpointed_scan(lambda c, x: (c + 1, c), 0, None, length=5, base=2)
    assert carry == 5
    np.testing.assert_array_equal(ys, np.arange(5))
    assert checkpointed_for_loop(lambda x: None, jnp.arange(20.0), base=4) is None


def test_units():
    found = checkpointed_for_loop(lambda x: x * 2.0, jnp.arange(20.0) * u.mV, base=4)
    np.testing.assert_allclose(found.to_decimal(u.mV), np.arange(20) * 2)


def test_draws_are_those_of_the_plain_loop():
    results = []
    for loop in (checkpointed_for_loop, for_loop):
        with random.seed_context(3):
            results.append(loop(lambda x: random.rand(), jnp.arange(20.0)))
    assert_same(*results)


def test_steps_run_once_each():
    ran = []
    for n, base in ((20, 4), (17, 2)):
        ran.clear()
        checkpointed_for_loop(
            lambda x: jax.debug.callback(lambda i: ran.append(int(i)), x), jnp.arange(n), base=base
        )
        jax.effects_barrier()
        assert sorted(ran) == list(range(n))


def residuals(loop, n, **options):
    """How many values are kept for the backward pass."""

    def loss(x):
        return loop(lambda c, _: (jnp.sin(c), None), x, jnp.zeros(n), **options)[0]

    _, pullback = jax.vjp(loss, 1.0)
    return sum(leaf.size for leaf in jax.tree.leaves(pullback))


def test_memory_grows_slowly():
    plain, saved = residuals(scan, 256), residuals(checkpointed_scan, 256, base=4)
    assert plain >= 256
    assert saved < plain / 2


def test_inside_other_transformations():
    xs = jnp.arange(20.0)

    def total(k):
        return checkpointed_scan(lambda c, x: (c + x * k, None), 0.0, xs, base=4)[0]

    assert jit(total)(2.0) == 380
    np.testing.assert_array_equal(vmap(total)(jnp.arange(3.0)), [0, 190, 380])
    assert grad(total)(2.0) == 190


def test_disable_jit():
    s = State(jnp.zeros(()))

    def body(x):
        s.value = s.value + x
        return s.value

    with jax.disable_jit():
        found = checkpointed_for_loop(body, jnp.arange(5.0), base=2)
        assert checkpointed_for_loop(body, jnp.zeros(0)).shape == (0,)
    np.testing.assert_array_equal(found, [0, 1, 3, 6, 10])


@pytest.mark.parametrize("loop", [
    lambda xs, **kw: checkpointed_scan(lambda c, x: (c, x), 0.0, xs, **kw),
    lambda xs, **kw: checkpointed_for_loop(lambda x: x, xs, **kw),
], ids=["scan", "for_loop"])  # fmt: skip
def test_errors(loop):
    with pytest.raises(ValueError, match=r"base must be at least 2; found 1"):
        loop(jnp.ones(3), base=1)
    with pytest.raises(ValueError, match=r"one length.*`length`: 4.*: 3"):
        loop(jnp.ones(3), length=4)
    with pytest.raises(ValueError, match="neither inputs to loop over nor a `length`"):
        loop(None)
    with pytest.raises(ValueError, match="first axis"):
        loop(3.0)


def test_body_must_be_callable():
    with pytest.raises(TypeError, match="checkpointed_scan needs a function as body; found 3"):
        checkpointed_scan(3, 0.0, jnp.ones(3))
    with pytest.raises(TypeError, match="checkpointed_for_loop needs a function as body; found 3"):
        checkpointed_for_loop(3, jnp.ones(3))
