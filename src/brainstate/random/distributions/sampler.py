"""What the families of laws share: from a user's arguments to a sample."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from ... import environ
from ..._units import attach, is_quantity, number_in, split, unit_of
from ...typing import ArrayLike, DTypeLike, SeedOrKey, Size
from ..drawing import Law, Shape, are_plain, as_number, as_shape, broadcast_shape
from .ranges import check_ranges

# Short, so that signatures stay readable.
Real: TypeAlias = ArrayLike
OptReal: TypeAlias = ArrayLike | None
OptSize: TypeAlias = Size | None
OptKey: TypeAlias = SeedOrKey | None
OptDType: TypeAlias = DTypeLike | None


class Sampler:
    """Base of the families of laws. Parameters go to a law in the order in which they are named."""

    def _sample(
        self, law: Law, shape: Shape | None, dtype: Any, key: OptKey, *parameters: Any
    ) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define _sample(). [BST-A14]")

    def _real(
        self, law: Law, size: OptSize, key: OptKey, dtype: OptDType, /, **parameters: Any
    ) -> jax.Array:
        """A sample of floating-point type."""
        numbers, shape = numbers_and_shape(size, parameters)
        return self._sample(law, shape, real_type(dtype), key, *numbers)

    def _integer(
        self, law: Law, size: OptSize, key: OptKey, dtype: OptDType, /, **parameters: Any
    ) -> jax.Array:
        """A sample of integer type."""
        numbers, shape = numbers_and_shape(size, parameters)
        return self._sample(law, shape, integer_type(dtype), key, *numbers)

    def _in_unit_of(
        self,
        leader: str,
        law: Law,
        size: OptSize,
        key: OptKey,
        dtype: OptDType,
        /,
        **parameters: Any,
    ) -> Any:
        """A sample in the unit of parameter `leader`, whose dimension all parameters share."""
        if are_plain(parameters) or not any(map(is_quantity, parameters.values())):
            return self._real(law, size, key, dtype, **parameters)
        unit = unit_of(parameters[leader])
        numbers = {
            name: None if x is None else number_in(x, unit, name) for name, x in parameters.items()
        }
        return attach(self._real(law, size, key, dtype, **numbers), unit)

    def _scaled(
        self,
        law: Law,
        size: OptSize,
        key: OptKey,
        dtype: OptDType,
        /,
        scale: Any,
        **parameters: Any,
    ) -> Any:
        """A sample in the unit of `scale`, the last parameter; the others take none."""
        scale, unit = split(scale)
        return attach(self._real(law, size, key, dtype, **parameters, scale=scale), unit)


def numbers_and_shape(size: OptSize, parameters: dict[str, Any]) -> tuple[Iterable, Shape]:
    """The parameters without units, and the shape of their sample."""
    if not parameters:
        return (), as_shape(size) or ()
    check_ranges(parameters)
    if are_plain(parameters):
        return parameters.values(), as_shape(size) or ()
    numbers = {name: as_number(name, x) for name, x in parameters.items()}
    return numbers.values(), broadcast_shape(size, numbers)


def real_type(dtype: OptDType) -> Any:
    """`dtype`, which must be of floating point, or the default one."""
    if dtype is None:
        return environ.dftype()
    dtype = np.dtype(dtype)
    if not jnp.issubdtype(dtype, jnp.floating):
        raise TypeError(
            f"`dtype` must be a floating-point type for this law; found {dtype}. [BST-A09]"
        )
    return dtype.type


def integer_type(dtype: OptDType) -> Any:
    """`dtype`, or the default integer type."""
    return environ.ditype() if dtype is None else np.dtype(dtype).type
