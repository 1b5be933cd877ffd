"""`RefMap`: a mapping keyed by identity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, TypeVar

from ..util.pretty import MappingReprMixin, PrettyRepr

A = TypeVar("A")
B = TypeVar("B")


class RefMap(MappingReprMixin[A, B], PrettyRepr, MutableMapping[A, B]):
    """A mapping from objects, hashable or not, that are compared by identity.

    >>> names = RefMap([([1], "one")])
    >>> [1] in names, len(names)
    (False, 1)
    """

    def __init__(self, mapping: Mapping[A, B] | Iterable[tuple[A, B]] = ()):
        self._pairs: dict[int, tuple[A, B]] = {}  # holding the key keeps its id its own
        self.update(mapping)

    def __getitem__(self, key: A) -> B:
        try:
            return self._pairs[id(key)][1]
        except KeyError:
            raise KeyError(key) from None

    def __setitem__(self, key: A, value: B) -> None:
        self._pairs[id(key)] = key, value

    def __delitem__(self, key: A) -> None:
        del self._pairs[id(key)]

    def __contains__(self, key: Any) -> bool:
        return id(key) in self._pairs

    def __iter__(self) -> Iterator[A]:
        return (key for key, _ in self._pairs.values())

    def __len__(self) -> int:
        return len(self._pairs)

    # A mapping compares by items, which needs keys that hash.
    __eq__ = object.__eq__
    __hash__ = object.__hash__
