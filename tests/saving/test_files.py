"""What stands on the disk: read and written by other programs, whole at each moment, or refused."""

import json
import os
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import brainunit as u
import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from orbax.checkpoint import v1 as ocp

import brainstate
from brainstate import State
from brainstate.saving import contents, folder, load, save, save_async, single_file

FORMATS = {"file.safetensors": single_file, "folder": folder}


@pytest.fixture(params=FORMATS)
def path(request, tmp_path):
    return tmp_path / request.param


def tree():
    return {"net": {"w": State(jnp.arange(6.0).reshape(2, 3)), "V": State(jnp.ones(2) * u.mV)}}


# ---------------------------------------------------------------------- other programs


def test_safetensors_reads_our_file(tmp_path):
    path = tmp_path / "net.safetensors"
    save(path, tree() | {"h": State(jnp.ones(2, jnp.bfloat16)), "t": State(np.eye(3)[::2].T)})
    found = safetensors.numpy.load_file(path)
    assert found.keys() == {"net.w", "net.V", "h", "t"}
    np.testing.assert_array_equal(found["net.w"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(found["t"], np.eye(3)[::2].T)
    assert found["h"].dtype == ml_dtypes.bfloat16
    with safetensors.safe_open(path, "numpy") as file:
        notes = json.loads(file.metadata()["brainstate"])["leaves"]
    assert notes["net.V"]["unit"]["name"] == "mvolt"
    assert notes["net.V"]["unit"]["symbol"] == "mV"


def test_we_read_a_file_of_safetensors(tmp_path):
    path = tmp_path / "net.safetensors"
    arrays = {
        "layers.0.weight.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
        "layers.0.weight.bias": np.ones(3, np.float32),
        "scale": np.array([0.5], ml_dtypes.float8_e4m3fn),
    }
    safetensors.numpy.save_file(arrays, path)
    assert contents(path)["scale"] == ((1,), "float8_e4m3fn", None)
    net = brainstate.nn.Sequential(brainstate.nn.Linear(2, 3))
    assert load(path, net, strict=False) == ([], [("scale",)])
    value = net.layers[0].weight.value
    np.testing.assert_array_equal(value["weight"], arrays["layers.0.weight.weight"])
    np.testing.assert_array_equal(value["bias"], np.ones(3))
    with pytest.raises(ValueError, match="no unit in the file, unit mV"):
        load(path, {"scale": State(jnp.zeros(1, jnp.float8_e4m3fn) * u.mV)}, strict=False)


def test_orbax_reads_our_folder(tmp_path):
    save(tmp_path / "net", tree())
    memory = {"net.w": np.zeros((2, 3), np.float32), "net.V": np.zeros(2, np.float32)}
    found = ocp.load(tmp_path / "net", memory)
    np.testing.assert_array_equal(found["net.w"], [[0, 1, 2], [3, 4, 5]])
    notes = ocp.metadata(tmp_path / "net").custom_metadata["brainstate"]["leaves"]
    assert notes["net.V"]["unit"]["symbol"] == "mV"


def test_we_read_a_nested_folder_of_orbax(tmp_path):
    ocp.save(tmp_path / "other", {"a": {"b": [jnp.arange(3.0), np.ones(2)]}, "c": 3.5})
    target = {"a": {"b": [State(jnp.zeros(3)), State(np.zeros(2))]}, "c": State(0.0)}
    assert load(tmp_path / "other", target) == ([], [])
    np.testing.assert_array_equal(target["a"]["b"][0].value, [0, 1, 2])
    np.testing.assert_array_equal(target["a"]["b"][1].value, [1, 1])
    assert target["c"].value == 3.5


# ---------------------------------------------------------------------- whole at each moment


def test_a_save_that_fails_leaves_the_older_one(path, monkeypatch):
    save(path, tree())
    before = sorted(path.parent.iterdir())

    def fail(*args):
        raise OSError("the disk is full")

    for name in ("replace", "rename"):
        monkeypatch.setattr(os, name, fail)
    newer = {"net": {"w": State(jnp.zeros((2, 3))), "V": State(jnp.zeros(2) * u.mV)}}
    with pytest.raises(OSError, match="full"):
        save(path, newer)
    with pytest.raises(OSError, match="full"):
        save_async(path, newer).result()
    monkeypatch.undo()
    if path.suffix:
        assert sorted(path.parent.iterdir()) == before
    found = tree()
    found["net"]["w"].value *= 0
    load(path, found)
    np.testing.assert_array_equal(found["net"]["w"].value, [[0, 1, 2], [3, 4, 5]])
    save(path, newer)
    load(path, found)
    assert not found["net"]["w"].value.any()
    assert sorted(path.parent.iterdir()) == before


def test_a_folder_is_found_if_the_process_ends_between_the_renamings(tmp_path, monkeypatch):
    path, rename, names = tmp_path / "net", os.rename, []

    def once(*args):
        names.append(args)
        if len(names) == 2:
            raise KeyboardInterrupt
        rename(*args)

    save(path, {"x": State(1)})
    monkeypatch.setattr(os, "rename", once)
    with pytest.raises(KeyboardInterrupt):
        save(path, {"x": State(2)})
    monkeypatch.undo()
    state = State(0)
    load(path, {"x": state})
    assert state.value == 1
    save(path, {"x": State(3)})
    load(path, {"x": state})
    assert state.value == 3
    assert [p.name for p in tmp_path.iterdir()] == ["net"]


def test_files_have_the_usual_rights(tmp_path):
    save(tmp_path / "x.safetensors", tree())
    (tmp_path / "plain").touch()
    modes = [stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ("x.safetensors", "plain")]
    assert modes[0] == modes[1]


# ---------------------------------------------------------------------- in the background


def test_a_save_in_the_background_has_the_values_of_its_call(path, monkeypatch):
    form, ready = FORMATS[path.name], threading.Event()
    write = form.write
    monkeypatch.setattr(form, "write", lambda *args: ready.wait(10) and write(*args))
    array, text = np.arange(3.0), State("before")
    state = State({"jax": jnp.arange(3.0), "numpy": array})
    target = {"a": state, "b": text}
    future = save_async(path, target)
    assert not path.exists()
    jax.jit(lambda x: 0 * x, donate_argnums=0)(state.value["jax"])
    array[:] = 0.0
    text.value = "after"
    ready.set()
    state.value = {"jax": jnp.zeros(3), "numpy": np.zeros(3)}
    load(path, target)  # waits
    assert future.done()
    np.testing.assert_array_equal(state.value["jax"], [0, 1, 2])
    np.testing.assert_array_equal(state.value["numpy"], [0, 1, 2])
    assert text.value == "before"


def test_a_save_in_the_background_outlives_its_program(tmp_path):
    program = f"""
        import sys
        import jax.numpy as jnp
        from brainstate import State, saving
        assert not {{"orbax", "safetensors", "brainunit"}} & sys.modules.keys()
        for name in {list(FORMATS)}:
            saving.save_async(f"{tmp_path}/{{name}}", {{"x": State(jnp.ones((1000, 1000)))}})
    """
    sources = str(Path(brainstate.__file__).parent.parent)
    environment = os.environ | {"PYTHONPATH": sources}
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, env=environment)
    for name in FORMATS:
        assert contents(tmp_path / name)["x"].shape == (1000, 1000)


# ---------------------------------------------------------------------- refused


def test_missing_files_and_others_are_told_apart(tmp_path):
    for name in FORMATS:
        with pytest.raises(FileNotFoundError, match=name):
            contents(tmp_path / name)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(ValueError, match="no folder written by orbax"):
        contents(tmp_path / "mine")
    with pytest.raises(FileExistsError, match="not overwritten"):
        save(tmp_path / "mine", tree())
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "x"


def test_a_damaged_file_is_refused(tmp_path):
    path, target = tmp_path / "x.safetensors", tree()
    save(path, target)
    whole = path.read_bytes()
    for data in (b"", whole[:20], whole[:-1], b"\xff" * 100):
        path.write_bytes(data)
        with pytest.raises(ValueError, match="no whole file of safetensors"):
            load(path, target)


def test_a_file_of_a_later_release_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    header = {"brainstate": json.dumps({"version": 2})}
    safetensors.numpy.save_file({"x": np.ones(1)}, path, header)
    with pytest.raises(ValueError, match=r"version 2.*up to 1"):
        contents(path)


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [
        ("x.safetensors", "safetensors.numpy", "pip install safetensors"),
        ("x", "orbax.checkpoint", "pip install orbax-checkpoint"),
    ],
)
def test_a_missing_package_is_named(tmp_path, monkeypatch, name, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    for call in (lambda: save(tmp_path / name, tree()), lambda: contents(tmp_path / name)):
        with pytest.raises(ImportError, match=package):
            call()
