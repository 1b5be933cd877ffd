"""`jvp` and `vjp`, compared with JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import ParamState, State
from brainstate.augment import jvp, vjp, vmap
from brainstate.transform import for_loop, jit

X = jnp.array([0.5, -1.0])
W = jnp.array([[1.0, 2.0], [3.0, 4.0]])


def forward(w, x):
    return {"y": jnp.sin(w @ x), "z": (x**2).sum()}


def assert_same(a, b):
    assert jax.tree.structure(a) == jax.tree.structure(b)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-6), a, b)


@pytest.fixture
def w():
    return ParamState(W, name="w")


@pytest.mark.parametrize("wrap", [lambda f: f, jit], ids=["eager", "jit"])
def test_jvp(w, wrap):
    tangent = jnp.array([1.0, 0.5])
    found = wrap(lambda t: jvp(lambda x: forward(w.value, x), (X,), (t,)))(tangent)
    assert_same(found, jax.jvp(lambda x: forward(W, x), (X,), (tangent,)))


def test_jvp_with_aux_and_writes(w):
    count = State(0)

    def f(x):
        count.value += 1
        return x**2, {"text": "aux", "x": x}

    out, tangent, aux = jvp(f, [3.0], [2.0], has_aux=True)
    assert (float(out), float(tangent)) == (9.0, 12.0)
    assert aux["text"] == "aux"
    assert float(aux["x"]) == 3.0
    assert count.value == 1


def test_jvp_stores_primal_values_of_states():
    last = State(0.0)

    def f(x):
        last.value = x * 2
        return x

    jvp(f, (3.0,), (1.0,))
    assert float(last.value) == 6.0


def test_vjp_of_all_arguments(w):
    def f(x, y):
        return forward(w.value, x)["y"] * y

    out, pullback = vjp(f, X, 2.0)
    expected, expected_pullback = jax.vjp(lambda x, y: forward(W, x)["y"] * y, X, 2.0)
    assert_same(out, expected)
    assert_same(pullback(jnp.ones(2)), expected_pullback(jnp.ones(2)))
    assert_same(pullback(jnp.arange(2.0)), expected_pullback(jnp.arange(2.0)))  # more than once


def test_vjp_with_states(w):
    gain = ParamState(2.0)
    cotangent = {"y": jnp.array([1.0, -1.0]), "z": jnp.asarray(0.5)}

    def pure(values, x):
        return jax.tree.map(lambda leaf: leaf * values["g"], forward(values["w"], x))

    def f(x):
        return jax.tree.map(lambda leaf: leaf * gain.value, forward(w.value, x))

    out, pullback = vjp(f, X, grad_states={"w": w, "g": gain})
    expected, expected_pullback = jax.vjp(pure, {"w": W, "g": jnp.asarray(2.0)}, X)
    assert_same(out, expected)
    assert_same(pullback(cotangent), expected_pullback(cotangent))


@pytest.mark.parametrize("argnums", [0, 1, -1, (0, 1), (1, 0)])
def test_vjp_argnums_choose_what_goes_with_the_states(w, argnums):
    def f(x, y):
        return (w.value @ x).sum() * y

    _, pullback = vjp(f, X, 3.0, grad_states=w, argnums=argnums)
    by_state, by_args = pullback(1.0)
    expected = jax.grad(lambda w, x, y: (w @ x).sum() * y, argnums=(0, 1, 2))(W, X, 3.0)
    assert_same(by_state, expected[0])
    if isinstance(argnums, tuple):
        assert_same(by_args, tuple(expected[1 + i] for i in argnums))
    else:
        assert_same(by_args, expected[1:][argnums])


def test_vjp_of_states_alone(w):
    out, pullback = vjp(lambda: (w.value**2).sum(), grad_states=[w], argnums=None)
    assert float(out) == 30.0
    assert_same(pullback(1.0), [2 * W])


def test_vjp_with_aux_and_writes(w):
    count = State(jnp.asarray(0))

    def f(x):
        count.value += 1
        return (w.value @ x).sum(), "aux"

    out, pullback, aux = vjp(f, X, grad_states=w, has_aux=True)
    assert aux == "aux"
    assert_same(out, (W @ X).sum())
    by_state, by_arg = pullback(2.0)
    assert_same((by_state, by_arg), (2 * jnp.stack([X, X]), 2 * W.sum(0)))
    assert count.value == 1


def test_vjp_in_lanes_and_loops(w):
    def gradient(x):
        _, pullback = vjp(lambda y: (w.value @ y).sum() ** 2, x)
        return pullback(1.0)[0]

    xs = jnp.stack([X, 2 * X, 3 * X])
    expected = jax.vmap(jax.grad(lambda y: (W @ y).sum() ** 2))(xs)
    assert_same(vmap(gradient)(xs), expected)
    assert_same(for_loop(gradient, xs), expected)


def test_vjp_refuses_what_is_no_state():
    with pytest.raises(TypeError, match=r"All grad_states must be State instances.*found 3"):
        vjp(lambda x: x, 1.0, grad_states=3)


def test_vjp_out_of_range():
    with pytest.raises(ValueError, match="argnums=4 is out of range"):
        vjp(lambda x: x, 1.0, grad_states=State(1.0), argnums=4)


@pytest.mark.parametrize("result", [1.0, (1.0,), None])
def test_aux_needs_a_pair(result):
    def f(x):
        return result

    with pytest.raises(TypeError, match=r"has_aux=True, f must return a pair \(value, aux\)"):
        jvp(f, (1.0,), (1.0,), has_aux=True)
    with pytest.raises(TypeError, match=r"has_aux=True, f must return a pair \(value, aux\)"):
        vjp(f, 1.0, has_aux=True)
