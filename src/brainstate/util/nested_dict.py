"""Dicts of States: nested by name, or flat and keyed by path."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Self, TypeVar

from brainstate.typing import Filter, PathParts

from .filter import split_by_filters
from .mapping_paths import IsLeaf, flat_items, nest_items
from .pretty import PrettyAttr, PrettyMapping, PrettyRepr, PrettyType
from .sorted_children import register_sorted_dict

__all__ = ["NestedDict", "FlattedDict", "flat_mapping", "nest_mapping"]

K = TypeVar("K")
V = TypeVar("V")


class _PathDict(PrettyRepr, dict[K, V]):
    """What both dicts share: everything is said in terms of `(path, leaf)` pairs."""

    def _items_by_path(self) -> Iterator[tuple[PathParts, Any]]:
        raise NotImplementedError(f"{type(self).__name__} must define _items_by_path(). [BST-A14]")

    @classmethod
    def _from_paths(cls, items: Iterable[tuple[PathParts, Any]]) -> Self:
        raise NotImplementedError(f"{cls.__name__} must define _from_paths(). [BST-A14]")

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]  # type: ignore[index]
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__} has no attribute or key {name!r}; its keys are "
                f"{list(self)}. [BST-A05]"
            ) from None

    def split(self, first: Filter, /, *filters: Filter) -> Any:
        """Deal the entries out to the first filter that matches each.

        Returns one dict of this class for one filter and a tuple of them for several. An entry
        without a match raises ValueError; `...` as the last filter takes the rest.
        """
        return self._split((first, *filters), exhaustive=True)

    def filter(self, first: Filter, /, *filters: Filter) -> Any:
        """Like `split`, but drops the entries that no filter matches."""
        return self._split((first, *filters), exhaustive=False)

    subset = filter

    def _split(self, filters: tuple[Filter, ...], *, exhaustive: bool) -> Any:
        groups = split_by_filters(self._items_by_path(), filters, exhaustive=exhaustive)
        dicts = tuple(map(self._from_paths, groups))
        return dicts[0] if len(dicts) == 1 else dicts

    @classmethod
    def _merge(cls, parts: tuple[Any, ...]) -> Self:
        for part in parts:
            if not isinstance(part, (NestedDict, FlattedDict)):
                raise TypeError(
                    f"{cls.__name__}.merge takes NestedDicts and FlattedDicts, found a "
                    f"{type(part).__name__}; wrap it in the one that says how it is "
                    "keyed. [BST-A01]"
                )
        if len(parts) == 1 and isinstance(parts[0], cls):
            return parts[0]
        return cls._from_paths(_merged_items(parts))

    def _same_kind(self, other: Any, sign: str) -> None:
        if not isinstance(other, type(self)):
            raise TypeError(
                f"{type(self).__name__} {sign} {type(other).__name__} is ambiguous: both sides "
                f"must be {type(self).__name__}s. [BST-A01]"
            )

    def __or__(self, other: Any) -> Self:  # type: ignore[override]
        self._same_kind(other, "|")
        return self._merge((self, other)) if other else self

    def __ior__(self, other: Any) -> Self:  # type: ignore[override]
        self.update(self | other)
        return self

    def __sub__(self, other: Any) -> Self:
        self._same_kind(other, "-")
        dropped = {path for path, _ in other._items_by_path()}
        return self._from_paths(item for item in self._items_by_path() if item[0] not in dropped)

    def to_dict(self) -> dict[K, V]:
        """Give a plain dict with the same entries; inner levels are shared."""
        return dict(self)

    def treefy_state(self) -> Self:
        """Replace each State by its `TreefyState`, which JAX sees as a pytree."""
        return self._from_paths(
            (path, leaf.to_state_ref() if hasattr(leaf, "to_state_ref") else leaf)
            for path, leaf in self._items_by_path()
        )

    def __pretty_repr__(self) -> Iterator[PrettyType | PrettyAttr]:
        yield PrettyType(type(self), start="({", end="})", value_sep=": ")
        for key, value in self.items():
            yield PrettyAttr(repr(key), self._value_repr(value))

    def _value_repr(self, value: Any) -> str:
        return repr(value)


class NestedDict(_PathDict[K, V]):
    """A dict keyed by name whose values are leaves or plain dicts nested further.

    Entries can be read as attributes. It is a pytree whose children are ordered by key; States in
    it are leaves.

    >>> NestedDict({"a": {"b": 1}, "c": "x"}).split(int, ...)
    (NestedDict({
      'a': {
        'b': 1
      }
    }), NestedDict({
      'c': 'x'
    }))
    """

    def _items_by_path(self) -> Iterator[tuple[PathParts, Any]]:
        return flat_items(self, keep_empty_nodes=False)

    @classmethod
    def _from_paths(cls, items: Iterable[tuple[PathParts, Any]]) -> Self:
        return cls(nest_items(items))

    @classmethod
    def from_flat(cls, flat_dict: Mapping[PathParts, V] | Iterable[tuple[PathParts, V]]) -> Self:
        """Build from a mapping keyed by path, or from pairs of path and value."""
        return cls._from_paths(dict(flat_dict).items())

    def to_flat(self) -> "FlattedDict":
        """Give the leaves keyed by path; empty levels disappear."""
        return FlattedDict(self._items_by_path())

    @staticmethod
    def merge(
        state: "NestedDict | FlattedDict", /, *states: "NestedDict | FlattedDict"
    ) -> "NestedDict":
        """Put the leaves of all together; where paths are equal, the later one wins."""
        return NestedDict._merge((state, *states))

    def to_pure_dict(self) -> dict:
        """Give a nested plain dict with the same leaves."""
        return nest_items(flat_items(self, keep_empty_nodes=True))

    def replace_by_pure_dict(
        self, pure_dict: Mapping, replace_fn: Callable[[Any, Any], Any] | None = None
    ) -> None:
        """Replace leaves in place by those at the same paths of a nested plain dict.

        `replace_fn(leaf, new)` gives what is stored: by default `leaf.replace(new)` for a State or
        `TreefyState`, and `new` itself for other leaves. An unknown path raises ValueError.
        """
        replace = _replace_leaf if replace_fn is None else replace_fn
        leaves = dict(flat_items(self, keep_empty_nodes=True))
        for path, new in flat_items(pure_dict, is_leaf=lambda path, _: path in leaves):
            if path not in leaves:
                raise ValueError(
                    f"Unknown path {path!r}; the leaves are at {list(leaves)}. [BST-A05]"
                )
            leaves[path] = replace(leaves[path], new)
        self.update(nest_items(leaves.items()))

    def _value_repr(self, value: Any) -> str:
        return repr(PrettyMapping(value) if type(value) is dict else value)


class FlattedDict(_PathDict[K, V]):
    """A dict keyed by path (a tuple of keys), as `module.states()` returns it.

    It is a pytree whose children are ordered by path; States in it are leaves.

    >>> FlattedDict({("a", "b"): 1}).to_nest()
    NestedDict({
      'a': {
        'b': 1
      }
    })
    """

    def _items_by_path(self) -> Iterator[tuple[PathParts, Any]]:
        return iter(self.items())  # type: ignore[arg-type]

    @classmethod
    def _from_paths(cls, items: Iterable[tuple[PathParts, Any]]) -> Self:
        return cls(items)

    @classmethod
    def from_nest(cls, nested_dict: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> Self:
        """Build from a nested mapping; empty levels disappear."""
        return cls(flat_items(dict(nested_dict)))

    def to_nest(self) -> NestedDict:
        """Give the same leaves nested by the keys of their paths."""
        return NestedDict._from_paths(self._items_by_path())

    @staticmethod
    def merge(
        state: "NestedDict | FlattedDict", /, *states: "NestedDict | FlattedDict"
    ) -> "FlattedDict":
        """Put the leaves of all together; where paths are equal, the later one wins."""
        return FlattedDict._merge((state, *states))

    def to_dict_values(self) -> dict[K, Any]:
        """Give a plain dict in which each State is replaced by its value."""
        return {key: _value_of(leaf) for key, leaf in self.items()}


register_sorted_dict(NestedDict)
register_sorted_dict(FlattedDict)


def flat_mapping(
    xs: Mapping[Any, Any],
    /,
    *,
    keep_empty_nodes: bool = False,
    is_leaf: IsLeaf | None = None,
    sep: str | None = None,
) -> FlattedDict:
    """Flatten a nested mapping into a dict keyed by path.

    Args:
        xs: the nested mapping.
        keep_empty_nodes: keep empty inner mappings as placeholders, which `nest_mapping` turns
            back; they are dropped otherwise.
        is_leaf: `(path, mapping) -> bool`; an inner mapping for which it holds is not entered.
        sep: join the keys of a path with this string; all keys must be strings then, and should
            not contain it.

    >>> flat_mapping({"a": {"b": 1}}, sep=".")
    FlattedDict({
      'a.b': 1
    })
    """
    if not isinstance(xs, Mapping):
        raise TypeError(
            f"flat_mapping expects a nested mapping, found {type(xs).__name__}. [BST-A01]"
        )
    items = flat_items(xs, keep_empty_nodes=keep_empty_nodes, is_leaf=is_leaf)
    if sep is None:
        return FlattedDict(items)
    return FlattedDict((_joined(path, sep), leaf) for path, leaf in items)


def nest_mapping(xs: Mapping[Any, Any], /, *, sep: str | None = None) -> NestedDict:
    """Undo `flat_mapping`, given the same `sep`.

    >>> nest_mapping({("a", "b"): 1, ("c",): 2}).to_dict()
    {'a': {'b': 1}, 'c': 2}
    """
    if not isinstance(xs, Mapping):
        raise TypeError(
            f"nest_mapping expects a mapping from paths, found {type(xs).__name__}. [BST-A01]"
        )
    if sep is None:
        return NestedDict(nest_items(xs.items()))
    return NestedDict(nest_items((_parted(key, sep), value) for key, value in xs.items()))


def _joined(path: PathParts, sep: str) -> str:
    for key in path:
        if not isinstance(key, str):
            raise TypeError(
                f"`sep` joins string keys only, found {key!r} in path {path!r}; leave `sep` out "
                "to get paths as tuples. [BST-A01]"
            )
    return sep.join(path)  # type: ignore[arg-type]


def _parted(key: Any, sep: str) -> PathParts:
    if not isinstance(key, str):
        raise TypeError(f"With `sep`, keys must be strings, found {key!r}. [BST-A01]")
    return tuple(key.split(sep))


def _merged_items(parts: Iterable[_PathDict]) -> Iterable[tuple[PathParts, Any]]:
    merged: dict[PathParts, Any] = {}
    for part in parts:
        merged.update(part._items_by_path())
    return merged.items()


def _is_state(leaf: Any) -> bool:
    return hasattr(leaf, "to_state_ref") or hasattr(leaf, "to_state")


def _value_of(leaf: Any) -> Any:
    return leaf.value if _is_state(leaf) else leaf


def _replace_leaf(leaf: Any, new: Any) -> Any:
    return leaf.replace(new) if _is_state(leaf) else new
