"""Types made of types, for `isinstance` and `issubclass`: all of them, or one of them."""

from __future__ import annotations

import functools
from typing import Any, Optional, Union


class _AllOf(type):
    """The class of `JointTypes[...]`, which serves type tests only."""

    types: frozenset[type]

    def __instancecheck__(cls, obj: Any) -> bool:
        return all(isinstance(obj, each) for each in cls.types)

    def __subclasscheck__(cls, sub: type) -> bool:
        return all(issubclass(sub, each) for each in cls.types)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"{cls.__name__} serves isinstance() and issubclass(); it has no objects. [BST-A15]"
        )


class _Joining(type):
    def __getitem__(cls, items: Any) -> Any:
        wanted = _parts("JointTypes", items)
        types = frozenset(part for each in wanted for part in _unjoined(each))
        joined = _joined(types - {type(None)}) if types - {type(None)} else type(None)
        return Optional[joined] if type(None) in types else joined  # noqa: UP045  made at run time

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{cls.__name__} takes types in brackets: {cls.__name__}[A, B]. [BST-A15]")


class JointTypes(metaclass=_Joining):
    """`JointTypes[A, B]`: the type of what is an `A` and a `B` as well, in any order.

    `JointTypes[A]` is `A`, and `JointTypes[A, None]` admits None besides.

    >>> from collections.abc import Hashable, Sized
    >>> isinstance("a", JointTypes[Hashable, Sized]), isinstance([], JointTypes[Hashable, Sized])
    (True, False)
    """


class _Choosing(_Joining):
    def __getitem__(cls, items: Any) -> Any:
        return Union[_parts("OneOfTypes", items)]  # noqa: UP007  made at run time


class OneOfTypes(metaclass=_Choosing):
    """`OneOfTypes[A, B]`: the type of what is an `A` or a `B`; another name of `typing.Union`.

    >>> isinstance(1.0, OneOfTypes[int, float])
    True
    """


def _parts(name: str, items: Any) -> tuple[type, ...]:
    parts = items if isinstance(items, tuple) else (items,)
    if not parts:
        raise TypeError(f"{name} needs at least one type, as in {name}[A, B]. [BST-A06]")
    parts = tuple(type(None) if part is None else part for part in parts)
    for part in parts:
        if not isinstance(part, type):
            raise TypeError(f"{name} is made of types; found {part!r}. [BST-A01]")
    return parts


def _unjoined(each: type) -> frozenset[type]:
    return each.types if isinstance(each, _AllOf) else frozenset([each])


@functools.cache
def _joined(types: frozenset[type]) -> type:
    if len(types) == 1:
        (only,) = types
        return only
    name = f"JointTypes[{', '.join(sorted(each.__name__ for each in types))}]"
    return _AllOf(name, (), {"types": types})
