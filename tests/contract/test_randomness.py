"""Random numbers: every draw moves the key on, every lane draws its own."""

import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
import brainstate.transform as bt
from contract.transformations import (
    EFFECTIVE,
    JIT,
    KINDS,
    ROWS,
    name_of,
    nests,
    runs_of,
    some_nests,
    through,
)

TOGETHER = [row for row in EFFECTIVE if not row.lanes]
LANES = [row for row in ROWS if row.lanes]
SOME = [row for row in KINDS if row.name in ("jit", "vmap", "scan", "cond")]
EACH = [row for row in ROWS if row.each is not None]


@pytest.fixture(autouse=True)
def _same_key_afterwards():
    with brainstate.random.seed_context(0):
        yield


def eager_draws(count):
    """What `count` draws in plain Python give, and the key they leave behind."""
    with brainstate.random.seed_context(7):
        draws = [float(brainstate.random.rand()) for _ in range(count)]
        return draws, np.asarray(brainstate.random.get_key())


def distinct(*draws):
    flat = np.concatenate([np.ravel(x) for x in draws])
    return len(np.unique(flat)) == flat.size


@pytest.mark.parametrize("rows", some_nests(TOGETHER), ids=name_of)
def test_draws_are_those_of_plain_python(rows):
    call = through(*rows)(lambda x: x * brainstate.random.rand())
    expected, key = eager_draws(2 * runs_of(rows))
    with brainstate.random.seed_context(7):
        first, second = call(jnp.float32(1.0)), call(jnp.float32(1.0))
        np.testing.assert_array_equal(brainstate.random.get_key(), key)
    np.testing.assert_allclose((first, second), expected[runs_of(rows) - 1 :: runs_of(rows)])


@pytest.mark.parametrize("rows", nests([r for r in ROWS if not r.effects]), ids=name_of)
def test_looking_at_a_body_draws_nothing(rows):
    before = brainstate.random.get_key()
    through(*rows)(lambda x: x * brainstate.random.rand())(jnp.float32(1.0))
    assert brainstate.random.get_key() is before


@pytest.mark.parametrize(
    ("row", "outer"), [*((row, None) for row in EACH), *((row, JIT) for row in LANES)], ids=str
)
def test_no_two_draws_are_alike(row, outer):
    """Neither two lanes or steps of a call, nor two calls, nor a call and what follows it."""
    kept = brainstate.State(jnp.zeros(row.size))
    draw = row.each(lambda x: x * brainstate.random.rand())

    def body(x):
        kept.value = draw(jnp.full(row.size, x))
        return x

    call = body if outer is None else outer(body)
    draws = []
    for _ in range(2):
        call(jnp.float32(1.0))
        draws += [kept.value, brainstate.random.rand()]
    assert distinct(*draws)
    assert brainstate.random.get_key().shape == (2,)


@pytest.mark.parametrize("inner", SOME, ids=name_of)
def test_lanes_of_nested_bodies_draw_apart(inner):
    """Whatever transformation stands inside a lane, the lanes go different ways."""

    def lane(x):
        inner(lambda x: brainstate.random.rand() * x)(x)
        return brainstate.random.rand()

    assert distinct(bt.vmap(lane)(jnp.ones(3)))


def test_lanes_of_lanes_draw_apart():
    inner = bt.vmap(lambda x: brainstate.random.rand())
    outer = bt.vmap(lambda xs: (inner(xs), brainstate.random.rand()))
    assert distinct(*outer(jnp.ones((3, 2))))
    over_devices = bt.pmap(inner)
    assert distinct(over_devices(jnp.ones((8, 2))))


@pytest.mark.parametrize("row", EACH, ids=name_of)
def test_run_with_its_own_key_draws_what_that_key_draws(row):
    keys = brainstate.random.split_key(row.size)
    alone = []
    for key in keys:
        with brainstate.random.seed_context(key):
            alone.append([float(brainstate.random.rand()) for _ in range(2)])

    def body(key):
        brainstate.random.set_key(key)
        return brainstate.random.rand(), brainstate.random.rand()

    before = np.asarray(brainstate.random.get_key())
    draws = row.each(body)(keys)
    np.testing.assert_allclose(np.transpose(draws), alone, rtol=1e-6)
    if row.lanes:  # what a lane does to its key stays with it
        assert brainstate.random.get_key().shape == (2,)
    else:
        assert not np.array_equal(before, brainstate.random.get_key())


@pytest.mark.parametrize("row", LANES, ids=name_of)
def test_generator_of_a_model_behaves_as_the_default_one(row):
    model = brainstate.graph.Dict(rng=brainstate.random.RandomState(3))
    draw = row.each(lambda x: model.rng.rand())
    assert distinct(draw(jnp.ones(row.size)), draw(jnp.ones(row.size)), model.rng.rand())
    assert model.rng.value.shape == (2,)


@pytest.mark.parametrize("row", SOME, ids=name_of)
def test_generator_made_in_the_body(row):
    def body(x):
        return brainstate.random.RandomState(5).rand() * x

    expected = float(brainstate.random.RandomState(5).rand())
    np.testing.assert_allclose(row(body)(jnp.float32(1.0)), expected, rtol=1e-6)


@pytest.mark.parametrize("row", SOME, ids=name_of)
def test_restored_generator_is_as_before(row):
    @bt.restore_rngs
    def body(x):
        brainstate.random.rand()
        return x

    before = np.asarray(brainstate.random.get_key())
    row(body)(jnp.float32(1.0))
    if not row.lanes:
        np.testing.assert_array_equal(brainstate.random.get_key(), before)
    assert brainstate.random.get_key().shape == (2,)
