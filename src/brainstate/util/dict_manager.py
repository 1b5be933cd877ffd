"""A dict that treats its values as a set of objects."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self, TypeVar

import jax
from jax.tree_util import DictKey

from .pretty import PrettyAttr, PrettyRepr, PrettyType

__all__ = ["DictManager"]

K = TypeVar("K")
V = TypeVar("V")


@jax.tree_util.register_pytree_with_keys_class
class DictManager(PrettyRepr, dict[K, V]):
    """A dict with set operations by key, by object identity and by type.

    Methods give new instances of the same class unless they say otherwise. It is a pytree in
    insertion order; a subclass registers itself. In methods with `by`, `"id"` compares objects by
    identity and `"value"` with `==`.

    >>> DictManager(a=1, b="x").subset(int).to_dict()
    {'a': 1}
    """

    def _check_elem(self, elem: Any) -> None:
        """Raise if the object may not be held here; a hook of the `add_unique_*` methods."""

    def subset(self, sep: type | tuple[type, ...] | Callable[[Any], bool]) -> "DictManager[K, V]":
        """Keep values that are instances of the types, or for which the function holds."""
        return self._where(_value_test(sep))

    def not_subset(
        self, sep: type | tuple[type, ...] | Callable[[Any], bool]
    ) -> "DictManager[K, V]":
        """Keep what `subset` drops."""
        test = _value_test(sep)
        return self._where(lambda value: not test(value))

    def split(self, first: type, *others: type) -> "tuple[DictManager[K, V], ...]":
        """Deal values out to the first type they are instances of; the last dict is the rest."""
        tests = [_value_test(cls) for cls in (first, *others)]
        groups: tuple[DictManager[K, V], ...] = tuple(type(self)() for _ in range(len(tests) + 1))
        for key, value in self.items():
            index = next((i for i, test in enumerate(tests) if test(value)), len(tests))
            groups[index][key] = value
        return groups

    def unique(self) -> Self:
        """Keep the first key of each object."""
        first_key = {id(value): key for key, value in reversed(self.items())}
        return self._pick(key for key, value in self.items() if first_key[id(value)] is key)

    def unique_(self) -> Self:
        """Drop, in place, all but the first key of each object."""
        self._keep(self.unique())
        return self

    def add_unique_key(self, key: K, val: V) -> None:
        """Add an entry; ValueError if the key holds another object already."""
        self._check_elem(val)
        if key in self and self[key] is not val:
            raise ValueError(
                f"Key {key!r} already holds another {type(self[key]).__name__}; choose a new key, "
                "or assign with d[key] = value to replace it. [BST-A11]"
            )
        self[key] = val

    def add_unique_value(self, key: K, val: V) -> bool:
        """Set an entry unless the object is here under some key; says whether it was set."""
        self._check_elem(val)
        if any(val is value for value in self.values()):
            return False
        self[key] = val
        return True

    def assign(self, *args: dict[K, V]) -> None:
        """Update in place with one or more dicts."""
        for items in args:
            self.update(_checked_dict(items))

    def pop_by_keys(self, keys: Iterable[K]) -> None:
        """Remove keys in place; those not here are passed over."""
        self._keep(self.difference_by_keys(keys))

    def pop_by_values(self, values: Iterable, by: str = "id") -> None:
        """Remove values in place."""
        self._keep(self.difference_by_values(values, by))

    def difference_by_keys(self, keys: Iterable[K]) -> Self:
        """Keep the keys that are not given."""
        given = set(keys)
        return self._pick(key for key in self if key not in given)

    def intersection_by_keys(self, keys: Iterable[K]) -> Self:
        """Keep the keys that are given."""
        given = set(keys)
        return self._pick(key for key in self if key in given)

    def difference_by_values(self, values: Iterable, by: str = "id") -> Self:
        """Keep the values that are not given."""
        given = _membership(values, by)
        return self._where(lambda value: not given(value))

    def intersection_by_values(self, values: Iterable, by: str = "id") -> Self:
        """Keep the values that are given."""
        return self._where(_membership(values, by))

    def union_by_value_ids(self, other: dict[K, V]) -> Self:
        """Join with another dict so that each object appears once, under its first key.

        ValueError if a key holds one object here and another, not yet present, there.
        """
        joined = self.unique()
        present = {id(value) for value in joined.values()}
        for key, value in _checked_dict(other).items():
            if id(value) not in present:
                joined.add_unique_key(key, value)
                present.add(id(value))
        return joined

    def __add__(self, other: dict[K, V]) -> Self:
        if not isinstance(other, dict):
            return NotImplemented
        return type(self)({**self, **other})

    def to_dict(self) -> dict[K, V]:
        """Give a plain dict with the same entries."""
        return dict(self)

    def tree_flatten_with_keys(self) -> tuple[tuple, tuple]:
        """Give the children with their keys, in insertion order."""
        return tuple((DictKey(key), value) for key, value in self.items()), tuple(self)

    def tree_flatten(self) -> tuple[tuple, tuple]:
        """Give the children and the keys, in insertion order."""
        return tuple(self.values()), tuple(self)

    @classmethod
    def tree_unflatten(cls, keys: tuple, values: Iterable) -> Self:
        """Rebuild from keys and children."""
        return cls(zip(keys, values, strict=True))

    def __pretty_repr__(self) -> Iterator[PrettyType | PrettyAttr]:
        yield PrettyType(type(self), start="({", end="})", value_sep=": ")
        for key, value in self.items():
            yield PrettyAttr(repr(key), repr(value))

    def _pick(self, keys: Iterable[K]) -> Self:
        return type(self)((key, self[key]) for key in keys)

    def _where(self, test: Callable[[Any], bool]) -> Self:
        return self._pick(key for key, value in self.items() if test(value))

    def _keep(self, kept: dict) -> None:
        for key in [key for key in self if key not in kept]:
            del self[key]


def _value_test(sep: Any) -> Callable[[Any], bool]:
    types = sep if isinstance(sep, tuple) else (sep,)
    if all(isinstance(cls, type) for cls in types):
        return lambda value: isinstance(value, types)
    if callable(sep):
        return sep
    raise TypeError(
        f"What to split by is a type, a tuple of types or a function of the value; found "
        f"{sep!r}. [BST-A01]"
    )


def _membership(values: Iterable, by: str) -> Callable[[Any], bool]:
    values = list(values)
    if by == "id":
        ids = {id(value) for value in values}
        return lambda value: id(value) in ids
    if by == "value":
        return lambda value: value in values
    raise ValueError(f"`by` must be 'id' or 'value', found {by!r}. [BST-A03]")


def _checked_dict(items: Any) -> dict:
    if not isinstance(items, dict):
        raise TypeError(f"Entries come in a dict; found a {type(items).__name__}. [BST-A01]")
    return items
