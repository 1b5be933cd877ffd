"""What is saved is what is loaded, of every type, in both formats."""

import brainunit as u
import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import brainstate as bst
from brainstate.saving import contents, load, save, save_async

State = bst.State
FORMATS = ("file.safetensors", "folder")
DTYPES = [
    *("bool", "int8", "int32", "uint8", "uint32", "int64", "float16", "float32", "float64"),
    *("complex64", "complex128", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3", "int4"),
]


@pytest.fixture(params=FORMATS)
def path(request, tmp_path):
    return tmp_path / request.param


def same(a, b):
    """Whether two leaves are the same to the last bit, and of one type."""
    if u.math.is_quantity(a) if hasattr(u.math, "is_quantity") else isinstance(a, u.Quantity):
        return a.unit == b.unit and same(a.mantissa, b.mantissa)
    if not hasattr(a, "dtype"):
        return type(a) is type(b) and (a == b or a != a != b)
    if isinstance(a, jax.Array):
        if jax.dtypes.issubdtype(a.dtype, jax.dtypes.prng_key):
            return a.dtype == b.dtype and same(jax.random.key_data(a), jax.random.key_data(b))
        if a.weak_type != b.weak_type or a.committed != b.committed:
            return False
    bits = [np.asarray(x).tobytes() for x in (a, b)]
    return a.dtype == b.dtype and a.shape == b.shape and bits[0] == bits[1]


def loaded(path, value, into):
    """What a State that held `into` holds after loading what one held that held `value`."""
    state = State(into)
    save(path, {"s": State(value)})
    load(path, {"s": state})
    return state.value


VALUES = {
    "int": 3,
    "large": 10**30,
    "float": 0.1,
    "infinity": -np.inf,
    "complex": 1 - 2j,
    "text": "ein Täxt",
    "bool": True,
    "none": None,
    "weak": jnp.asarray(2.5),
    "weak vector": jnp.broadcast_to(jnp.asarray(2.5), (3,)),
    "numpy": np.arange(3.0),
    "numpy number": np.float64(0.1),
    "not contiguous": np.arange(6.0).reshape(2, 3).T,
    "other byte order": np.arange(3, dtype=">i4"),
    "typed key": jax.random.key(3),
    "typed keys": jax.random.split(jax.random.key(3, impl="rbg"), 4),
    "raw key": jax.random.PRNGKey(3),
    "empty": jnp.zeros((0, 3), jnp.bfloat16),
    "unit": jnp.arange(3.0) * u.mV,
    "number with unit": 2.5 * u.mS / u.cm**2,
    "angle": u.Quantity(jnp.arange(3.0), unit=u.degree),
    "nested": {"a": [jnp.ones(2), None, (3, {"b": np.ones(1)})], "c": {}, "d.e": jnp.zeros(1)},
} | {name: np.array([[0, 1, 1], [1, 0, 1]]).astype(name) for name in DTYPES}
SMALL = {n: jnp.asarray(v) for n, v in VALUES.items() if n in DTYPES and v.dtype.itemsize < 5}


def blank(value):
    """A value of the same type with other numbers."""

    def one(x):
        if isinstance(x, u.Quantity):
            return u.Quantity(one(x.mantissa), unit=x.unit)
        if not hasattr(x, "dtype"):
            return x if x is None else type(x)()
        if jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key):
            return (
                jax.random.clone(x)
                if False
                else jax.random.wrap_key_data(
                    jnp.zeros_like(jax.random.key_data(x)), impl=jax.random.key_impl(x)
                )
            )
        if isinstance(x, jax.Array):
            return jnp.zeros_like(x)
        return np.zeros_like(x)[()] if isinstance(x, np.generic) else np.zeros_like(x)

    return jax.tree.map(one, value, is_leaf=lambda x: isinstance(x, u.Quantity))


def test_every_kind_of_value_survives(path):
    values = VALUES | {f"jax {name}": x for name, x in SMALL.items()}
    states = {name: State(blank(value)) for name, value in values.items()}
    save(path, {name: State(value) for name, value in values.items()})
    assert load(path, states) == ([], [])
    for name, value in values.items():
        got = states[name].value
        is_leaf = lambda x: x is None or isinstance(x, u.Quantity)  # noqa: E731
        assert jax.tree.structure(got, is_leaf=is_leaf) == jax.tree.structure(
            value, is_leaf=is_leaf
        )
        pairs = zip(*(jax.tree.leaves(x, is_leaf=is_leaf) for x in (value, got)), strict=True)
        assert all(same(a, b) for a, b in pairs), (name, value, got)
