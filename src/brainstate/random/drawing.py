"""Draws: a law, its parameters and a key in, an array out, compiled once per law, shape and type.

A *law* is a pure function ``law(key, *parameters, shape, dtype)``. It is looked up by identity, so
it is defined at module level, and its parameters are numbers or arrays: what stays compiled
holds on to no model.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .._engine.jax_api import is_tracer
from .._units import is_quantity, number_in, unit_of
from ..typing import Size

Law = Callable[..., Any]
Shape = tuple[int, ...]


@functools.partial(jax.jit, static_argnums=(0, 1, 2), inline=True)
def draw(law: Law, shape: Shape | None, dtype: Any, key: Any, *parameters: Any) -> Any:
    """A sample of `law` from `key` itself."""
    sample = law(key, *parameters, shape=shape, dtype=dtype)
    return sample if dtype is None else sample.astype(dtype)


@functools.partial(jax.jit, static_argnums=(1, 2, 3), inline=True)
def split_and_draw(key: Any, law: Law, shape: Shape | None, dtype: Any, *parameters: Any) -> Any:
    """(next key, a sample of `law`)."""
    key, own = jax.random.split(key)
    return key, draw(law, shape, dtype, own, *parameters)


@functools.partial(jax.jit, static_argnums=1, inline=True)
def split(key: Any, n: int | None = None) -> tuple[Any, Any]:
    """(next key, another one, or `n` of them along a leading axis)."""
    keys = jax.random.split(key, 2 if n is None else n + 1)
    return keys[0], keys[1] if n is None else keys[1:]


@functools.lru_cache(maxsize=1024)
def with_options(law: Law, **options: Any) -> Law:
    """The law with static options; one and the same function for the same options."""
    return functools.partial(law, **options)


def as_shape(size: Size | None) -> Shape | None:
    """`size` as a tuple: ``3 -> (3,)``, ``[2, 3] -> (2, 3)``, None stays."""
    if size is None:
        return None
    if type(size) is int and size >= 0:  # by far the most frequent
        return (size,)
    single = isinstance(size, int) or (not isinstance(size, (tuple, list)) and np.ndim(size) == 0)
    try:
        shape = tuple(map(operator.index, (size,) if single else size))  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"A shape is made of integers; found {size!r}. [BST-A01]") from None
    if shape and min(shape) < 0:
        raise ValueError(f"A shape has no negative length; found {size!r}. [BST-A02]")
    return shape


def broadcast_shape(size: Size | None, parameters: dict[str, Any]) -> Shape:
    """The shape of a sample: `size`, or that of the parameters, which must broadcast to it."""
    shape = as_shape(size)
    if are_plain(parameters):
        return shape or ()
    shapes = {name: getattr(x, "shape", ()) for name, x in parameters.items()}
    if not any(shapes.values()):
        return shape or ()
    try:
        common = np.broadcast_shapes(*shapes.values())
        fits = shape is None or np.broadcast_shapes(common, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        listed = ", ".join(f"`{name}` {shape}" for name, shape in shapes.items())
        into = "with each other" if size is None else f"to `size` {shape}"
        raise ValueError(
            f"The parameters must broadcast {into}; their shapes are {listed}. [BST-A04]"
        )
    return common if shape is None else shape


def are_plain(parameters: dict[str, Any]) -> bool:
    """Whether all are Python numbers or None, with neither shape nor unit: the common case."""
    return _PLAIN.issuperset(map(type, parameters.values()))


_PLAIN = frozenset([float, int, type(None)])


def as_number(name: str, x: Any) -> Any:
    """A parameter that takes no unit: a number or an array, lists converted."""
    if is_quantity(x):
        if (unit := unit_of(x)) is not None:
            raise TypeError(
                f"`{name}` takes no unit here, but is in {unit}; divide by one first. [BST-A08]"
            )
        x = number_in(x, None)
    return jnp.asarray(x) if isinstance(x, (list, tuple)) else x


def check(holds: Callable[..., Any], message: str, **values: Any) -> None:
    """Raise ValueError unless `holds` everywhere; values that are known only inside jit pass."""
    if are_plain(values):
        fine = holds(*values.values())
    elif any(map(is_tracer, values.values())):
        return
    elif any(isinstance(x, jax.Array) for x in values.values()):
        with jax.ensure_compile_time_eval():  # a trace may be under way
            fine = bool(_everywhere(holds, *values.values()))
    else:
        fine = holds(*values.values())
    if fine is not True and not np.all(fine):
        raise ValueError(f"{message.format(**values)} [BST-A02]")


@functools.partial(jax.jit, static_argnums=0)
def _everywhere(holds: Callable[..., Any], *values: Any) -> Any:
    return jnp.all(holds(*values))
