"""Every law of `RandomState` as a function that draws from the default generator."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import jax

from .distributions.sampler import OptDType, OptKey, OptReal, OptSize, Real
from .state import DEFAULT, RandomState

P = ParamSpec("P")
R = TypeVar("R")


def _on_default(method: Callable[Concatenate[RandomState, P], R]) -> Callable[P, R]:
    """The function that calls `method` of the default generator."""

    @functools.wraps(method)
    def function(*args: P.args, **kwargs: P.kwargs) -> R:
        return method(DEFAULT, *args, **kwargs)

    signature = inspect.signature(method)
    parameters = list(signature.parameters.values())[1:]
    function.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    function.__module__, function.__qualname__ = "brainstate.random", method.__name__
    return function


rand = _on_default(RandomState.rand)
rand_like = _on_default(RandomState.rand_like)
random = _on_default(RandomState.random)
random_sample = ranf = sample = random
uniform = _on_default(RandomState.uniform)
random_integers = _on_default(RandomState.random_integers)
randint_like = _on_default(RandomState.randint_like)

randn = _on_default(RandomState.randn)
randn_like = _on_default(RandomState.randn_like)
standard_normal = _on_default(RandomState.standard_normal)
normal = _on_default(RandomState.normal)
gumbel = _on_default(RandomState.gumbel)
laplace = _on_default(RandomState.laplace)
logistic = _on_default(RandomState.logistic)
lognormal = _on_default(RandomState.lognormal)
truncated_normal = _on_default(RandomState.truncated_normal)

standard_cauchy = _on_default(RandomState.standard_cauchy)
t = _on_default(RandomState.t)
standard_t = t
triangular = _on_default(RandomState.triangular)
vonmises = _on_default(RandomState.vonmises)
beta = _on_default(RandomState.beta)
power = _on_default(RandomState.power)
loggamma = _on_default(RandomState.loggamma)

exponential = _on_default(RandomState.exponential)
standard_exponential = _on_default(RandomState.standard_exponential)
gamma = _on_default(RandomState.gamma)
standard_gamma = _on_default(RandomState.standard_gamma)
chisquare = _on_default(RandomState.chisquare)
noncentral_chisquare = _on_default(RandomState.noncentral_chisquare)
f = _on_default(RandomState.f)
noncentral_f = _on_default(RandomState.noncentral_f)
pareto = _on_default(RandomState.pareto)
rayleigh = _on_default(RandomState.rayleigh)
maxwell = _on_default(RandomState.maxwell)
wald = _on_default(RandomState.wald)
weibull = _on_default(RandomState.weibull)
weibull_min = _on_default(RandomState.weibull_min)

binomial = _on_default(RandomState.binomial)
negative_binomial = _on_default(RandomState.negative_binomial)
geometric = _on_default(RandomState.geometric)
poisson = _on_default(RandomState.poisson)
hypergeometric = _on_default(RandomState.hypergeometric)
logseries = _on_default(RandomState.logseries)
zipf = _on_default(RandomState.zipf)

categorical = _on_default(RandomState.categorical)
dirichlet = _on_default(RandomState.dirichlet)
multinomial = _on_default(RandomState.multinomial)
multivariate_normal = _on_default(RandomState.multivariate_normal)
orthogonal = _on_default(RandomState.orthogonal)

choice = _on_default(RandomState.choice)
permutation = _on_default(RandomState.permutation)
shuffle = _on_default(RandomState.shuffle)


def randint(
    low: Real,
    high: OptReal = None,
    size: OptSize = None,
    key: OptKey = None,
    dtype: OptDType = None,
) -> jax.Array:
    """Whole numbers in ``[low, high)``, or in ``[0, low)`` where `high` is None."""
    return DEFAULT.randint(low, high, size, dtype, key)


def bernoulli(p: Real = 0.5, size: OptSize = None, key: OptKey = None) -> jax.Array:
    """True with probability `p`."""
    return DEFAULT.bernoulli(p, size, key)
