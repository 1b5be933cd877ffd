"""Storage that belongs to a function, so that the same function finds what was made for it.

Two functions are the same if they have the same code and close over the same things; so a lambda
written anew at each call finds its programs again, and a function whose closed-over number has
changed does not.
"""

from __future__ import annotations

import functools
import types
import weakref
from collections.abc import Sequence
from typing import Any

from .guards import freeze

_VARIANTS = 16  # closures kept per piece of code


class Storage(dict):
    """What was made for one function; told apart by identity."""

    __slots__ = ("__weakref__",)
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return self is other


_by_object: weakref.WeakKeyDictionary[Any, Storage] = weakref.WeakKeyDictionary()
_by_code: weakref.WeakKeyDictionary[types.CodeType, list] = weakref.WeakKeyDictionary()


def storage_of(fun: Any) -> Storage:
    """A dict that lives as long as `fun`, or as what it closes over."""
    if isinstance(fun, types.MethodType):
        own = storage_of(fun.__self__).setdefault("methods", weakref.WeakKeyDictionary())
        return own.setdefault(fun.__func__, Storage())
    if isinstance(fun, types.FunctionType):
        return _of_code(fun.__code__, _environment(fun), _closed_over(fun))
    if isinstance(fun, functools.partial) and isinstance(fun.func, types.FunctionType):
        bound = freeze([list(fun.args), fun.keywords])
        parts = [*_closed_over(fun.func), *fun.args, *fun.keywords.values()]
        return _of_code(fun.func.__code__, [*_environment(fun.func), bound], parts)
    try:
        return _by_object.setdefault(fun, Storage())
    except TypeError:  # neither hashable nor weakly referable: nothing is kept
        return Storage()


def common_storage(funs: Sequence[Any]) -> Storage:
    """A dict that lives as long as all of these functions."""
    storage = storage_of(funs[0])
    for fun in funs[1:]:
        others = storage.setdefault("others", weakref.WeakKeyDictionary())
        storage = others.setdefault(storage_of(fun), Storage())
    return storage


def _of_code(code: types.CodeType, environment: list, contents: list) -> Storage:
    known = _by_code.setdefault(code, [])
    for index, closure in enumerate(known):
        if closure.environment == environment:
            known.insert(0, known.pop(index))
            return closure.storage
    known.insert(0, closure := _Closure(environment, contents, known))
    del known[_VARIANTS:]
    return closure.storage


class _Closure:
    """What one closure was found to hold, and its storage; gone when a part of it is gone."""

    def __init__(self, environment: list, contents: list, known: list):
        self.environment, self.storage = environment, Storage()
        home, me = weakref.ref(self), known

        def forget(_: Any) -> None:
            if (closure := home()) is not None and closure in me:
                me.remove(closure)

        self._parts = []
        for part in contents:
            try:
                self._parts.append(weakref.ref(part, forget))
            except TypeError:
                continue


def _environment(fun: types.FunctionType) -> list:
    """A snapshot of what the function closes over."""
    parts = [*_closed_over(fun), fun.__defaults__, fun.__kwdefaults__]
    return [id(fun.__globals__), *map(freeze, parts)]


def _closed_over(fun: types.FunctionType) -> list:
    return [_contents(cell) for cell in fun.__closure__ or ()]


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return _contents
