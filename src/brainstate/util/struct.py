"""Frozen dataclasses that are pytrees."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self, TypeVar, dataclass_transform

import jax

__all__ = ["dataclass", "field", "PyTreeNode"]

T = TypeVar("T")


def field(
    pytree_node: bool = True, *, metadata: Mapping[str, Any] | None = None, **kwargs: Any
) -> Any:
    """Describe a dataclass field; with `pytree_node=False` it is static, not a child.

    A static value must be hashable: it is part of the tree structure and of jit's cache key.
    Further keywords go to `dataclasses.field`.
    """
    return dataclasses.field(metadata={**(metadata or {}), "pytree_node": pytree_node}, **kwargs)


@dataclass_transform(field_specifiers=(field, dataclasses.field), frozen_default=True)
def dataclass(clz: type[T], **kwargs: Any) -> type[T]:
    """Make a class a frozen dataclass and a pytree, with a method `replace(**updates)`.

    Keywords go to `dataclasses.dataclass`. A field with `init=False` is not part of the tree; it
    is computed anew when the object is rebuilt.

    >>> @dataclass
    ... class Point:
    ...     x: float
    ...     unit: str = field(pytree_node=False, default="m")
    >>> jax.tree.map(lambda x: 2 * x, Point(1.5)).replace(unit="km")
    Point(x=3.0, unit='km')
    """
    if "_is_pytree_dataclass" in clz.__dict__:
        return clz
    kwargs.setdefault("frozen", True)
    cls: Any = dataclasses.dataclass(clz, **kwargs)
    if "replace" not in cls.__dict__:
        cls.replace = _replace
    cls._is_pytree_dataclass = True
    children, static, rebuilt = _fields_by_role(cls)
    return jax.tree_util.register_dataclass(
        cls, data_fields=children, meta_fields=static, drop_fields=rebuilt
    )


def _fields_by_role(cls: Any) -> tuple[list[str], list[str], list[str]]:
    children: list[str] = []
    static: list[str] = []
    rebuilt: list[str] = []
    for f in dataclasses.fields(cls):
        if not f.init:
            rebuilt.append(f.name)
        elif f.metadata.get("pytree_node", True):
            children.append(f.name)
        else:
            static.append(f.name)
    return children, static, rebuilt


def _replace(self: T, **overrides: Any) -> T:
    """Give a copy with some fields replaced."""
    return dataclasses.replace(self, **overrides)  # type: ignore[type-var]


@dataclass_transform(field_specifiers=(field, dataclasses.field), frozen_default=True)
class PyTreeNode:
    """Base class whose subclasses become frozen pytree dataclasses, as by `dataclass`.

    >>> class Pair(PyTreeNode):
    ...     a: int
    ...     b: int
    >>> jax.tree.leaves(Pair(1, b=2))
    [1, 2]
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__()
        if kwargs.get("slots"):
            raise TypeError(
                f"{cls.__name__}: slots=True creates a second class and so does not work with "
                "PyTreeNode; decorate a class of its own with `dataclass` instead. [BST-A07]"
            )
        dataclass(cls, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise TypeError(
            f"{type(self).__name__} has no fields of its own; instantiate a subclass. [BST-A15]"
        )

    def replace(self, **overrides: Any) -> Self:
        """Give a copy with some fields replaced."""
        return dataclasses.replace(self, **overrides)  # type: ignore[type-var]
