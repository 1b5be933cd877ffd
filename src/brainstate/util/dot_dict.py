"""A dict whose items are also attributes."""

import copy
from collections.abc import Iterable
from typing import Any, Self

import jax
from jax.tree_util import DictKey

__all__ = ["DotDict"]


@jax.tree_util.register_pytree_with_keys_class
class DotDict(dict):
    """A dict with attribute access, `d.x` for `d["x"]`.

    Takes dicts, `(key, value)` tuples, iterables of pairs, None and keywords. Plain dicts inside
    these, also in lists and tuples, become DotDicts; what is assigned later is stored as it is. It
    is a pytree in insertion order.

    >>> d = DotDict({"net": {"size": 3}}, dt=0.1)
    >>> d.net.size, d.dt
    (3, 0.1)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        for items in (*args, kwargs):
            super().update({key: _convert(value) for key, value in _pairs(items)})

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(
                f"DotDict has no attribute or key {name!r}; its keys are {list(self)}. [BST-A05]"
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            raise AttributeError(
                f"{name!r} is a method of DotDict; write d[{name!r}] = value. [BST-A11]"
            )
        self[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self:
            raise AttributeError(
                f"DotDict has no key {name!r} to delete; its keys are {list(self)}. [BST-A05]"
            )
        del self[name]

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Update like a dict, but merge where both the old and the new value are dicts."""
        for items in (*args, kwargs):
            for key, value in _pairs(items):
                old = self.get(key)
                if not (isinstance(old, dict) and isinstance(value, dict)):
                    self[key] = value
                    continue
                if not isinstance(old, DotDict):
                    old = self[key] = DotDict(old)
                old.update(value)

    def __ior__(self, other: Any) -> Self:  # type: ignore[misc]
        self.update(other)
        return self

    def copy(self) -> Self:
        """Give a shallow copy of the same class."""
        return copy.copy(self)

    def deepcopy(self) -> Self:
        """Give a copy that shares nothing mutable with this one."""
        return copy.deepcopy(self)

    def to_dict(self) -> dict:
        """Give a plain dict, with those inside it, also in lists and tuples, plain too."""
        return {key: _revert(value) for key, value in self.items()}

    def tree_flatten_with_keys(self) -> tuple[tuple, tuple]:
        """Give the children with their keys, in insertion order."""
        return tuple((DictKey(key), value) for key, value in self.items()), tuple(self)

    def tree_flatten(self) -> tuple[tuple, tuple]:
        """Give the children and the keys, in insertion order."""
        return tuple(self.values()), tuple(self)

    @classmethod
    def tree_unflatten(cls, keys: tuple, values: Iterable) -> Self:
        """Rebuild from keys and children, which are stored as they are."""
        new = cls()
        dict.update(new, zip(keys, values, strict=True))
        return new


def _pairs(items: Any) -> Iterable[tuple[Any, Any]]:
    if items is None:
        return ()
    if isinstance(items, tuple) and len(items) == 2 and not isinstance(items[0], (tuple, list)):
        return (items,)
    return dict(items).items()


def _convert(value: Any) -> Any:
    if type(value) is dict:
        return DotDict(value)
    if type(value) in (list, tuple):
        return type(value)(map(_convert, value))
    return value


def _revert(value: Any) -> Any:
    if isinstance(value, DotDict):
        return value.to_dict()
    if type(value) in (list, tuple):
        return type(value)(map(_revert, value))
    return value
