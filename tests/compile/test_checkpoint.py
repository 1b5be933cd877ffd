"""`checkpoint`: the same values and gradients, computed again in the backward pass."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import ParamState, State, graph, random
from brainstate.augment import grad, vmap
from brainstate.compile import checkpoint, for_loop, jit, remat


def test_two_names():
    assert remat is checkpoint


@pytest.fixture
def w():
    return ParamState(jnp.array([1.0, 2.0]))


def test_values_and_gradients(w):
    def f(x, *, scale=1.0):
        return (jnp.sin(w.value * x) * scale).sum()

    g = checkpoint(f)
    for kwargs in ({}, {"scale": 3.0}):
        np.testing.assert_allclose(g(2.0, **kwargs), f(2.0, **kwargs), rtol=1e-6)
        found = grad(g, w, argnums=0)(2.0, **kwargs)
        expected = grad(f, w, argnums=0)(2.0, **kwargs)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), found, expected)


def test_writes(w):
    s, count = State(jnp.ones(())), State(0)

    @checkpoint
    def f(x):
        s.value = s.value * x
        count.value = count.value + 1
        return s.value * w.value.sum()

    assert f(2.0) == 6
    assert grad(f, w, argnums=0)(3.0)[1] == 6
    assert (float(s.value), int(count.value)) == (6.0, 2)
    assert jit(f)(0.5) == 9
    assert s.value == 3


def test_what_comes_out_is_plain():
    out = checkpoint(lambda x, y: (x, y, None, {"k": x * y}))(2.0, 3)
    assert isinstance(out[0] * 1, (float, jax.Array))
    assert float(out[0]) == 2.0
    assert "Typed" not in type(out[0]).__name__
    assert (int(out[1]), out[2]) == (3, None)
    assert out[3]["k"] == 6


def test_only_inputs_are_saved(w):
    def residuals(f):
        _, pullback = jax.vjp(f, jnp.ones(100))
        return sum(leaf.size for leaf in jax.tree.leaves(pullback))

    def f(x):
        for _ in range(5):
            x = jnp.sin(x * w.value.sum())
        return x.sum()

    assert residuals(checkpoint(f)) < residuals(f) / 2


def test_policy(w):
    saved = []

    def policy(primitive, *_, **__):
        saved.append(str(primitive))
        return False

    f = checkpoint(lambda x: jnp.sin(jnp.cos(x * w.value)).sum(), policy=policy)
    grad(f)(1.0)
    assert {"sin", "cos"} <= set(saved)
    everything = jax.checkpoint_policies.everything_saveable
    g = checkpoint(lambda x: jnp.sin(jnp.cos(x)), policy=everything, prevent_cse=False)
    np.testing.assert_allclose(
        grad(g)(1.0), jax.grad(lambda x: jnp.sin(jnp.cos(x)))(1.0), rtol=1e-6
    )


def test_other_shapes(w):
    f = checkpoint(lambda x: x.sum() / x.shape[0])
    assert f(jnp.ones(2)) == 1
    assert f(jnp.ones(4)) == 1


@pytest.mark.parametrize("static_argnums", [1, (1,), -1])
def test_static_arguments(w, static_argnums):
    def f(x, mode):
        return (w.value * x).sum() if mode == "sum" else (w.value * x).prod()

    g = checkpoint(f, static_argnums=static_argnums)
    assert (float(g(2.0, "sum")), float(g(2.0, "prod"))) == (6.0, 8.0)
    assert float(g(2.0, mode="sum")) == 6
    np.testing.assert_array_equal(grad(lambda: g(2.0, "sum"), w)(), [2, 2])
    with pytest.raises(TypeError, match=r"Static argument .*f is \[1\].*hashable"):
        g(2.0, [1])


def test_modules_and_nodes():
    class Cell(graph.Node):
        def __init__(self):
            self.w = ParamState(jnp.asarray(2.0))
            self.s = State(jnp.zeros(()))

        def __call__(self, x):
            self.s.value = self.s.value + x
            return self.w.value**2 * x

        @checkpoint
        def step(self, x):
            return self(x)

    cell = Cell()
    f = checkpoint(cell)
    assert f(3.0) == 12
    assert checkpoint(lambda node, x: node(x))(cell, 3.0) == 12
    assert cell.step(1.0) == 4
    assert cell.s.value == 7
    assert grad(f, cell.w)(3.0) == 12
    assert checkpoint(lambda: cell)() is cell


def test_draws_are_the_same_in_both_passes():
    w = ParamState(jnp.ones(4))
    with random.seed_context(5):
        random.seed(1)
        expected = random.rand(4)
        random.seed(1)
        found = grad(checkpoint(lambda: (w.value * random.rand(4)).sum()), w)()
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_units():
    f = checkpoint(lambda x: x**2 * 3.0)
    out = f(2.0 * u.mV)
    assert out.to_decimal(u.mV**2) == 12
    assert grad(f, unit_aware=True)(2.0 * u.mV).to_decimal(u.mV) == 12


def test_in_loops_and_lanes(w):
    step = checkpoint(lambda x: (w.value * x).sum() ** 2)
    xs = jnp.arange(3.0)
    np.testing.assert_array_equal(for_loop(step, xs), 9 * xs**2)
    np.testing.assert_array_equal(vmap(step)(xs), 9 * xs**2)
    found = grad(lambda: for_loop(step, xs).sum(), w)()
    expected = jax.grad(lambda w: ((w.sum() * xs) ** 2).sum())(w.value)
    np.testing.assert_allclose(found, expected)


def test_decorator_forms():
    @checkpoint(prevent_cse=False)
    def f(x):
        """Doc."""
        return x * 2

    assert (f(2.0), f.__name__, f.__doc__) == (4.0, "f", "Doc.")
    with pytest.raises(TypeError, match=r"checkpoint\(\) transforms a function; found 3"):
        checkpoint(3)


def test_errors_change_nothing(w):
    before = w.value

    @checkpoint
    def f():
        w.value = w.value * 2
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        f()
    assert w.value is before
