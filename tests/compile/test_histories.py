"""Any history of calls, assignments and edits ends alike, compiled and eager."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from brainstate import ParamState, ShortTermState, State, graph
from brainstate.augment import grad, vmap
from brainstate.compile import cond, for_loop, jit

SETTINGS = settings(max_examples=60)
XS = jnp.arange(3.0)


class Model(graph.Node):
    def __init__(self, wrap):
        self.pair = (ParamState(jnp.zeros(2)), ParamState(jnp.zeros(2)))
        self.a = self.pair[0]
        self.b = ShortTermState({"k": jnp.zeros(2), "n": jnp.zeros(())})
        self.c = State(jnp.zeros(()))
        self.scale = 1.0
        self.held = None
        bodies = (add, collect, double_in_place, look, by_argument, loop, branch, wrap_or_unwrap,
                  scaled, slope, lanes, swap)  # fmt: skip
        self.calls = [
            wrap(body) if body is by_argument else wrap(lambda x, body=body: body(self, x))
            for body in bodies
        ]

    def values(self):
        return self.a.value, self.b.value, self.c.value


def number(value):
    return value["s"] if isinstance(value, dict) else value


def add(m, x):
    m.a.value = m.a.value + x
    return m.a.value.sum()


def collect(m, x):
    m.b.value = {"k": m.b.value["k"] + m.a.value, "n": m.b.value["n"] + x}


def double_in_place(m, x):
    m.b.value["k"] = m.b.value["k"] * 2
    return m.b.value["k"] + x


def look(m, x):
    return m.a.value * number(m.c.value) + m.b.value["n"] * x


def by_argument(m, x):
    m.c.value = jax.tree.map(lambda c: c * 0.5 + m.b.value["k"].sum() * x, m.c.value)


def loop(m, x):
    def step(t):
        m.a.value = m.a.value * 0.5 + t * x
        return m.a.value.sum()

    return for_loop(step, XS)


def branch(m, x):
    def grow():
        m.b.value = {"k": m.b.value["k"] + 1, "n": m.b.value["n"]}

    cond(m.a.value.sum() > x, grow, lambda: None)


def wrap_or_unwrap(m, x):
    value = m.c.value
    m.c.value = value["s"] if isinstance(value, dict) else {"s": value}


def scaled(m, x):
    m.a.value = m.a.value * m.scale
    return x * m.scale


def slope(m, x):
    gradient, value = grad(lambda: (m.a.value**2).sum() * x, m.a, return_value=True)()
    m.a.value = m.a.value - 0.125 * gradient
    return value


def lanes(m, x):
    return vmap(lambda t: (m.a.value * t).sum() + m.b.value["n"] * x)(XS)


def swap(m, x):
    m.a.value, m.b.value = m.b.value["k"], {**m.b.value, "k": m.a.value}


def call(m, index, x):
    m.held = None  # what a body does to a container may or may not show in one taken before
    return m.calls[index](m, x) if index == 4 else m.calls[index](x)


def look_again(m, index, x):
    return m.calls[3](x)


def assign_a(m, index, x):
    m.a.value = jnp.full(2, x)


def assign_b(m, index, x):
    m.b.value = {"k": m.a.value, "n": jnp.float32(x)}
    m.held = None


def assign_c(m, index, x):
    m.c.value = jnp.float32(x)


def edit_in_place(m, index, x):
    m.b.value["n"] = jnp.float32(x)


def hold(m, index, x):
    m.held = m.b.value


def edit_held(m, index, x):
    if m.held is not None:
        m.held["k"] = jnp.full(2, x)


def replace_state(m, index, x):
    m.a = m.pair[index % 2]


def rescale(m, index, x):
    m.scale = float(index % 3)


def disturb(m, index, x):
    m.unrelated = index


ACTIONS = [call, call, call, look_again, assign_a, assign_b, assign_c, edit_in_place, hold,
           edit_held, replace_state, rescale, disturb]  # fmt: skip
compiled, eager = Model(jit), Model(lambda f: f)
steps = st.tuples(
    st.sampled_from(ACTIONS), st.integers(0, 11), st.sampled_from([-1.0, 0.0, 0.5, 2.0])
)


def reset(m):
    m.a = m.pair[0]
    for state in m.pair:
        state.value = jnp.zeros(2)
    m.b.value = {"k": jnp.zeros(2), "n": jnp.zeros(())}
    m.c.value = jnp.zeros(())
    m.scale, m.held = 1.0, None


@SETTINGS
@given(st.lists(steps, min_size=3, max_size=12))
def test_compiled_histories_are_eager_histories(history):
    for m in (compiled, eager):
        reset(m)
    for action, index, x in history:
        found = action(compiled, index, x), compiled.values()
        expected = action(eager, index, x), eager.values()
        assert jax.tree.structure(found) == jax.tree.structure(expected)
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5, err_msg=str(action))
