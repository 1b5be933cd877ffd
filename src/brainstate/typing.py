"""Names for annotations; importing this module loads nothing beyond JAX and NumPy."""

import functools
from collections.abc import Callable, Hashable, Sequence
from types import EllipsisType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Protocol,
    TypeAlias,
    TypeVar,
    runtime_checkable,
)

import jax
import numpy as np

__all__ = [
    "PyTree",
    "Size",
    "Axes",
    "SeedOrKey",
    "ArrayLike",
    "DType",
    "DTypeLike",
    "PathParts",
    "Predicate",
    "Filter",
    "Missing",
]


@runtime_checkable
class Key(Hashable, Protocol):
    """One step of a path: hashable and orderable, in practice a string or an integer."""

    def __lt__(self, other: Any, /) -> bool: ...


PathParts: TypeAlias = tuple[Key, ...]
Predicate: TypeAlias = Callable[[PathParts, Any], bool]
FilterLiteral: TypeAlias = type | str | Predicate | bool | EllipsisType | None
Filter: TypeAlias = FilterLiteral | tuple["Filter", ...] | list["Filter"]

Size: TypeAlias = int | Sequence[int]
Axes: TypeAlias = int | Sequence[int]
SeedOrKey: TypeAlias = int | jax.Array | np.ndarray


@runtime_checkable
class SupportsDType(Protocol):
    """Anything with a `dtype`."""

    @property
    def dtype(self) -> np.dtype: ...


DType: TypeAlias = np.dtype
DTypeLike: TypeAlias = str | type[Any] | np.dtype | SupportsDType


def _checked_structure(structure: Any) -> str:
    names = structure.split() if isinstance(structure, str) else []
    inner = [n for i, n in enumerate(names) if n != "..." or 0 < i < len(names) - 1]
    if not names or not all(n.isidentifier() for n in inner):
        raise ValueError(
            "The structure of a PyTree is a string of identifiers separated by spaces, with `...` "
            f"only first or last, such as 'S T' or '... T'; found {structure!r}. [BST-A01]"
        )
    return structure.strip()


@functools.cache
def _parametrised(base: type, leaftype: Any, structure: str | None) -> type:
    parts = getattr(leaftype, "__name__", str(leaftype))
    name = f"PyTree[{parts}]" if structure is None else f"PyTree[{parts}, {structure!r}]"
    namespace = {"leaftype": leaftype, "structure": structure, "__module__": __name__}
    return type(base)(name, (base,), namespace)


if TYPE_CHECKING:
    from brainunit import Quantity

    _T = TypeVar("_T")
    ArrayLike: TypeAlias = jax.typing.ArrayLike | Quantity
    PyTree: TypeAlias = _T | Any
else:
    # A quantity counts as array-like too; naming it here would import brainunit.
    ArrayLike: TypeAlias = jax.typing.ArrayLike

    class _PyTreeMeta(type):
        def __call__(cls, *args, **kwargs):
            raise RuntimeError(
                f"{cls.__name__} is an annotation and cannot be instantiated. [BST-A15]"
            )

        def __getitem__(cls, item):
            leaftype, *structure = item if isinstance(item, tuple) else (item,)
            if len(structure) > 1:
                raise ValueError(
                    f"PyTree takes a leaf type and one structure, found {len(structure) + 1} "
                    "parameters; write PyTree[T] or PyTree[T, 'S T']. [BST-A10]"
                )
            checked = _checked_structure(structure[0]) if structure else None
            return _parametrised(PyTree, leaftype, checked)

    class PyTree(metaclass=_PyTreeMeta):
        """Annotation of a pytree: `PyTree`, `PyTree[T]` or `PyTree[T, "S T"]`.

        `T` is the type of the leaves and the string names the structure, outermost level first
        (`...` in the first or last place stands for any further levels). Nothing is checked at
        run time.

        >>> PyTree[float, "S T"].structure
        'S T'
        """

        leaftype = Any
        structure = None


class Array:
    """Annotation of a `jax.Array` with named axes: `Array["batch", "time"]`."""

    def __class_getitem__(cls, axes: str | tuple[str, ...]) -> Any:
        names = axes if isinstance(axes, tuple) else (axes,)
        return Annotated[(jax.Array, *names)]


class Missing:
    """Marks an argument that was not given, where None is a meaningful value."""
