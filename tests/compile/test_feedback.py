"""`loop_with_feedback` beside `jax.lax.scan`, in every mode of differentiation."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import ParamState, ShortTermState, debug, environ, random
from brainstate.augment import grad
from brainstate.augment import vmap as vmap_states
from brainstate.compile import for_loop, jit
from brainstate.compile.feedback import loop_with_feedback
from brainstate.util import BadWriteError

T, B, N = 5, 2, 3


def numbers(seed, *shape):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


W, DRIVES, GAIN = numbers(0, N, N), numbers(1, T, B, N), jnp.float32(0.7)


def by_hand(w, drives, gain, slices=None):
    def step(carry, x):
        y, h = carry
        h = jnp.tanh(gain * h + x[0] + jnp.sin(y @ w)) * (1 if slices is None else x[1])
        y = h * h + y
        return (y, h), y

    xs = (drives,) if slices is None else (drives, slices)
    (_, h), ys = jax.lax.scan(step, (jnp.full((B, N), 0.1), jnp.zeros((B, N))), xs)
    return ys, h


@functools.partial(jit, static_argnames=("memory", "over_last_axis"))
def here(w, drives, gain, slices=None, **options):
    h = ShortTermState(jnp.zeros((B, N)))
    w, gain = ParamState(w), ParamState(gain)

    def f(y, drive, *more):
        h.value = jnp.tanh(gain.value * h.value + drive) * (more[0] if more else 1)
        return h.value**2 + y

    more = () if slices is None else (slices,)
    first = jnp.full((B, N), 0.1)
    ys = loop_with_feedback(f, lambda y: jnp.sin(y @ w.value), first, drives, *more, **options)
    return ys, h.value


def summed(run):
    def loss(*args):
        ys, h = run(*args)
        return (ys**3).sum() + (h * ys[1]).sum()

    return loss


def assert_close(found, expected):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-5 * np.abs(b).max())


MODES = {
    "value": lambda loss: loss,
    "reverse": lambda loss: jax.grad(loss, (0, 1, 2)),
    "weights only": lambda loss: jax.grad(loss),
    "drives only": lambda loss: jax.grad(loss, 1),
    "forward": lambda loss: jax.jacfwd(loss, (0, 1, 2)),
    "forward over reverse": lambda loss: jax.hessian(loss, (0, 2)),
    "reverse over reverse": lambda loss: jax.jacrev(jax.grad(loss, 2), (0, 1)),
    "checkpoint": lambda loss: jax.grad(jax.checkpoint(loss), (0, 2)),
    "lanes": lambda loss: jax.vmap(jax.grad(loss, (0, 1)), (None, None, 0)),
    "lanes of weights": lambda loss: jax.vmap(jax.grad(loss, (0, 1)), (0, None, None)),
}


@pytest.mark.parametrize("mode", MODES)
def test_agrees_with_scan(mode):
    args = [W, DRIVES, GAIN]
    if mode == "lanes":
        args[2] = jnp.array([0.3, 0.7])
    if mode == "lanes of weights":
        args[0] = jnp.stack([W, -W])
    found, expected = (jax.jit(MODES[mode](summed(run)))(*args) for run in (here, by_hand))
    assert_close(found, expected)


@pytest.mark.parametrize("mode", ["reverse", "forward", "lanes of weights"])
def test_of_all_rows_at_once(mode):
    args = [jnp.stack([W, -W]) if mode == "lanes of weights" else W, DRIVES, GAIN]
    rows = functools.partial(here, over_last_axis=True)
    found, expected = (jax.jit(MODES[mode](summed(run)))(*args) for run in (rows, by_hand))
    assert_close(found, expected)


def test_within_a_memory():
    w, many = ParamState(W), jnp.tile(DRIVES, (80, 1, 1))

    def deep(y, drive):  # its derivative needs a dozen arrays of each step
        for _ in range(12):
            drive = jnp.tanh(drive) + y
        return drive

    def gradient_and_bytes(memory):
        def loss():
            first = jnp.full((B, N), 0.1)
            ys = loop_with_feedback(deep, lambda y: y @ w.value, first, many, memory=memory)
            return (ys**2).sum()

        step = jit(grad(loss, w))
        return step(), step.lower().compile().memory_analysis().temp_size_in_bytes

    (expected, plain), (found, less) = gradient_and_bytes(None), gradient_and_bytes(60_000)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert less <= 60_000 < 0.5 * plain


def test_debug_tells_the_step():
    drives = DRIVES.at[3, 1, 0].set(jnp.nan)
    v = ShortTermState(jnp.zeros((B, N)))

    def f(y, drive):
        v.value = jnp.tanh(drive)
        return v.value

    with pytest.raises(BadWriteError, match=r"NaN at \[1, 0\], in step 3"), debug():
        loop_with_feedback(f, lambda y: y @ W, jnp.zeros((B, N)), drives)


def test_other_slices():
    slices = numbers(3, T, B, N)
    found, expected = (
        jax.jit(jax.grad(summed(run), (0, 1, 3)))(W, DRIVES, GAIN, slices)
        for run in (here, by_hand)
    )
    assert_close(found, expected)


def test_drives_are_widened_to_the_feedback():
    w = ParamState(W)

    def loss(drives):
        ys = loop_with_feedback(
            lambda y, x: jnp.tanh(x), lambda y: y @ w.value, jnp.ones((B, N)), drives
        )
        return (ys**2).sum()

    def hand(w, drives):
        def step(y, x):
            y = jnp.tanh(x + y @ w)
            return y, y

        return (jax.lax.scan(step, jnp.ones((B, N)), drives)[1] ** 2).sum()

    drives = jnp.arange(T)  # one whole number a step, for all
    found = grad(loss, w)(drives)
    assert_close(found, jax.grad(hand)(W, drives))


def loops(jaxpr):
    """All scans below, with the shapes of what they give."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "scan":
            yield [var.aval.shape for var in equation.outvars]
        for value in equation.params.values():
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                yield from loops(inner)


def test_no_loop_sums_the_gradient_of_the_weights():
    found, plain = (
        list(loops(jax.make_jaxpr(jax.grad(summed(run)))(W, DRIVES, GAIN).jaxpr))
        for run in (here, by_hand)
    )
    assert any(W.shape in shapes for shapes in plain)
    assert len(found) >= 2
    assert not any(W.shape in shapes for shapes in found)


def test_plain_where_the_layer_differs_between_steps():
    """It writes a State; it reads one that the loop writes; it draws random numbers."""
    w, trace = ParamState(W), ShortTermState(jnp.zeros(()))

    def writes(y):
        trace.value = trace.value + y.sum()
        return y @ w.value * trace.value

    def hand(w):
        def step(carry, x):
            y, s = carry
            s = s + y.sum()
            y = jnp.tanh(x + y @ w * s)
            return (y, s), y

        return (jax.lax.scan(step, (jnp.ones((B, N)), 0.0), DRIVES)[1] ** 2).sum()

    def run(feedback):
        def f(y, drive):
            if feedback is not writes:
                trace.value = trace.value + y.sum()
            return jnp.tanh(drive)

        trace.value = jnp.zeros(())
        return (loop_with_feedback(f, feedback, jnp.ones((B, N)), DRIVES) ** 2).sum()

    expected = jax.grad(hand)(W)
    found = grad(lambda: run(writes), w)()
    assert_close(found, expected)
    late = grad(lambda: run(lambda y: y @ w.value * (1 + trace.value)), w)()
    assert not np.allclose(late, expected)
    drawn = loop_with_feedback(
        lambda y, x: x, lambda y: random.rand(N), jnp.ones((B, N)), jnp.zeros((T, B, N))
    )
    assert len(np.unique(drawn)) == T * N


def test_inside_loops_lanes_and_jit():
    w = ParamState(W)

    def run(drives):
        return loop_with_feedback(
            lambda y, x: jnp.tanh(x), lambda y: y @ w.value, jnp.zeros((B, N)), drives
        )

    def hand(w, drives):
        def step(y, x):
            y = jnp.tanh(x + y @ w)
            return y, y

        return jax.lax.scan(step, jnp.zeros((B, N)), drives)[1]

    many = jnp.stack([DRIVES, 2 * DRIVES])
    expected = jax.grad(lambda w: sum((hand(w, x) ** 2).sum() for x in many))(W)
    for outer in (lambda: for_loop(run, many), lambda: vmap_states(run)(many)):
        found = jit(grad(lambda: (outer() ** 2).sum(), w))()  # noqa: B023
        assert_close(found, expected)


def test_settings_that_are_traced():
    """A setting is no State: the derivative by it must not be lost."""

    def loss(dt):
        with environ.context(dt=dt):
            ys = loop_with_feedback(
                lambda y, x: jnp.tanh(x * environ.get_dt()), lambda y: y @ W,
                jnp.ones((B, N)), DRIVES,
            )  # fmt: skip
        return (ys**2).sum()

    def hand(dt):
        def step(y, x):
            y = jnp.tanh((x + y @ W) * dt)
            return y, y

        return (jax.lax.scan(step, jnp.ones((B, N)), DRIVES)[1] ** 2).sum()

    assert_close(grad(loss)(0.3), jax.grad(hand)(0.3))


def test_without_jit_and_without_steps():
    w = ParamState(W)
    args = lambda y, x: jnp.tanh(x), lambda y: y @ w.value, jnp.ones((B, N))
    with jax.disable_jit():
        eager = loop_with_feedback(*args, DRIVES)
    np.testing.assert_allclose(eager, loop_with_feedback(*args, DRIVES), rtol=1e-6)
    assert loop_with_feedback(*args, DRIVES[:0]).shape == (0, B, N)
    with pytest.raises(ValueError, match="first axis"):
        loop_with_feedback(*args, jnp.float32(1.0))
