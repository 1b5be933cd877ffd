"""The generator as an object and as a State."""

import copy
import pickle
import threading

import jax
import numpy as np
import pytest

import brainstate
from brainstate.random import RandomState


def words(key):
    return np.asarray(key).tolist()


def test_kind_and_repr():
    rng = RandomState(42)
    assert isinstance(rng, brainstate.State)
    assert not isinstance(rng, (brainstate.ShortTermState, brainstate.LongTermState))
    assert repr(rng) == "RandomState([0 42])"
    assert repr(RandomState(jax.random.key(42))) == "RandomState(key<threefry2x32>[0 42])"
    assert rng.value.dtype == np.uint32
    assert rng.value.shape == (2,)


def test_repr_inside_a_transformation():
    seen, rng = [], RandomState(0)
    brainstate.transform.jit(lambda: seen.append(repr(rng)))()
    assert seen[0].startswith("RandomState(")


def test_draws_advance_the_key_as_split_does():
    rng, key = RandomState(1), jax.random.PRNGKey(1)
    for _ in range(3):
        key, own = jax.random.split(key)
        np.testing.assert_array_equal(rng.rand(2), jax.random.uniform(own, 2))
        assert words(rng.value) == words(key)


def test_compiled_code_that_only_reads_the_key_sees_each_draw():
    rng = RandomState(1)
    look = brainstate.transform.jit(lambda: rng.value)
    for draw in (rng.rand, rng.split_key, lambda: rng.randint(9)):
        before = words(look())
        draw()
        assert words(look()) == words(rng.value) != before


def test_eager_draws_fit_between_those_of_bodies():
    rng, key = RandomState(1), jax.random.PRNGKey(1)
    compiled = brainstate.transform.jit(lambda: rng.rand(2))
    for draw in (rng.rand, compiled, lambda *_: rng.rand(2), compiled):
        key, own = jax.random.split(key)
        found = draw(2) if draw is not compiled else draw()
        np.testing.assert_array_equal(found, jax.random.uniform(own, 2))
    with brainstate.StateTraceStack() as seen:
        rng.rand(2)
    assert seen.states == [rng]
    assert seen.been_writen == [True]


@pytest.mark.parametrize("transform", [jax.jit, jax.vmap, jax.grad])
def test_a_draw_inside_plain_jax_is_refused(transform):
    rng = RandomState(1)
    with pytest.raises(brainstate.util.TraceContextError, match="plain jax"):
        transform(lambda x: rng.rand() * x)(jax.numpy.ones(3) if transform is jax.vmap else 1.0)
    assert words(rng.value) == [0, 1]


@pytest.mark.parametrize("low", [0, 1, -3, np.int64(0)])
def test_randint_draws_as_jax_does_wherever_it_starts(low):
    own = jax.random.split(jax.random.PRNGKey(1))[1]
    expected = jax.random.randint(own, (50,), int(low), 9)
    np.testing.assert_array_equal(RandomState(1).randint(low, 9, 50), expected)


def test_typed_key_draws_the_same_numbers_and_stays_typed():
    raw, typed = RandomState(5), RandomState(jax.random.key(5))
    np.testing.assert_array_equal(raw.normal(size=3), typed.normal(size=3))
    np.testing.assert_array_equal(raw.zipf(2.0, size=3), typed.zipf(2.0, size=3))
    assert words(jax.random.key_data(typed.value)) == words(raw.value)
    assert words(jax.random.key_data(typed.split_key(2))) == words(raw.split_key(2))


def test_seed_and_set_key():
    rng = RandomState(0)
    for renew in (rng.seed, rng.set_key):
        for key in (7, np.uint8(7), jax.random.PRNGKey(7)):
            renew(key)
            assert words(rng.value) == [0, 7]
    rng.seed()
    assert words(rng.value) != [0, 7]
    with pytest.raises(TypeError, match="give an integer seed"):
        rng.set_key("seven")


def test_split_key():
    rng, key = RandomState(1), jax.random.PRNGKey(1)
    expected = jax.random.split(key)
    assert words(rng.split_key()) == words(expected[1])
    assert words(rng.value) == words(expected[0])
    expected = jax.random.split(expected[0], 4)
    assert words(rng.split_key(3)) == words(expected[1:])
    assert words(rng.value) == words(expected[0])
    assert rng.split_key(np.int64(1)).shape == (1, 2)


@pytest.mark.parametrize(("n", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError)])
def test_split_key_into_a_wrong_number(n, error):
    with pytest.raises(error, match="number of keys"):
        RandomState(0).split_key(n)
    with pytest.raises(error, match="number of keys"):
        RandomState(0).self_assign_multi_keys(n)


def test_backup():
    rng = RandomState(0)
    rng.split_key(2, backup=True)
    saved = words(rng.value)
    rng.rand(3)
    now = words(rng.value)
    with pytest.raises(ValueError, match="saved already"):
        rng.backup_key()
    with pytest.raises(ValueError, match="saved already"):
        rng.split_key(2, backup=True)
    assert words(rng.value) == now
    rng.restore_key()
    assert words(rng.value) == saved
    with pytest.raises(ValueError, match="No key is saved"):
        rng.restore_key()


def test_self_assign_multi_keys():
    rng, key = RandomState(1), jax.random.PRNGKey(1)
    rng.self_assign_multi_keys(3)
    expected = jax.random.split(key, 4)
    assert words(rng.value) == words(expected[1:])
    rng.restore_key()
    assert words(rng.value) == words(expected[0])
    rng = RandomState(1)
    rng.self_assign_multi_keys(3, backup=False)
    assert words(rng.value) == words(jax.random.split(key, 3))


def test_clone_is_split_off():
    rng, key = RandomState(1), jax.random.PRNGKey(1)
    clone = rng.clone()
    assert type(clone) is RandomState
    assert words(clone.value) == words(jax.random.split(key)[1])
    assert words(rng.value) == words(jax.random.split(key)[0])


@pytest.mark.parametrize("key", [3, jax.random.key(3)])
def test_copies_go_on_alike_and_apart(key):
    rng = RandomState(key, name="noise")
    rng.backup_key()
    for other in (rng.copy(), copy.copy(rng), copy.deepcopy(rng), pickle.loads(pickle.dumps(rng))):
        assert type(other) is RandomState
        assert other.name == "noise"
        other.backup_key()  # the copy has saved nothing
        np.testing.assert_array_equal(other.rand(3), rng.copy().rand(3))


def test_reference_and_back():
    rng, other = RandomState(3), RandomState(4)
    other.update_from_ref(rng.to_state_ref())
    assert words(other.value) == [0, 3]
    other.backup_key()
    other.restore_key()


def test_donated_key_is_renewed():
    rng = RandomState(3)
    rng.value.delete()
    assert rng.rand(2).shape == (2,)
    assert rng.value.shape == (2,)


def test_one_new_state_is_caught():
    with brainstate.catch_new_states() as caught:
        rng = RandomState(0)
    assert caught.states == [rng]


def test_threads_never_share_a_draw():
    rng, samples = RandomState(0), []

    def work():
        for _ in range(50):
            samples.append(float(rng.rand()))  # noqa: PERF401  threads race for each draw

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = RandomState(0)
    assert sorted(samples) == sorted(float(alone.rand()) for _ in range(400))
    assert words(rng.value) == words(alone.value)


def test_worker_thread_sees_the_settings():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(brainstate.random.rand(2).dtype))
    thread.start()
    thread.join()
    assert seen == [np.float32]
