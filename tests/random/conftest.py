"""Each law is compiled for a single run, where optimising costs more time than it saves."""

import jax
import pytest

FLAG = "jax_disable_most_optimizations"


@pytest.fixture(scope="package", autouse=True)
def _quick_compilation():
    before = jax.config.values[FLAG]
    jax.config.update(FLAG, True)
    yield
    jax.config.update(FLAG, before)
