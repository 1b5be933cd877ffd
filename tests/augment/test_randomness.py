"""`restore_rngs`."""

import jax.numpy as jnp
import numpy as np
import pytest

from brainstate import random
from brainstate.augment import restore_rngs
from brainstate.random import RandomState
from brainstate.transform import jit, vmap


@pytest.fixture(autouse=True)
def _same_key_afterwards():
    with random.seed_context(0):
        yield


def test_the_global_generator_is_put_back():
    before = random.get_key()

    @restore_rngs
    def draw(n, *, scale=1.0):
        return random.rand(n) * scale

    first, second = draw(2), draw(2, scale=2.0)
    np.testing.assert_allclose(second, 2 * first)
    np.testing.assert_array_equal(random.get_key(), before)
    assert draw.__name__ == "draw"


def test_generators_of_ones_own():
    a, b, c = (RandomState(seed) for seed in range(3))
    keys = [rng.value for rng in (a, b, c)]

    @restore_rngs(rngs=[a, b])
    def draw():
        return a.rand() + b.rand() + c.rand()

    draw()
    np.testing.assert_array_equal(a.value, keys[0])
    np.testing.assert_array_equal(b.value, keys[1])
    assert not np.array_equal(c.value, keys[2])
    single = restore_rngs(lambda: c.rand(), rngs=c)
    assert single() == single()


def test_put_back_on_error_too():
    before = random.get_key()

    @restore_rngs
    def fail():
        random.rand()
        random.set_key(random.split_key())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    np.testing.assert_array_equal(random.get_key(), before)


def test_re_entrant():
    before = random.get_key()

    @restore_rngs
    def recur(n):
        drawn = random.rand()
        if n:
            inner = recur(n - 1)
            assert inner != drawn
            assert random.rand() == inner  # the inner draws were taken back
        return drawn

    recur(2)
    np.testing.assert_array_equal(random.get_key(), before)


def test_in_transformations():
    before = random.get_key()
    draw = restore_rngs(lambda: random.rand())
    first = jit(draw)()
    assert first == draw()
    np.testing.assert_array_equal(random.get_key(), before)
    found = vmap(lambda x: draw() + draw() * 0)(jnp.arange(3.0))
    assert len(set(found.tolist())) == 3


@pytest.mark.parametrize("rngs", [3, [RandomState, 3], "DEFAULT"])
def test_only_generators(rngs):
    with pytest.raises(TypeError, match="restore_rngs takes RandomStates; found"):
        restore_rngs(lambda: None, rngs=rngs)
