"""Storage that belongs to a function, so that the same function finds what was made for it.

Two functions are the same if they have the same code and see the same things: what they close over,
the globals that they name, and so on for the user's own functions and objects among these. So a
lambda written anew at each call finds its programs again, and a function whose closed-over or
global number has changed does not.
"""

from __future__ import annotations

import functools
import sys
import sysconfig
import types
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .attachments import Attachable, attachments
from .guards import Identity, freeze

_VARIANTS = 16  # closures kept per piece of code
_DEPTH = 8  # how far functions and objects are followed
_PACKAGE = str(Path(__file__).parent.parent)
_LIBRARIES = tuple(
    {_PACKAGE, *(sysconfig.get_paths()[k] for k in ("stdlib", "platstdlib", "purelib", "platlib"))}
)


class Storage(dict):
    """What was made for one function; told apart by identity."""

    __slots__ = ("__weakref__", "closure")
    closure: Callable[[], _Closure | None]
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return self is other


_by_object: weakref.WeakKeyDictionary[Any, Storage] = weakref.WeakKeyDictionary()
_by_code: weakref.WeakKeyDictionary[types.CodeType, list] = weakref.WeakKeyDictionary()


def storage_of(fun: Any) -> Storage:
    """A dict that lives as long as `fun`, or as what it closes over."""
    identity = _identify(fun)
    if identity is not None:
        return _of_code(*identity)
    try:
        return _by_object.setdefault(fun, Storage())
    except TypeError:  # neither hashable nor weakly referable: nothing is kept
        return Storage()


def _identify(fun: Any) -> tuple[types.CodeType, list, list] | None:
    """(code, snapshot of what it sees, its parts), where a function can be looked into."""
    if isinstance(fun, types.FunctionType):
        return fun.__code__, _snapshot_of_function(fun, ()), _closed_over(fun)
    function: Any
    if isinstance(fun, functools.partial):
        function, bound = fun.func, [*fun.args, *fun.keywords.items()]
        parts = [*fun.args, *fun.keywords.values()]
    elif isinstance(fun, types.MethodType):
        function, bound = fun.__func__, [fun.__self__]
        parts = bound
    else:
        function, bound = vars(type(fun)).get("__call__"), [fun]
        parts = bound
    if not isinstance(function, types.FunctionType):
        return None
    environment = [*_snapshot_of_function(function, ()), _snapshot(bound, ())]
    return function.__code__, environment, [*parts, *_closed_over(function)]


def common_storage(funs: Sequence[Any]) -> Storage:
    """A dict that lives as long as all of these functions."""
    storage = storage_of(funs[0])
    for fun in funs[1:]:
        others = storage.setdefault("others", weakref.WeakKeyDictionary())
        storage = others.setdefault(storage_of(fun), Storage())
    return storage


def _of_code(code: types.CodeType, environment: list, contents: list) -> Storage:
    known = _by_code.setdefault(code, [])
    for index, (find, _) in enumerate(known):
        closure = find()
        if closure is not None and closure.environment == environment:
            known.insert(0, known.pop(index))
            return closure.storage
    known[:] = [entry for entry in known if entry[0]() is not None][: _VARIANTS - 1]
    closure = _Closure(environment)
    owner = next((part for part in contents if isinstance(part, Attachable)), None)
    if owner is not None:  # lives and dies with the model that the function closes over
        attachments(owner).setdefault(_Closure, set()).add(closure)
    known.insert(0, (weakref.ref(closure), closure if owner is None else None))
    return closure.storage


class _Closure:
    """What one closure was found to hold, and what was made for it."""

    def __init__(self, environment: list):
        self.environment, self.storage = environment, Storage()
        self.storage.closure = weakref.ref(self)


class _Anything:
    """Stands in a snapshot for what the function itself changes when it is traced."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def forgive_changes(fun: Any) -> Callable[[], None]:
    """Call before `fun` is traced, and the result afterwards.

    What the function changed meanwhile, such as a counter of its runs, is no reason to trace again.
    """
    find = getattr(storage_of(fun), "closure", None)

    def forgive() -> None:
        closure, now = find and find(), _identify(fun)
        if closure and now:
            closure.environment = _without_changes(closure.environment, now[1])

    return forgive


def _without_changes(old: Any, new: Any) -> Any:
    if old == new:
        return old
    if type(old) is type(new) and isinstance(old, (list, tuple)) and len(old) == len(new):
        return type(old)([_without_changes(a, b) for a, b in zip(old, new, strict=True)])
    return _Anything()


def _snapshot(value: Any, around: tuple[int, ...]) -> Any:
    """As `freeze`; functions and objects of the user's own classes are looked into."""
    if isinstance(value, Attachable) or id(value) in around or len(around) > _DEPTH:
        return Identity(value)
    if isinstance(value, types.FunctionType):
        return (
            Identity(value) if _is_library(value.__code__) else _snapshot_of_function(value, around)
        )
    if isinstance(value, types.MethodType):
        return [_snapshot(part, around) for part in (value.__func__, value.__self__)]
    if type(value) in (list, tuple):
        return type(value), [_snapshot(item, (*around, id(value))) for item in value]
    fields = getattr(value, "__dict__", None)
    kind: Any = type(value)
    if type(fields) is dict and kind is not types.ModuleType and _is_users(kind):
        inside = [(k, _snapshot(v, (*around, id(value)))) for k, v in fields.items()]
        return Identity(value), inside
    return freeze(value)


def _snapshot_of_function(fun: types.FunctionType, around: tuple[int, ...]) -> list:
    around = (*around, id(fun))
    names = [name for name in _global_names(fun.__code__) if name in fun.__globals__]
    parts = [*_closed_over(fun), fun.__defaults__, fun.__kwdefaults__]
    parts += [fun.__globals__[name] for name in names]
    return [fun.__code__, *[_snapshot(part, around) for part in parts]]


@functools.lru_cache(maxsize=4096)
def _global_names(code: types.CodeType) -> tuple[str, ...]:
    """The names that the code, or code inside it, may look up among the globals."""
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return tuple(dict.fromkeys([*code.co_names, *[n for c in inner for n in _global_names(c)]]))


@functools.lru_cache(maxsize=4096)
def _is_library(code: types.CodeType) -> bool:
    return code.co_filename.startswith(_LIBRARIES)


@functools.lru_cache(maxsize=4096)
def _is_users(kind: Any) -> bool:
    module = sys.modules.get(kind.__module__)
    file = getattr(module, "__file__", None)
    if kind is types.SimpleNamespace or kind.__module__ == "__main__":
        return True
    return file is not None and not file.startswith(_LIBRARIES)


def _closed_over(fun: types.FunctionType) -> list:
    return [_contents(cell) for cell in fun.__closure__ or ()]


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None
