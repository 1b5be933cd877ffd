"""Arrays go to the devices of the States that they are loaded into."""

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

import brainstate
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


PROGRAM = """
    import sys
    import jax
    import numpy as np
    from jax.sharding import AxisType, NamedSharding, PartitionSpec

    number, address, path = int(sys.argv[1]), *sys.argv[2:]
    jax.config.update("jax_num_cpu_devices", 2)
    jax.distributed.initialize(address, num_processes=2, process_id=number)

    import jax.numpy as jnp
    from brainstate import State, saving

    mesh = jax.make_mesh((4,), ("x",), axis_types=(AxisType.Auto,))
    rows = NamedSharding(mesh, PartitionSpec("x"))
    spread = lambda x: jax.make_array_from_callback((8,), rows, lambda index: x[index])

    target = {"spread": State(spread(np.arange(8.0))), "own": State(jnp.ones(3)), "n": State(3)}
    for save in (saving.save, lambda *args: saving.save_async(*args).result()):
        save(path, target)
        target["spread"].value, target["own"].value = spread(np.zeros(8)), jnp.zeros(3)
        target["n"].value = 0
        saving.load(path, target)
        for shard in target["spread"].value.addressable_shards:
            np.testing.assert_array_equal(shard.data, np.arange(8.0)[shard.index])
        np.testing.assert_array_equal(target["own"].value, np.ones(3))
        assert target["n"].value == 3
    try:
        saving.save(path + ".safetensors", target)
    except ValueError as error:
        assert "spread over processes" in str(error)
    else:
        raise AssertionError
"""


def test_many_processes_save_and_load_together(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    environment = os.environ | {
        "PYTHONPATH": str(Path(brainstate.__file__).parent.parent),
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "",
    }
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM)]
    processes = [
        subprocess.Popen(
            [*command, str(number), address, str(tmp_path / "run")],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in range(2)
    ]
    try:
        said = [process.communicate(timeout=120)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0], said
