"""What counts as a seed or a key."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from brainstate.random import RandomState
from brainstate.random.keys import as_key, fresh_key


@pytest.mark.parametrize(
    "seed", [3, np.int64(3), np.uint8(3), np.array(3), np.array([3]), jnp.array(3), jnp.array([3])]
)
def test_integer_is_a_seed(seed):
    np.testing.assert_array_equal(as_key(seed), jax.random.PRNGKey(3))


def test_large_and_negative_seeds():
    for seed in (-1, 2**31, 2**40):
        np.testing.assert_array_equal(as_key(seed), jax.random.PRNGKey(seed))


def test_raw_key_is_taken_as_it_is():
    key = jax.random.PRNGKey(3)
    assert as_key(key) is key
    words = np.array([1, 2], np.uint32)
    taken = as_key(words)
    words[0] = 9
    assert taken.tolist() == [1, 2]


@pytest.mark.parametrize("impl", [None, "rbg"])
def test_typed_key_is_taken_as_it_is(impl):
    key = jax.random.key(3, impl=impl)
    assert as_key(key) is key


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ([0, 1], "list"),
        (1.0, "float"),
        (True, "bool"),
        (None, "NoneType"),
        ("seed", "str"),
        (np.array([0.0, 1.0]), r"float64 and shape \(2,\)"),
        (np.array([0, 1]), r"int64 and shape \(2,\)"),
        (np.zeros(3, np.uint32), r"uint32 and shape \(3,\)"),
        (np.zeros((4, 2), np.uint32), r"uint32 and shape \(4, 2\)"),
        (np.array(1.5), "float64"),
    ],
)
def test_anything_else_is_refused(wrong, found):
    with pytest.raises(
        TypeError, match=f"{found}.* as seed or key; give an integer seed, a raw key"
    ):
        as_key(wrong)


def test_several_typed_keys_are_refused():
    with pytest.raises(TypeError, match="one typed key"):
        as_key(jax.random.split(jax.random.key(0), 2))


def test_raw_keys_of_another_default_kind():
    with jax.default_prng_impl("rbg"):
        key = jax.random.PRNGKey(1)
        assert as_key(key) is key
        assert fresh_key().shape == (4,)
        rng = RandomState(1)
        np.testing.assert_array_equal(rng.rand(3), jax.random.uniform(jax.random.split(key)[1], 3))


def test_fresh_keys_differ():
    first, second = fresh_key(), fresh_key()
    assert first.dtype == np.uint32
    assert first.shape == (2,)
    assert (first != second).any()
