"""`Initializer`: from a shape to an array."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .. import environ
from .._units import attach
from ..typing import DTypeLike, SeedOrKey, Size
from ..util.pretty import PrettyAttr, PrettyRepr, PrettyType
from .sizes import to_size

if TYPE_CHECKING:
    from ..random import RandomState


class Initializer(PrettyRepr):
    """Makes an array of a given shape: ``init(shape, dtype)``.

    `dtype` is the default floating-point type unless given. Subclasses define `_number`; those
    with a `unit` give a Quantity in it.

    >>> import brainstate
    >>> brainstate.init.Constant(2.0)((2,))
    Array([2., 2.], dtype=float32)
    """

    unit: Any = None

    def __call__(self, shape: Size, dtype: DTypeLike | None = None) -> Any:
        size = to_size(shape)
        if size is None:
            raise ValueError(
                f"{type(self).__name__} needs a shape, an integer or a tuple; found None. [BST-A06]"
            )
        number = self._number(size, environ.dftype() if dtype is None else dtype)
        return attach(number, self.unit)

    def _number(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} must define _number(shape, dtype). [BST-A14]"
        )

    def __pretty_repr__(self) -> Iterator[Any]:
        yield PrettyType(type(self))
        for name, value in vars(self).items():
            if not name.startswith("_") and value is not None:
                yield PrettyAttr(name, value)


class RandomInitializer(Initializer):
    """An initializer that draws from the default generator, or from its own one if it has a seed.

    Repeated calls differ.
    """

    def __init__(self, seed: SeedOrKey | None = None, unit: Any = None):
        from ..random import RandomState

        self.unit = unit
        self._own = None if seed is None else RandomState(seed)

    @property
    def rng(self) -> RandomState:
        """The generator."""
        from ..random import DEFAULT

        return DEFAULT if self._own is None else self._own
