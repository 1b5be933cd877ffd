"""What a program relied on, in words: types of values, and snapshots that `freeze` took."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import numpy as np

from .._units import is_quantity, split
from .guards import Identity, freeze
from .hidden import is_graph

GONE = "something that is gone"
_LENGTH = 60  # of a value, in letters


class ValueType(NamedTuple):
    """The type of one array as a compiled function sees it."""

    shape: tuple
    dtype: str
    weak: bool
    unit: str | None = None

    def __str__(self) -> str:
        weak = "a Python number, " if self.weak else ""
        unit = "" if self.unit is None else f" in {self.unit}"
        return f"{weak}{self.dtype} {self.shape}{unit}"

    def change_to(self, other: Any) -> str:
        """``from (5, 3) to (8, 3)``: only what differs."""
        if isinstance(other, ValueType):
            different = [a != b for a, b in zip(self, other, strict=True)]
            if different == [True, False, False, False]:
                return f"from {self.shape} to {other.shape}"
            if different == [False, True, False, False]:
                return f"from {self.dtype} to {other.dtype}"
            if different == [False, False, False, True]:
                return f"from {self.unit or 'no unit'} to {other.unit or 'no unit'}"
        return f"from {self} to {other}"


def types_of(value: Any) -> dict[str, Any]:
    """The type of each array in a tree, by its path; snapshots of other leaves."""
    paths = jax.tree_util.tree_leaves_with_path(value, is_leaf=is_quantity)
    return {jax.tree_util.keystr(path): type_of(leaf) or freeze(leaf) for path, leaf in paths}


def type_of(leaf: Any) -> ValueType | None:
    """The type of an array, a Quantity or what stands for one; None for anything else."""
    if is_graph(leaf):
        return None
    number, unit = split_type(leaf)
    try:
        aval = jax.typeof(number)
    except TypeError:
        aval = number
        if not (hasattr(number, "shape") and hasattr(number, "dtype")):
            return None
    weak = bool(getattr(aval, "weak_type", False))
    return ValueType(tuple(aval.shape), str(aval.dtype), weak, unit and str(unit))


def split_type(leaf: Any) -> tuple[Any, Any]:
    """(number, unit), also of a Quantity of abstract values."""
    if not is_quantity(leaf):
        return leaf, None
    return leaf.mantissa, None if leaf.dim.is_dimensionless else leaf.unit


def in_words(snapshot: Any) -> str:
    """The value of which `freeze` took this snapshot, briefly."""
    text = _words(snapshot)
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 3]}..."


def _words(snapshot: Any) -> str:
    if isinstance(snapshot, Identity):
        return name_of(snapshot.ref())
    if not isinstance(snapshot, tuple):
        return str(snapshot)
    kind, *content = snapshot
    if len(content) == 3:
        shape, dtype, data = content
        return str(np.frombuffer(data, dtype).reshape(shape)).replace("\n", "")
    if len(content) == 2:
        tree, leaves = content
        return value_in_words(tree.unflatten([_thaw(leaf) for leaf in leaves]))
    return _words_of_one(kind, content[0])


def _words_of_one(kind: type, content: Any) -> str:
    if issubclass(kind, float):
        return str(float.fromhex(content))
    if issubclass(kind, dict):
        inside = ", ".join(f"{key!r}: {_words(item)}" for key, item in content)
        return f"{{{inside}}}"
    if isinstance(content, list):
        inside = ", ".join(map(_words, content))
        return f"({inside})" if issubclass(kind, tuple) else f"[{inside}]"
    return repr(set(content) if isinstance(content, frozenset) else content)


def _thaw(snapshot: Any) -> Any:
    """The number in a snapshot; what is no number, in words."""
    match snapshot:
        case (kind, str(text)) if issubclass(kind, float):
            return float.fromhex(text)
        case (_, shape, dtype, bytes(data)):
            return np.frombuffer(data, dtype).reshape(shape)
        case (_, value) if not isinstance(value, list):
            return value
    return _words(snapshot)


def value_in_words(value: Any) -> str:
    """A setting or an attribute, briefly; arrays by their type."""
    number, unit = split(value) if is_quantity(value) else (value, None)
    if isinstance(number, jax.Array) or (isinstance(number, np.ndarray) and number.size > 8):
        return str(type_of(value))
    text = " ".join(str(number if is_quantity(value) else repr(number)).split())
    text = text if unit is None else f"{text} {unit}"
    return text if len(text) <= _LENGTH else f"{text[: _LENGTH - 3]}..."


def name_of(obj: Any) -> str:
    """What an object is called where only its identity counts."""
    if obj is None:
        return GONE
    kind = type(obj)
    if kind.__name__ in ("Absent", "Unset"):
        return "unset"
    name = getattr(obj, "__name__", None)
    return str(name) if isinstance(name, str) else f"a {kind.__name__}"
