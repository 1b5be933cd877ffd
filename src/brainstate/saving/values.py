"""Leaves of States as files hold them: arrays, with a note on each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .._units import mantissa_and_unit, unit_as_dict, unit_from_dict
from ..random.keys import is_typed
from .names import Leaf

Note = dict[str, Any]
"""What an array by itself does not tell: ``unit``, ``key`` (kind of typed keys), ``weak`` (its type
bends to that of others), ``dtype`` (where the array holds bytes), ``state`` (the name of the State,
where this is only part of its value); or ``python`` and ``value``, of what is no array."""

# The types that both formats hold, by their names in files of safetensors; others go as bytes.
DTYPES = {
    "BOOL": "bool",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2": "float8_e5m2",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F8_E8M0": "float8_e8m0fnu",
    "C64": "complex64",
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
}
NATIVE = frozenset(DTYPES.values())

# How Python values are read back from their text.
PYTHON: dict[str, Callable[[str], Any]] = {
    "NoneType": lambda _: None,
    "bool": "True".__eq__,
    "int": int,
    "float": float,
    "complex": complex,
    "str": str,
}

KINDS = {
    "bool": jnp.bool_,
    "integer": jnp.signedinteger,
    "unsigned integer": jnp.unsignedinteger,
    "float": jnp.floating,
    "complex": jnp.complexfloating,
}


class Saved(NamedTuple):
    """What a file holds under a name; `dtype` may be a Python type, or ``key<threefry2x32>``."""

    shape: tuple[int, ...]
    dtype: str
    unit: Any = None

    @property
    def kind(self) -> str:
        """Whether it is an integer, a float, ...; what is no number is its own kind."""
        try:
            dtype = np.dtype(self.dtype)
        except TypeError:
            return self.dtype
        return next((k for k, of in KINDS.items() if jnp.issubdtype(dtype, of)), self.dtype)


class Entry(NamedTuple):
    """What a file tells of a leaf without its array."""

    array: jax.ShapeDtypeStruct | None
    note: Note

    @property
    def unit(self) -> Any:
        return unit_from_dict(self.note["unit"]) if "unit" in self.note else None

    def described(self) -> Saved:
        """The type of what was saved, which may be stored as another one."""
        if self.array is None:
            return Saved((), self.note["python"], self.unit)
        shape, dtype = self.array.shape, self.array.dtype.name
        if "key" in self.note:
            shape, dtype = shape[:-1], f"key<{self.note['key']}>"
        elif "dtype" in self.note:
            shape, dtype = shape[:-1], self.note["dtype"]
        return Saved(shape, dtype, self.unit)


def write_leaf(name: str, leaf: Leaf, copy: bool) -> tuple[Any, Note]:
    """(array or None, note) for a leaf; `copy` takes what may be overwritten or donated later."""
    number, unit = mantissa_and_unit(leaf.value)
    note: Note = {} if name == leaf.owner else {"state": leaf.owner}
    if unit is not None:
        note["unit"] = unit_as_dict(unit)
    if is_python(number):
        return None, note | {"python": type(number).__name__, "value": str(number)}
    if described(leaf.value) is None:
        raise TypeError(
            f"{leaf} holds {type(number).__name__} {number!r}; files take arrays, Python numbers, "
            "strings and None. Hold it as an attribute, not in a State. [BST-F05]"
        )
    if is_typed(number):
        note["key"] = str(jax.random.key_impl(number))
        number = jax.random.key_data(number)
    if getattr(number, "weak_type", False):
        note["weak"] = True
    if number.dtype.name not in NATIVE:
        note["dtype"] = number.dtype.name
        number = np.array(number, order="C")[..., None].view(np.uint8)
    if not isinstance(number, jax.Array):
        number = np.array(number, number.dtype.newbyteorder("="), order="C", copy=copy or None)
    elif copy:
        number = np.array(number) if number.is_fully_addressable else number.copy()
    return number, note


def is_python(number: Any) -> bool:
    """Whether this is no array, but a value that is kept as text."""
    return type(number) in (type(None), bool, int, float, complex, str)


def described(value: Any) -> Saved | None:
    """The type of a leaf of a State; None for what no file takes."""
    number, unit = mantissa_and_unit(value)
    if is_python(number):
        return Saved((), type(number).__name__, unit)
    if not isinstance(number, (jax.Array, np.ndarray, np.generic)):
        return None
    if isinstance(number, jax.Array) and is_typed(number):
        return Saved(number.shape, f"key<{jax.random.key_impl(number)}>", unit)
    saved = Saved(number.shape, number.dtype.name, unit)
    return saved if saved.kind in KINDS else None
