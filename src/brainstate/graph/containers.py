"""Nodes that hold what they are given: `Dict`, `List`, `Sequential`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping, MutableSequence
from typing import Any, TypeVar

from .node import Node, attributes

A = TypeVar("A")


class Dict(Node, MutableMapping[str, A]):
    """A dict whose entries are the attributes of a node.

    Keys are strings other than the names of its methods.

    >>> import brainstate
    >>> weights = Dict(w=brainstate.ParamState(1.0))
    >>> weights["b"] = brainstate.ParamState(0.0)
    >>> list(weights), weights.b.value
    (['w', 'b'], 0.0)
    """

    def __init__(self, *args: Any, **kwargs: A):
        self.update(*args, **kwargs)

    def __getitem__(self, key: str) -> A:
        if isinstance(key, str) and not hasattr(type(self), key) and hasattr(self, key):
            return getattr(self, key)
        raise KeyError(key)

    def __setitem__(self, key: str, value: A) -> None:
        if not isinstance(key, str):
            raise TypeError(
                f"Keys of a graph.Dict are strings, found {key!r}; use a plain dict. [BST-A01]"
            )
        if hasattr(type(self), key):
            raise ValueError(
                f"{key!r} is a method of {type(self).__name__}; choose another key. [BST-A11]"
            )
        setattr(self, key, value)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        delattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(list(attributes(self)))

    def __len__(self) -> int:
        return len(attributes(self))

    __eq__ = object.__eq__
    __hash__ = object.__hash__


class List(Node, MutableSequence[A]):
    """A list whose items are the attributes ``"0"``, ``"1"``, ... of a node.

    >>> import brainstate
    >>> layers = List([brainstate.ParamState(1.0)])
    >>> layers.append(brainstate.ParamState(2.0))
    >>> len(layers), list(brainstate.graph.states(layers))
    (2, [('0',), ('1',)])
    """

    def __init__(self, seq: Iterable[A] = ()):
        self.extend(seq)

    def __len__(self) -> int:
        return sum(name.isdecimal() for name in attributes(self))

    def __getitem__(self, idx: Any) -> Any:
        places = range(len(self))[idx]
        if isinstance(places, range):
            return List(getattr(self, str(place)) for place in places)
        return getattr(self, str(places))

    def __setitem__(self, idx: Any, value: Any) -> None:
        items = [*self]
        items[idx] = value
        self._store(items)

    def __delitem__(self, idx: Any) -> None:
        items = [*self]
        del items[idx]
        self._store(items)

    def insert(self, index: int, value: A) -> None:
        """Put a value before the item at `index`."""
        items = [*self]
        items.insert(index, value)
        self._store(items)

    def append(self, value: A) -> None:
        """Add a value at the end."""
        setattr(self, str(len(self)), value)

    def __add__(self, other: Iterable[A]) -> List[A]:
        return List([*self, *other])

    def _store(self, items: list[A]) -> None:
        before = [*self]
        for place, item in enumerate(items):
            if place >= len(before) or before[place] is not item:
                setattr(self, str(place), item)
        for place in range(len(items), len(before)):
            delattr(self, str(place))


class Sequential(Node):
    """Functions and nodes called one after the other.

    Each gets what the one before returned: the items of a tuple as arguments, those of a dict as
    keyword arguments, anything else as the one argument.

    >>> Sequential(lambda x: (x, 2), lambda x, y: {"a": x, "b": y}, lambda a, b: a * b)(3)
    6
    """

    def __init__(self, *fns: Callable[..., Any]):
        for fn in fns:
            if not callable(fn):
                raise TypeError(f"Sequential takes functions and nodes, found {fn!r}. [BST-A01]")
        self.layers = list(fns)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.layers:
            raise ValueError("This Sequential is empty; give it a function to call. [BST-A06]")
        for layer in self.layers:
            out = layer(*args, **kwargs)
            args = out if isinstance(out, tuple) else () if isinstance(out, dict) else (out,)
            kwargs = out if isinstance(out, dict) else {}
        return out
