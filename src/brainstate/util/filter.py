"""Filters: which entries of a tree of States are meant, by type, tag or path."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any as AnyValue
from typing import TypeVar

from brainstate.typing import Filter, Key, PathParts, Predicate

__all__ = [
    "to_predicate",
    "OfType",
    "WithTag",
    "PathContains",
    "Any",
    "All",
    "Not",
    "Everything",
    "Nothing",
    "ordered_predicates",
    "split_by_filters",
    "is_instance_eval",
    "not_instance_eval",
]

V = TypeVar("V")


def to_predicate(the_filter: Filter) -> Predicate:
    """Turn a filter into a function `(path, value) -> bool`.

    Accepted are a type (also matched against `value.type`, as on a `TreefyState`), a tag (`str`),
    `...` or True (everything), None or False (nothing), a function `(path, value) -> bool`, and a
    list or tuple of filters (any of them). Everything else raises TypeError.

    >>> to_predicate((int, "new"))
    Any(OfType(int), WithTag('new'))
    >>> to_predicate(int)(("a", 0), 3)
    True
    """
    if isinstance(the_filter, str):
        return WithTag(the_filter)
    if isinstance(the_filter, type):
        return OfType(the_filter)
    if the_filter is True or the_filter is ...:
        return Everything()
    if the_filter is False or the_filter is None:
        return Nothing()
    if callable(the_filter):
        return the_filter
    if isinstance(the_filter, (list, tuple)):
        return Any(*the_filter)
    raise TypeError(
        f"Invalid filter {the_filter!r} of type {type(the_filter).__name__}. Expected a type, a "
        "tag (str), `...` or True, None or False, a function (path, value) -> bool, or a list or "
        "tuple of these. [BST-A01]"
    )


class _Predicate:
    """Value equality, hash and repr come from the dataclasses below; they sit in static values."""

    def __repr__(self) -> str:
        shown = (getattr(self, f.name) for f in dataclasses.fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(map(_show, shown))})"


def _show(part: AnyValue) -> str:
    return part.__qualname__ if isinstance(part, type) else repr(part)


@dataclasses.dataclass(frozen=True, repr=False)
class OfType(_Predicate):
    """Matches instances of a type, and references whose `.type` is a subclass of it."""

    type: type

    def __call__(self, path: PathParts, value: AnyValue) -> bool:
        if isinstance(value, self.type):
            return True
        referred = getattr(value, "type", None)
        return isinstance(referred, type) and issubclass(referred, self.type)


@dataclasses.dataclass(frozen=True, repr=False)
class WithTag(_Predicate):
    """Matches values whose `.tag` is the given string, or a set that contains it."""

    tag: str

    def __call__(self, path: PathParts, value: AnyValue) -> bool:
        tag = getattr(value, "tag", None)
        if isinstance(tag, AbstractSet):
            return self.tag in tag
        return isinstance(tag, str) and tag == self.tag


@dataclasses.dataclass(frozen=True, repr=False)
class PathContains(_Predicate):
    """Matches values with the given key anywhere in their path."""

    key: Key

    def __call__(self, path: PathParts, value: AnyValue) -> bool:
        return self.key in path


@dataclasses.dataclass(frozen=True, repr=False, init=False)
class _Combination(_Predicate):
    predicates: tuple[Predicate, ...]

    def __init__(self, *filters: Filter) -> None:
        object.__setattr__(self, "predicates", tuple(map(to_predicate, filters)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.predicates))})"


class Any(_Combination):
    """Matches what at least one of the filters matches."""

    def __call__(self, path: PathParts, value: AnyValue) -> bool:
        return any(predicate(path, value) for predicate in self.predicates)


class All(_Combination):
    """Matches what every filter matches."""

    def __call__(self, path: PathParts, value: AnyValue) -> bool:
        return all(predicate(path, value) for predicate in self.predicates)


@dataclasses.dataclass(frozen=True, repr=False, init=False)
class Not(_Predicate):
    """Matches what the filter does not match."""

    predicate: Predicate

    def __init__(self, the_filter: Filter, /) -> None:
        object.__setattr__(self, "predicate", to_predicate(the_filter))

    def __call__(self, path: PathParts, value: AnyValue) -> bool:
        return not self.predicate(path, value)


@dataclasses.dataclass(frozen=True, repr=False)
class Everything(_Predicate):
    """Matches every value."""

    def __call__(self, path: PathParts, value: AnyValue) -> bool:
        return True


@dataclasses.dataclass(frozen=True, repr=False)
class Nothing(_Predicate):
    """Matches no value."""

    def __call__(self, path: PathParts, value: AnyValue) -> bool:
        return False


def ordered_predicates(filters: Sequence[Filter]) -> tuple[Predicate, ...]:
    """Turn filters that are tried in order into predicates.

    A filter that matches everything (`...` or True) may only stand last, since nothing would reach
    the filters behind it: ValueError otherwise.
    """
    predicates = tuple(map(to_predicate, filters))
    catch_all = [isinstance(predicate, Everything) for predicate in predicates]
    if any(catch_all) and not all(catch_all[catch_all.index(True) :]):
        raise ValueError(
            f"`...` or True may only be the last of the filters, found {_listing(predicates)}; "
            "move it to the end. [BST-G08]"
        )
    return predicates


def split_by_filters(
    items: Iterable[tuple[PathParts, V]],
    filters: Sequence[Filter],
    *,
    exhaustive: bool,
) -> tuple[list[tuple[PathParts, V]], ...]:
    """Deal `(path, value)` pairs out to the first filter that matches each.

    Returns one list of pairs a filter, in the order of `items`. A pair that no filter matches is
    dropped, or raises ValueError if the filters have to be exhaustive.

    >>> split_by_filters([(("a",), 1), (("b",), "x")], [int, ...], exhaustive=True)
    ([(('a',), 1)], [(('b',), 'x')])
    """
    predicates = ordered_predicates(filters)
    groups: tuple[list[tuple[PathParts, V]], ...] = tuple([] for _ in predicates)
    for path, value in items:
        for predicate, group in zip(predicates, groups, strict=True):
            if predicate(path, value):
                group.append((path, value))
                break
        else:
            if exhaustive:
                referred = getattr(value, "type", None)  # as in OfType
                kind = referred if isinstance(referred, type) else type(value)
                raise ValueError(
                    f"Non-exhaustive filters {_listing(predicates)}: none matches {path!r}, a "
                    f"{kind.__name__}; use `...` as the last filter to take the rest. [BST-G08]"
                )
    return groups


def _listing(predicates: Iterable[Predicate]) -> str:
    return f"({', '.join(map(repr, predicates))})"


def is_instance_eval(*cls: type) -> Callable[[AnyValue], bool]:
    """Make a one-argument test for being an instance of one of the types.

    >>> is_instance_eval(int, str)("x")
    True
    """
    return lambda x: isinstance(x, cls)


def not_instance_eval(*cls: type) -> Callable[[AnyValue], bool]:
    """Make a one-argument test for being an instance of none of the types."""
    return lambda x: not isinstance(x, cls)
