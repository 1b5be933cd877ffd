"""Draws inside transformations."""

import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import random
from brainstate.random import RandomState
from brainstate.transform import for_loop, grad, jit, vmap


@pytest.fixture(autouse=True)
def _same_key_afterwards():
    with random.seed_context(0):
        yield


def distinct(x):
    return len(np.unique(np.asarray(x))) == np.size(x)


def test_compiled_draws_are_the_eager_ones():
    def draw():
        return random.normal(size=3), random.zipf(2.0, size=3), random.split_key()

    random.seed(1)
    expected = [draw() for _ in range(2)]
    random.seed(1)
    compiled = jit(draw)
    for eager in expected:
        for a, b in zip(eager, compiled(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)


def test_loop_draws_are_the_eager_ones():
    random.seed(1)
    expected = [float(random.rand()) for _ in range(5)]
    random.seed(1)
    np.testing.assert_allclose(for_loop(lambda i: random.rand(), jnp.arange(5)), expected)


def test_lanes_draw_apart_call_after_call():
    draw = vmap(lambda x: random.rand())
    assert distinct([draw(jnp.arange(3.0)) for _ in range(2)])
    nested = vmap(lambda x: draw(jnp.arange(3.0)))
    assert distinct(nested(jnp.arange(2.0)))
    assert distinct(jit(nested)(jnp.arange(2.0)))
    assert random.get_key().shape == (2,)


def test_lanes_draw_apart_from_a_typed_key():
    rng = RandomState(jax.random.key(0))
    assert distinct(vmap(lambda x: rng.rand(2))(jnp.arange(3.0)))
    assert rng.value.shape == ()


def test_every_law_runs_in_lanes():
    def draw(x):
        return [
            random.vonmises(0.0, 1.0 + x),
            random.zipf(2.0 + x),
            random.hypergeometric(9, 5, 3),
            random.truncated_normal(-1.0, 1.0 + x),
            random.multinomial(5, [0.2, 0.8]),
            random.permutation(5),
        ]

    shapes = [y.shape for y in jit(vmap(draw))(jnp.arange(4.0))]
    assert shapes == [(4,), (4,), (4,), (4,), (4, 2), (4, 5)]


def test_lane_with_its_own_key_runs_as_if_alone():
    keys = random.split_key(3)

    def draw(key):
        random.set_key(key)
        return random.normal(size=2)

    alone = []
    for key in keys:
        with random.seed_context(key):
            alone.append(random.normal(size=2))
    np.testing.assert_allclose(vmap(draw)(keys), alone, rtol=1e-6)
    assert random.get_key().shape == (2,)


def test_seed_context_in_a_lane():
    def draw(seed):
        with random.seed_context(seed):
            return random.rand()

    expected = [float(RandomState(i).rand()) for i in range(3)]
    np.testing.assert_allclose(vmap(draw)(jnp.arange(3)), expected)


@pytest.mark.parametrize("transformation", [jit, vmap])
def test_failing_body_leaves_the_key_alone(transformation):
    before = np.asarray(random.get_key())

    def fail(key):
        random.set_key(key)
        random.split_key(2, backup=True)
        raise ZeroDivisionError

    keys = jax.random.split(jax.random.PRNGKey(3), 2)
    with pytest.raises(ZeroDivisionError):
        transformation(fail)(keys if transformation is vmap else keys[0])
    np.testing.assert_array_equal(random.get_key(), before)
    random.DEFAULT.backup_key()  # nothing was saved
    random.restore_key()


def test_backup_inside_jit():
    @jit
    def draw():
        random.DEFAULT.backup_key()
        first = random.rand()
        random.restore_key()
        return first, random.rand()

    for _ in range(2):
        first, second = draw()
        assert first == second


def test_key_saved_inside_jit_is_restored_outside():
    rng = RandomState(1)
    jit(lambda: rng.split_key(2, backup=True))()
    saved = np.asarray(rng.value)
    rng.rand()
    rng.restore_key()
    np.testing.assert_array_equal(rng.value, saved)


def test_gradient_through_location_and_scale():
    def loss(loc, scale):
        return random.normal(loc, scale, key=3)

    z = float(jax.random.normal(jax.random.PRNGKey(3)))
    gradient = jax.grad(loss, argnums=(0, 1))(1.0, 2.0)
    np.testing.assert_allclose(gradient, (1.0, z), rtol=1e-6)
    np.testing.assert_allclose(grad(lambda s: s * random.normal(key=3))(2.0), z, rtol=1e-6)


def test_gradient_of_a_truncated_normal():
    def draw(loc):
        return random.truncated_normal(-1.0, 2.0, loc=loc, key=3)

    slope = (draw(0.1 + 1e-2) - draw(0.1 - 1e-2)) / 2e-2
    assert float(jax.grad(draw)(0.1)) == pytest.approx(float(slope), rel=0.02)


def test_draws_in_a_loss_advance_the_key():
    before = np.asarray(random.get_key())
    grad(lambda x: x * random.rand())(1.0)
    np.testing.assert_array_equal(random.get_key(), jax.random.split(before)[0])


def test_read_inside_plain_jit_is_refused():
    with pytest.raises(
        brainstate.util.TraceContextError, match=r"random\.DEFAULT' was read inside a plain"
    ):
        jax.jit(lambda: random.rand())()
    assert random.rand().shape == ()


def test_generator_created_inside():
    @jit
    def make(seed):
        return RandomState(seed).rand(2)

    np.testing.assert_array_equal(make(3), RandomState(3).rand(2))


def test_draws_hold_no_generator_alive():
    rng = RandomState(0)
    rng.normal(0.0, 1.0, size=3)
    gone = weakref.ref(rng)
    del rng
    gc.collect()
    assert gone() is None


def test_no_compilation_for_repeated_draws():
    random.normal(0.0, 1.0, size=(3, 3))
    with jax.log_compiles(), pytest.MonkeyPatch.context():
        count = []
        jax.monitoring.register_event_duration_secs_listener(
            lambda event, *_, **__: count.append(event) if "compile" in event else None
        )
        random.normal(0.5, 2.0, size=(3, 3))
        random.normal(0.7, 3.0, size=(3, 3))
        assert count == []
        random.normal(0.7, 3.0, size=(3, 4))
        assert count != []
