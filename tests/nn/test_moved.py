"""Names that later releases keep in `nn` are the objects of this library's own rooms."""

import importlib
import os
import subprocess
import sys

import pytest

import brainstate
from brainstate import event, functional, init, nn, surrogate
from brainstate.nn._moved import MOVED, ROOMS


def test_each_name_is_the_same_object():
    others = set()
    for name, room in MOVED.items():
        module = getattr(brainstate, room)
        if getattr(nn, name) is not (module if name == room else getattr(module, name)):
            others.add(name)
    assert others <= {"Identity"}, "one name, two things"
    assert nn.relu is functional.relu
    assert nn.KaimingNormal is init.KaimingNormal
    assert nn.EventLinear is event.Linear
    assert nn.Linear is not event.Linear


def test_no_name_of_two_rooms():
    names = [name for names in ROOMS.values() for name in names]
    assert len(names) == len(set(names))
    assert not {*names} & {*ROOMS}


@pytest.mark.parametrize("room", [functional, init, surrogate])
def test_rooms_are_modules_of_nn(room):
    name = room.__name__.rpartition(".")[2]
    assert importlib.import_module(f"brainstate.nn.{name}") is room
    assert getattr(nn, name) is room


def test_imports_by_the_later_names():
    lines = [
        "from brainstate.nn import relu, init, event",
        "from brainstate.nn.init import KaimingNormal",
        "import brainstate.nn.surrogate as s; s.Sigmoid()",
        "from brainstate.transform import jit",
    ]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr


def test_unknown_names():
    with pytest.raises(AttributeError, match=r"'brainstate\.nn' has no attribute 'Nonsense'"):
        _ = nn.Nonsense
    with pytest.raises(ImportError, match="Nonsense"):
        from brainstate.nn import Nonsense  # noqa: F401
