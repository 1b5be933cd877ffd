"""What is saved is what is loaded, to the last bit, in both formats."""

import brainunit as u
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from brainstate import State
from brainstate.saving import contents, load, save

FORMATS = ("file.safetensors", "folder")
DTYPES = [
    *("bool", "int8", "int32", "uint8", "uint32", "int64", "float16", "float32", "float64"),
    *("complex64", "complex128", "bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3", "int4"),
]


@pytest.fixture(params=FORMATS)
def path(request, tmp_path):
    return tmp_path / request.param


def is_leaf(value):
    return value is None or isinstance(value, u.Quantity)


def is_key(value):
    return jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key)


def same(a, b):
    """Whether two leaves are the same to the last bit, and of one type."""
    if isinstance(a, u.Quantity):
        return a.unit == b.unit and same(a.mantissa, b.mantissa)
    if not hasattr(a, "dtype"):
        return type(a) is type(b) and repr(a) == repr(b)
    if isinstance(a, jax.Array) is not isinstance(b, jax.Array):
        return False
    if isinstance(a, jax.Array):
        if is_key(a):
            return a.dtype == b.dtype and same(jax.random.key_data(a), jax.random.key_data(b))
        if a.weak_type != b.weak_type or a.committed != b.committed:
            return False
    assert a.dtype == b.dtype.newbyteorder(a.dtype.byteorder)
    return a.shape == b.shape and np.asarray(a).tolist() == np.asarray(b).tolist()


def blank(value):
    """A value of the same type with other numbers."""

    def one(x):
        if isinstance(x, u.Quantity):
            return u.Quantity(one(x.mantissa), unit=x.unit)
        if not hasattr(x, "dtype"):
            return x if x is None else type(x)()
        if isinstance(x, jax.Array) and is_key(x):
            zeros = jnp.zeros_like(jax.random.key_data(x))
            return jax.random.wrap_key_data(zeros, impl=jax.random.key_impl(x))
        if isinstance(x, jax.Array):
            return jnp.zeros_like(x)
        return np.zeros_like(x)[()] if isinstance(x, np.generic) else np.zeros_like(x)

    return jax.tree.map(one, value, is_leaf=is_leaf)


def check_round_trip(path, values):
    states = {name: State(blank(value)) for name, value in values.items()}
    save(path, {name: State(value) for name, value in values.items()})
    assert load(path, states) == ([], [])
    for name, value in values.items():
        got = states[name].value
        structures = [jax.tree.structure(x, is_leaf=is_leaf) for x in (value, got)]
        assert structures[0] == structures[1]
        pairs = zip(*(jax.tree.leaves(x, is_leaf=is_leaf) for x in (value, got)), strict=True)
        assert all(same(a, b) for a, b in pairs), (name, value, got)


VALUES = {
    "int": 3,
    "large": 10**30,
    "float": 0.1,
    "infinity": -float("inf"),
    "complex": 1 - 2j,
    "text": "ein Täxt",
    "bool": True,
    "none": None,
    "weak": jnp.asarray(2.5),
    "weak vector": jnp.broadcast_to(jnp.asarray(2.5), (3,)),
    "numpy": np.arange(3.0),
    "numpy number": np.float64(0.1),
    "not contiguous": np.arange(6.0).reshape(2, 3).T,
    "typed key": jax.random.key(3),
    "typed keys": jax.random.split(jax.random.key(3, impl="rbg"), 4),
    "raw key": jax.random.PRNGKey(3),
    "empty": jnp.zeros((0, 3), jnp.bfloat16),
    "unit": jnp.arange(3.0) * u.mV,
    "number with unit": 2.5 * u.mS / u.cm**2,
    "half a power": jnp.arange(3.0) * u.nA**0.5,
    "angle": u.Quantity(jnp.arange(3.0), unit=u.degree),
    "nested": {"a": [jnp.ones(2), None, (3, {"b": np.ones(1)})], "c": {}, "d.e": jnp.zeros(1)},
}


def arrays_of_all_types():
    for name in DTYPES:
        array = np.array([[0, 1, 1], [1, 0, 1]]).astype(name)
        yield name, array
        if name not in ("int64", "float64", "complex128"):
            yield f"{name} of JAX", jnp.asarray(array)


def test_every_kind_of_value_survives(path):
    check_round_trip(path, VALUES | dict(arrays_of_all_types()))


def test_other_byte_orders_are_read_as_the_same_numbers(path):
    state = State(np.zeros(3, np.int32))
    save(path, {"x": State(np.arange(3, dtype=">i4"))})
    load(path, {"x": state})
    np.testing.assert_array_equal(state.value, [0, 1, 2])


KEYS = st.text(st.sampled_from("ab./\\%é 0"), max_size=3)
NUMBERS = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.none(), st.text("aé\n", max_size=3)
)
ARRAYS = hnp.arrays(
    st.sampled_from(["bool", "int32", "uint8", "float32", "float64", "complex64"]),
    hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=2),
    elements={"allow_nan": False},
)
UNITS = st.sampled_from([u.mV, u.volt, u.nA / u.mm**2, u.minute])
QUANTITIES = st.builds(
    lambda x, unit: u.Quantity(x, unit=unit),
    ARRAYS.filter(lambda x: x.dtype == np.float64),
    UNITS,
)
TREES = st.recursive(
    NUMBERS | ARRAYS | QUANTITIES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner, max_size=2)
    ),
    max_leaves=5,
)


def test_trees_survive(tmp_path):
    counted = iter(range(10**6))

    @settings(max_examples=40)
    @given(st.dictionaries(KEYS, TREES, min_size=1, max_size=2))
    def check(values):
        if any(jax.tree.leaves(value, is_leaf=is_leaf) for value in values.values()):
            check_round_trip(tmp_path / f"{next(counted)}.safetensors", values)

    check()


@pytest.mark.parametrize("keys", [["a/", "a"], ["a.b", "a"], ["%", "%25"], ["..", "/", "é"]])
def test_names_of_any_letters_survive(path, keys):
    check_round_trip(path, {key: np.full(2, i) for i, key in enumerate(keys)})


def test_contents_tell_shapes_types_and_units(path):
    values = {"V": jnp.ones(3) * u.mV, "count": 3, "key": jax.random.key(0), "none": None}
    save(path, {"s": State(values), "t": State(jnp.zeros((0, 2), jnp.int4))})
    assert contents(path) == {
        "s.V": ((3,), "float32", u.mV),
        "s.count": ((), "int", None),
        "s.key": ((), "key<threefry2x32>", None),
        "s.none": ((), "NoneType", None),
        "t": ((0, 2), "int4", None),
    }


# ---------------------------------------------------------------------- units and types


@pytest.mark.parametrize(("held", "expected"), [("volt", 0.0625), ("mV", 62.5)])
def test_numbers_are_converted_to_the_unit_of_the_state(path, held, expected):
    state = State(jnp.zeros(2) * getattr(u, held))
    for saved in (0.0625 * u.volt, 62.5 * u.mV):
        save(path, {"V": State(jnp.ones(2) * saved)})
        load(path, {"V": state})
        assert state.value.unit == getattr(u, held)
        np.testing.assert_allclose(state.value.mantissa, expected, rtol=1e-6)


def test_the_type_of_the_state_wins(path):
    save(path, {"x": State(np.array([0.1, 1000.1]))})
    for like in (jnp.zeros(2, jnp.bfloat16), np.zeros(2, np.float16)):
        state = State(like)
        load(path, {"x": state})
        assert type(state.value) is type(like)
        np.testing.assert_array_equal(state.value, np.array([0.1, 1000.1]).astype(like.dtype))


def test_python_numbers_take_on_what_a_program_made_of_them(path):
    for saved in (jnp.int32(7), jnp.uint8(7), jnp.float32(7.5), jnp.asarray(7), 7):
        state = State(0)
        save(path, {"count": State(saved)})
        load(path, {"count": state})
        assert same(saved, state.value)
    save(path, {"count": State(7)})
    state = State(jnp.zeros((), jnp.int8))
    load(path, {"count": state})
    assert same(jnp.int8(7), state.value)
