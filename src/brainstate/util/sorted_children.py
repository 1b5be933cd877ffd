"""Dict subclasses as pytrees whose children are ordered by key."""

from collections.abc import Iterable
from typing import Any, TypeVar

import jax
from jax.tree_util import DictKey

__all__ = ["sorted_keys", "register_sorted_dict"]

K = TypeVar("K")


def sorted_keys(keys: Iterable[K]) -> list[K]:
    """Sort keys; those that cannot be compared go by type name and repr.

    >>> sorted_keys(["b", "a"]), sorted_keys(["b", 0])
    (['a', 'b'], [0, 'b'])
    """
    keys = list(keys)
    if _are_comparable(keys):
        return sorted(keys)  # type: ignore[type-var]
    return sorted(keys, key=lambda key: (type(key).__name__, repr(key)))


def register_sorted_dict(cls: type, *, rebuilt_as: type | None = None) -> None:
    """Register a dict subclass as a pytree with keys, its children ordered by `sorted_keys`."""
    build = cls if rebuilt_as is None else rebuilt_as
    jax.tree_util.register_pytree_with_keys(
        cls,
        _flatten_with_keys,
        lambda keys, children: build(zip(keys, children, strict=True)),
        _flatten,
    )


def _flatten(mapping: dict) -> tuple[list, tuple]:
    keys = tuple(sorted_keys(mapping))
    return [_child(mapping[key]) for key in keys], keys


def _flatten_with_keys(mapping: dict) -> tuple[list, tuple]:
    children, keys = _flatten(mapping)
    return [(DictKey(key), child) for key, child in zip(keys, children, strict=True)], keys


def _are_comparable(keys: Iterable) -> bool:
    try:
        sorted(keys)
    except TypeError:
        return False
    return True


class _MixedKeyDict(dict):
    """A plain dict on its way through JAX, which cannot order keys such as 0 and 'a' itself."""


def _child(value: Any) -> Any:
    return _MixedKeyDict(value) if _has_mixed_keys(value) else value


def _has_mixed_keys(value: Any) -> bool:
    return type(value) is dict and (
        not _are_comparable(value) or any(map(_has_mixed_keys, value.values()))
    )


register_sorted_dict(_MixedKeyDict, rebuilt_as=dict)
