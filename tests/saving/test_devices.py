"""Arrays go to the devices of the States that they are loaded into."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from brainstate import State
from brainstate.saving import load, save, save_async

DEVICES = jax.devices()
MESH = jax.make_mesh((len(DEVICES),), ("x",), axis_types=(AxisType.Auto,))
ROWS, COLUMNS = (NamedSharding(MESH, PartitionSpec(*spec)) for spec in (("x",), (None, "x")))
NUMBERS = np.arange(4.0 * len(DEVICES) ** 2, dtype=np.float32).reshape(2 * len(DEVICES), -1)


@pytest.fixture(params=["x.safetensors", "x"])
def path(request, tmp_path):
    return tmp_path / request.param


def on(place):
    return State(jax.device_put(jnp.zeros(NUMBERS.shape), place))


@pytest.mark.parametrize("saver", [save, lambda *args: save_async(*args).result()])
def test_arrays_are_loaded_onto_the_devices_of_the_state(path, saver):
    saver(path, {"w": State(jax.device_put(NUMBERS, ROWS))})
    for place in (COLUMNS, ROWS, DEVICES[-1]):
        state = on(place)
        load(path, {"w": state})
        assert state.value.sharding == on(place).value.sharding
        assert state.value.committed
        np.testing.assert_array_equal(state.value, NUMBERS)


def test_arrays_that_may_move_still_may(path):
    save(path, {"w": State(jax.device_put(NUMBERS, ROWS))})
    state = State(jnp.zeros(NUMBERS.shape))
    load(path, {"w": state})
    assert not state.value.committed
    elsewhere = jax.device_put(jnp.ones(NUMBERS.shape), DEVICES[-1])
    np.testing.assert_array_equal(state.value + elsewhere, NUMBERS + 1)  # would raise otherwise


def test_keys_and_small_types_are_placed_too(path):
    keys, numbers = jax.random.split(jax.random.key(0), len(DEVICES)), jnp.ones(len(DEVICES))
    values = {"keys": keys, "int4": numbers.astype(jnp.int4)}
    placed = {name: jax.device_put(value, ROWS) for name, value in values.items()}
    save(path, {"s": State(placed)})
    blank = {"keys": jax.random.split(jax.random.key(1), len(DEVICES)), "int4": 0 * values["int4"]}
    state = State({name: jax.device_put(value, ROWS) for name, value in blank.items()})
    load(path, {"s": state})
    assert all(value.sharding == ROWS for value in state.value.values())
    assert (state.value["keys"] == keys).all()
    assert (state.value["int4"] == 1).all()
