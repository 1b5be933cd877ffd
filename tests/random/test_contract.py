"""What every distribution promises, whatever its law."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate
from brainstate import random
from brainstate import transform as bt

SQUARE = [[2.0, 0.5], [0.5, 1.0]]
PARAMETERS = {
    "bernoulli": (0.3,), "beta": (2.0, 3.0), "binomial": (9, 0.4), "categorical": ([0.1, 0.9],),
    "chisquare": (3.0,), "choice": (8,), "dirichlet": ([1.0, 2.0],), "exponential": (2.0,),
    "f": (3.0, 4.0), "gamma": (2.0, 3.0), "geometric": (0.3,), "gumbel": (1.0, 2.0),
    "hypergeometric": (9, 5, 3), "laplace": (1.0, 2.0), "logistic": (1.0, 2.0),
    "lognormal": (0.5, 0.6), "logseries": (0.6,), "loggamma": (2.0,), "maxwell": (),
    "multinomial": (5, [0.2, 0.8]), "multivariate_normal": ([0.0, 1.0], SQUARE),
    "negative_binomial": (4, 0.4), "noncentral_chisquare": (3.0, 1.0),
    "noncentral_f": (3.0, 4.0, 1.0), "normal": (1.0, 2.0), "orthogonal": (2,), "pareto": (3.0,),
    "permutation": (6,), "poisson": (3.0,), "power": (2.0,), "rand": (2,),
    "rand_like": (np.zeros(2),), "randint": (0, 9), "randint_like": (np.zeros(2), 0, 9),
    "randn": (2,), "randn_like": (np.zeros(2),), "random": (), "random_integers": (0, 9),
    "random_sample": (), "ranf": (), "rayleigh": (2.0,), "sample": (), "shuffle": (np.arange(6),),
    "standard_cauchy": (), "standard_exponential": (), "standard_gamma": (2.0,),
    "standard_normal": (), "standard_t": (4.0,), "t": (4.0,), "triangular": (-1.0, 0.0, 2.0),
    "truncated_normal": (-1.0, 1.0), "uniform": (1.0, 2.0), "vonmises": (0.5, 2.0),
    "wald": (1.0, 2.0), "weibull": (2.0,), "weibull_min": (2.0, 3.0), "zipf": (2.5,),
}  # fmt: skip
every = pytest.mark.parametrize("name", PARAMETERS)


def draw_of(name):
    return lambda *_: getattr(random, name)(*PARAMETERS[name])


def assert_equal(found, expected):
    assert jnp.result_type(found) == jnp.result_type(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_every_function_that_draws_is_here():
    assert {name for name in random.__all__ if _draws(name)} == set(PARAMETERS)


def _draws(name):
    function = getattr(random, name)
    return inspect.isfunction(function) and "key" in inspect.signature(function).parameters


@every
def test_draws_are_those_of_plain_calls(name):
    draw = draw_of(name)

    @bt.jit
    def compiled():
        return bt.for_loop(bt.checkpoint(draw), length=3)

    with random.seed_context(1):
        expected = [draw() for _ in range(3)]
        after = random.get_key()
    with random.seed_context(1):
        draws = compiled()
        np.testing.assert_array_equal(random.get_key(), after)
        more = [np.asarray(compiled()[0]).tobytes() for _ in range(30)]
    for found, plain in zip(draws, expected, strict=True):
        assert_equal(found, plain)
    assert len(set(more)) > 1


@every
def test_lanes_draw_what_their_keys_draw(name):
    draw = draw_of(name)

    def with_key(key):
        random.set_key(key)
        return draw()

    with random.seed_context(2):
        keys = random.split_key(2)
        lanes = bt.jit(bt.vmap(with_key))(keys)
        for key, lane in zip(keys, lanes, strict=True):
            assert_equal(lane, with_key(key))


@every
def test_numbers_are_as_wide_as_environ_says(name):
    for precision in (64, 16):
        with brainstate.environ.context(precision=precision):
            dtype = jax.eval_shape(lambda: getattr(random, name)(*PARAMETERS[name], key=0)).dtype
            if jnp.issubdtype(dtype, jnp.floating):
                assert dtype == jnp.dtype(brainstate.environ.dftype())
