"""An immutable, hashable dict."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar

import jax
from jax.tree_util import DictKey

from .sorted_children import sorted_keys

__all__ = ["FrozenDict"]

K = TypeVar("K")
V = TypeVar("V")


@jax.tree_util.register_pytree_with_keys_class
class FrozenDict(Mapping[K, V]):
    """An immutable mapping; dicts inside it are copied and frozen too.

    It is hashable if its values are, regardless of order, and a pytree ordered by key.

    >>> FrozenDict({"a": 1, "b": {"c": 2}})
    FrozenDict({
        a: 1,
        b: {
            c: 2,
        },
    })
    """

    __slots__ = ("_dict",)
    _dict: dict[K, V]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        items = dict(*args, **kwargs)
        object.__setattr__(self, "_dict", {key: _freeze(value) for key, value in items.items()})

    def __getitem__(self, key: K) -> V:
        return self._dict[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._dict)

    def __len__(self) -> int:
        return len(self._dict)

    def __setitem__(self, key: K, value: V) -> NoReturn:
        raise ValueError(f"FrozenDict is immutable; write d.copy({{{key!r}: ...}}). [BST-A16]")

    def __delitem__(self, key: K) -> NoReturn:
        raise ValueError(f"FrozenDict is immutable; write d, value = d.pop({key!r}). [BST-A16]")

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"FrozenDict is immutable; cannot set attribute {name!r}. [BST-A16]")

    def __hash__(self) -> int:
        return hash(frozenset(self._dict.items()))

    def __reduce__(self) -> tuple:
        return type(self), (self.unfreeze(),)

    def copy(self, add_or_replace: Mapping[K, V] = MappingProxyType({})) -> "FrozenDict[K, V]":
        """Give a new FrozenDict with entries added or replaced."""
        return type(self)({**self._dict, **add_or_replace})

    def pop(self, key: K) -> "tuple[FrozenDict[K, V], V]":
        """Give the dict without the key, and the value that was there."""
        rest = dict(self._dict)
        value = rest.pop(key)
        return type(self)(rest), value

    def unfreeze(self) -> dict[K, V]:
        """Give a plain dict, nested where this one is."""
        return {
            key: value.unfreeze() if isinstance(value, FrozenDict) else value  # type: ignore[misc]
            for key, value in self._dict.items()
        }

    def pretty_repr(self, num_spaces: int = 4) -> str:
        """Give the repr with another indentation."""
        return f"FrozenDict({self._block(' ' * num_spaces)})"

    def __repr__(self) -> str:
        return self.pretty_repr()

    def _block(self, indent: str) -> str:
        if not self._dict:
            return "{}"
        rows = (
            f"{key}: {value._block(indent) if isinstance(value, FrozenDict) else repr(value)},"
            for key, value in self._dict.items()
        )
        body = "\n".join(rows).replace("\n", "\n" + indent)
        return f"{{\n{indent}{body}\n}}"

    def tree_flatten_with_keys(self) -> tuple[tuple[tuple[DictKey, V], ...], tuple[K, ...]]:
        """Give the children with their keys, ordered by key."""
        keys = tuple(sorted_keys(self._dict))
        return tuple((DictKey(key), self._dict[key]) for key in keys), keys

    @classmethod
    def tree_unflatten(cls, keys: tuple[K, ...], values: Any) -> "FrozenDict[K, V]":
        """Rebuild from keys and children."""
        return cls(zip(keys, values, strict=True))


def _freeze(value: Any) -> Any:
    return FrozenDict(value) if isinstance(value, dict) else value
