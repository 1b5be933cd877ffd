"""Readable reprs of nested objects, one attribute a line."""

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar

__all__ = ["PrettyType", "PrettyAttr", "PrettyRepr", "PrettyMapping", "MappingReprMixin"]

K = TypeVar("K")
V = TypeVar("V")

# The objects printed so far by the outermost repr, kept alive so that no id is used twice.
_printed: ContextVar[dict[int, object] | None] = ContextVar("brainstate_printed", default=None)


@dataclasses.dataclass(frozen=True)
class PrettyType:
    """Head of a repr: the name of the type and the punctuation around its attributes."""

    type: str | type
    start: str = "("
    end: str = ")"
    value_sep: str = "="
    elem_indent: str = "  "
    empty_repr: str = ""

    @property
    def name(self) -> str:
        """The name of the type."""
        return self.type if isinstance(self.type, str) else self.type.__name__


@dataclasses.dataclass(frozen=True)
class PrettyAttr:
    """One row of a repr. A string value is printed as it is, any other by its repr."""

    key: str
    value: Any
    start: str = ""
    end: str = ""

    @classmethod
    def of(cls, key: str, value: Any) -> "PrettyAttr":
        """A row that shows any value by its repr."""
        return cls(key, repr(value) if isinstance(value, str) else value)


class PrettyRepr:
    """Base of classes whose repr is described by `__pretty_repr__`.

    The method yields one `PrettyType`, then a `PrettyAttr` for each row. Within one repr an object
    is printed once; where it comes again, as in shared or cyclic structures, it reads `Type(...)`.

    >>> class Point(PrettyRepr):
    ...     def __pretty_repr__(self):
    ...         yield PrettyType(type(self))
    ...         yield PrettyAttr("x", 1)
    >>> Point()
    Point(
      x=1
    )
    """

    def __pretty_repr__(self) -> Iterator[PrettyType | PrettyAttr]:
        raise NotImplementedError(f"{type(self).__name__} must define __pretty_repr__. [BST-A14]")

    def _printed_identity(self) -> object:
        return self

    def _repeat_repr(self) -> str:
        return f"{type(self).__name__}(...)"

    def __repr__(self) -> str:
        with _printed_objects() as printed:
            subject = self._printed_identity()
            if id(subject) in printed:
                return self._repeat_repr()
            printed[id(subject)] = subject
            return _render(self)

    def __treescope_repr__(self, path: str | None, subtree_renderer: Any) -> Any:
        from treescope import repr_lib

        where = {"path": path, "subtree_renderer": subtree_renderer}
        if isinstance(self, Mapping):
            return repr_lib.render_dictionary_wrapper(type(self), dict(self), **where)
        rows = [row for row in self.__pretty_repr__() if isinstance(row, PrettyAttr)]
        shown = {
            row.key: _Text(row.value) if isinstance(row.value, str) else row.value for row in rows
        }
        return repr_lib.render_object_constructor(type(self), shown, **where)


class _Text:
    """Something whose repr is written already, in one line or several."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def __treescope_repr__(self, path: str | None, subtree_renderer: Any) -> Any:
        from treescope import rendering_parts as parts

        first, *more = [parts.text(line) for line in self.text.split("\n")]
        if not more:
            return first
        collapsed = parts.siblings(first, " ...")
        return parts.build_custom_foldable_tree_node(
            contents=parts.fold_condition(
                collapsed=collapsed, expanded=parts.on_separate_lines([first, *more])
            ),
            path=path,
        )


# Makes the base abstract without the metaclass ABCMeta, whose slow isinstance States would inherit.
PrettyRepr.__abstractmethods__ = frozenset({"__pretty_repr__"})  # type: ignore[attr-defined]


@contextlib.contextmanager
def _printed_objects() -> Iterator[dict[int, object]]:
    printed = _printed.get()
    if printed is not None:
        yield printed
        return
    printed = {}
    token = _printed.set(printed)
    try:
        yield printed
    finally:
        _printed.reset(token)


def _render(obj: PrettyRepr) -> str:
    parts = iter(obj.__pretty_repr__())
    head = next(parts, None)
    if not isinstance(head, PrettyType):
        raise TypeError(
            f"__pretty_repr__ of {type(obj).__name__} must yield a PrettyType first, "
            f"found {type(head).__name__}. [BST-A01]"
        )
    rows = [_row(obj, head, part) for part in parts]
    body = "\n" + ",\n".join(rows) + "\n" if rows else head.empty_repr
    return f"{head.name}{head.start}{body}{head.end}"


def _row(obj: PrettyRepr, head: PrettyType, attr: Any) -> str:
    if not isinstance(attr, PrettyAttr):
        raise TypeError(
            f"__pretty_repr__ of {type(obj).__name__} must yield PrettyAttr after the first item, "
            f"found {type(attr).__name__}. [BST-A01]"
        )
    text = attr.value if isinstance(attr.value, str) else repr(attr.value)
    text = text.replace("\n", "\n" + head.elem_indent)
    return f"{head.elem_indent}{attr.start}{attr.key}{head.value_sep}{text}{attr.end}"


@dataclasses.dataclass(repr=False)
class PrettyMapping(PrettyRepr):
    """Shows a mapping with one entry a line, and the plain dicts inside it likewise.

    >>> PrettyMapping({"a": 1, "b": {"c": 2}})
    {
      'a': 1,
      'b': {
        'c': 2
      }
    }
    """

    mapping: Mapping

    def __pretty_repr__(self) -> Iterator[PrettyType | PrettyAttr]:
        yield PrettyType("", start="{", end="}", value_sep=": ")
        for key, value in self.mapping.items():
            inner = PrettyMapping(value) if type(value) is dict else value
            yield PrettyAttr(repr(key), repr(inner))

    def _printed_identity(self) -> object:
        return self.mapping

    def _repeat_repr(self) -> str:
        return "{...}"


class MappingReprMixin(Mapping[K, V]):
    """Gives a mapping the rows of `PrettyMapping`; list it before `PrettyRepr` among the bases."""

    def __pretty_repr__(self) -> Iterator[PrettyType | PrettyAttr]:
        return PrettyMapping(self).__pretty_repr__()
