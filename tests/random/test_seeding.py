"""The keys of the default generator."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from brainstate import random

SRC = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture(autouse=True)
def _same_key_afterwards():
    with random.seed_context(0):
        yield


def words(key):
    return np.asarray(key).tolist()


def numpy_draw():
    return np.random.random()  # noqa: NPY002  the global generator is meant


def test_seed_repeats_everything():
    draws = []
    for _ in range(2):
        random.seed(42)
        draws.append((random.rand(3).tolist(), random.zipf(2.0, 5).tolist(), numpy_draw()))
    assert draws[0] == draws[1]
    random.seed(43)
    assert random.rand(3).tolist() != draws[0][0]


def test_seed_reaches_numpy():
    for given, first_word in [
        (5, 5),
        (np.uint8(5), 5),
        (jax.random.PRNGKey(5), 0),
        (-1, 2**32 - 1),
    ]:
        random.seed(given)
        expected = np.random.RandomState(first_word).random()
        assert numpy_draw() == expected
    random.seed(jax.random.key(5))
    assert numpy_draw() == np.random.RandomState(0).random()


def test_seed_without_argument_leaves_numpy_alone():
    random.seed(1)
    expected = np.random.RandomState(1).random()
    before = words(random.get_key())
    random.seed()
    assert words(random.get_key()) != before
    assert numpy_draw() == expected


def test_seed_refuses_other_values():
    for wrong in ("a", [1, 2], np.zeros(3, np.uint32)):
        with pytest.raises(TypeError, match="give an integer seed"):
            random.seed(wrong)


def test_set_and_get_key():
    random.set_key(7)
    assert words(random.get_key()) == [0, 7]
    assert words(random.get_key()) == [0, 7]
    key = jax.random.PRNGKey(9)
    random.set_key(key)
    assert random.get_key() is key
    random.set_key(jax.random.key(9))
    assert random.rand(2).tolist() == random.RandomState(9).rand(2).tolist()


def test_default_rng():
    assert random.default_rng() is random.DEFAULT
    rng = random.default_rng(3)
    assert isinstance(rng, random.RandomState)
    assert rng is not random.DEFAULT
    assert words(rng.value) == [0, 3]


def test_split_restore_and_assign():
    random.seed(1)
    expected = jax.random.split(jax.random.PRNGKey(1), 3)
    assert words(random.split_keys(2, backup=True)) == words(expected[1:])
    random.rand()
    random.restore_key()
    assert words(random.get_key()) == words(expected[0])
    assert words(random.split_key()) == words(jax.random.split(expected[0])[1])
    random.self_assign_multi_keys(4)
    assert random.get_key().shape == (4, 2)
    random.restore_key()
    assert random.get_key().shape == (2,)


def test_seed_context_restores_also_after_an_error():
    before, numpy_before = words(random.get_key()), np.random.get_state()[1].tolist()  # noqa: NPY002
    with random.seed_context(3):
        inside = random.rand(2).tolist()
    assert words(random.get_key()) == before

    def fail():
        with random.seed_context(3):
            assert random.rand(2).tolist() == inside
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert words(random.get_key()) == before
    assert np.random.get_state()[1].tolist() == numpy_before  # noqa: NPY002


def run(code):
    env = os.environ | {"PYTHONPATH": str(SRC)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_runs_nothing_and_every_process_has_its_own_key():
    code = (
        "import brainstate, numpy as np; before = np.random.get_state()[1].tolist(); random = "
        "brainstate.random; assert type(random.DEFAULT.value) is np.ndarray; "
        "assert random.DEFAULT.value.dtype == np.uint32; "
        "assert np.random.get_state()[1].tolist() == before; print(random.DEFAULT)"
    )
    assert run(code) != run(code)


@pytest.mark.parametrize(
    "code",
    [
        "f = brainstate.transform.jit(lambda: brainstate.random.rand()); a, b = f(), f()",
        "f = brainstate.transform.vmap(lambda x: x + brainstate.random.rand()); "
        "(a, _), (b, _) = f(jnp.zeros(2)), f(jnp.zeros(2))",
    ],
)
def test_default_generator_belongs_to_no_function_that_imports_it_first(code):
    run(f"import brainstate, jax.numpy as jnp; {code}; assert a != b; brainstate.random.rand()")
