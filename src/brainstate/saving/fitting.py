"""From what a file holds to the value of a State: whether it fits, and how it is made to."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._units import mantissa_and_unit, rescaled, same_dimension, same_magnitude, with_unit
from ..random.keys import is_typed
from .names import Leaf
from .values import PYTHON, Entry, Saved, described, is_python

# What a Python number may have become in a program that ran, as in JAX.
BECOMES = {
    "integer": ("integer", "unsigned integer", "float", "complex"),
    "float": ("float", "complex"),
}


def misfit(found: Saved, leaf: Leaf) -> str | None:
    """Why what a file holds does not fit the State, in words; None if it does."""
    now = described(leaf.value)
    if now is None:
        return f"{found.dtype} in the file, a {type(leaf.value).__name__} in the State"
    if found.shape != now.shape:
        return f"shape {found.shape} in the file, {now.shape} in the State"
    bends = _bends(mantissa_and_unit(leaf.value)[0])
    if found.kind != now.kind and not (bends and found.kind in BECOMES.get(now.kind, ())):
        return f"{found.dtype} in the file, {now.dtype} in the State"
    if not same_dimension(found.unit, now.unit):
        return f"{_named(found.unit)} in the file, {_named(now.unit)} in the State"
    if "integer" in now.kind and not bends and not same_magnitude(found.unit, now.unit):
        return f"integers in {found.unit} in the file, in {now.unit} in the State"
    return None


def reading_type(entry: Entry, leaf: Leaf) -> jax.ShapeDtypeStruct:
    """How to read an array: onto the devices of the State's value, or into memory."""
    now = mantissa_and_unit(leaf.value)[0]
    placed = isinstance(now, jax.Array) and now.committed and not is_typed(now)
    stored = entry.array
    assert stored is not None
    as_it_is = "dtype" not in entry.note and _for_jax(stored.dtype) == stored.dtype
    sharding = now.sharding if placed and as_it_is else None
    return jax.ShapeDtypeStruct(stored.shape, stored.dtype, sharding=sharding)


def read_leaf(stored: Any, entry: Entry, leaf: Leaf) -> Any:
    """What a file holds, in the unit and the type of the State's own, and on its devices."""
    now, unit = mantissa_and_unit(leaf.value)
    note = entry.note
    if "python" in note:
        number = PYTHON[note["python"]](note["value"])
    elif "key" in note:
        number = jax.random.wrap_key_data(jnp.asarray(stored), impl=note["key"])
    elif "dtype" in note:
        number = np.asarray(stored).view(note["dtype"])[..., 0]
    else:
        number = stored
    number = rescaled(number, entry.unit, unit)
    if _bends(now):
        return with_unit(_like_number(number, now, note.get("weak", False)), unit)
    return with_unit(_like_array(number, now, leaf), unit)


def _like_number(new: Any, now: Any, weak: bool) -> Any:
    if is_python(new) and is_python(now):
        return new
    weak, new = weak or is_python(new), jnp.asarray(new)
    if weak and not new.weak_type:
        zeros = jnp.broadcast_to(jnp.asarray(new.dtype.type(0).item()), new.shape)
        new = zeros.at[...].set(new) if zeros.dtype == new.dtype else new
    return _placed(new, now)


def _like_array(new: Any, now: Any, leaf: Leaf) -> Any:
    if not (isinstance(now, jax.Array) and is_typed(now)):
        new = _cast(new if isinstance(new, jax.Array) else np.asarray(new), now.dtype, leaf)
    if isinstance(now, np.generic):
        return new[()]
    return new if isinstance(now, np.ndarray) else _placed(new, now)


def _placed(new: Any, now: Any) -> jax.Array:
    """On the devices of `now`; free to move where that is."""
    committed = isinstance(now, jax.Array) and now.committed
    return jax.device_put(new, now.sharding) if committed else jnp.asarray(new)


def _cast(new: Any, dtype: Any, leaf: Leaf) -> Any:
    cast = new.astype(dtype)
    if jnp.issubdtype(new.dtype, jnp.integer) and not (cast.astype(new.dtype) == new).all():
        raise ValueError(
            f"{leaf} has type {dtype}, which some integers in the file do not fit. [BST-F01]"
        )
    return cast


def _bends(number: Any) -> bool:
    """Whether the type of a State's value gives way to that of others, as Python numbers do."""
    return is_python(number) or bool(getattr(number, "weak_type", False))


def _for_jax(dtype: Any) -> Any:
    """The type of an array of JAX made of one of this type: 32 bits, unless 64 are enabled."""
    return jnp.result_type(np.empty(0, dtype))


def _named(unit: Any) -> str:
    return "no unit" if unit is None else f"unit {unit}"
