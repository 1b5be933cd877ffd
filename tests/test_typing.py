import os
import subprocess
import sys
import typing
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import brainstate.typing as bt
from brainstate.typing import (
    Array,
    ArrayLike,
    Axes,
    DTypeLike,
    Filter,
    FilterLiteral,
    Key,
    Missing,
    PathParts,
    Predicate,
    PyTree,
    SeedOrKey,
    Size,
    SupportsDType,
)

SRC = Path(__file__).resolve().parents[1] / "src"


def test_import_is_cheap():
    code = (
        "import sys, brainstate.typing, brainstate.util\n"
        "heavy = ('brainunit', 'saiunit', 'optax', 'matplotlib', 'treescope', 'IPython')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_public_names_exist():
    assert all(hasattr(bt, name) for name in bt.__all__)


def test_pytree_parameters():
    assert PyTree[float].leaftype is float
    assert PyTree[float].structure is None
    assert PyTree[float, " S T "].structure == "S T"
    assert PyTree[float, "... T"].structure == "... T"
    assert PyTree[float, "S ..."] is PyTree[float, "S ..."]
    assert issubclass(PyTree[float, "S"], PyTree)
    assert PyTree[float, "S T"].__name__ == "PyTree[float, 'S T']"


@pytest.mark.parametrize(
    "parameters", [(float, ""), (float, "S ... T"), (float, "1S"), (float, 3), (float, "S", "T")]
)
def test_wrong_pytree_parameters(parameters):
    with pytest.raises(ValueError, match="PyTree"):
        PyTree[parameters]


def test_pytree_is_only_an_annotation():
    for annotation in (PyTree, PyTree[int]):
        with pytest.raises(RuntimeError, match="annotation"):
            annotation()
        assert not isinstance(1, annotation)


def test_array_with_named_axes():
    annotation = Array["batch", "time"]
    assert typing.get_origin(annotation) is typing.Annotated
    assert annotation.__origin__ is jax.Array
    assert annotation.__metadata__ == ("batch", "time")
    assert Array["x"].__metadata__ == ("x",)


def test_run_time_protocols():
    assert isinstance("a", Key)
    assert isinstance(0, Key)
    assert not isinstance([], Key)
    assert not isinstance(1j, SupportsDType)
    assert isinstance(jnp.zeros(2), SupportsDType)
    assert isinstance(np.zeros(2), SupportsDType)


def test_unions_hold_what_they_say():
    array_like = typing.get_args(ArrayLike)
    assert {jax.Array, np.ndarray, bool, int, float, complex} <= set(array_like)
    assert list not in array_like
    assert {jax.Array, np.ndarray, int} == set(typing.get_args(SeedOrKey))
    assert int in typing.get_args(Size)
    assert Size == Axes
    assert {str, np.dtype} <= set(typing.get_args(DTypeLike))
    assert {type, str, bool, type(None), type(...)} <= set(typing.get_args(FilterLiteral))


def test_annotations_can_be_evaluated():
    def function(x: "ArrayLike", f: "Filter", p: "PathParts", q: "Predicate", t: "PyTree[int]"): ...

    assert typing.get_type_hints(function)["t"] is PyTree[int]
    assert typing.get_type_hints(function)["x"] == ArrayLike


def test_missing_is_a_class():
    assert isinstance(Missing(), Missing)
