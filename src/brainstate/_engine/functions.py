"""Storage that belongs to a function, so that the same function finds what was made for it.

Two functions are the same if they have the same code and see the same things: what they close over,
the globals that they name, and so on for the user's own functions and objects among these. So a
lambda written anew at each call finds its programs again, and a function whose closed-over or
global number has changed does not.
"""

from __future__ import annotations

import functools
import inspect
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

    def has_owner(self) -> bool:
        """Whether it goes with some model."""
        find = getattr(self, "closure", None)
        closure = find and find()
        return bool(closure and closure.parts)

    def forget(self, _: Any) -> None:
        self.clear()

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
    """(code, snapshot of what it sees, nodes and States in sight), if it can be looked into."""
    function, bound = take_apart(fun)
    if not isinstance(function, types.FunctionType):
        return None
    owners: list = []
    environment = [_snapshot_of_function(function, (), owners), _snapshot(bound, (), owners)]
    return function.__code__, environment, owners


def take_apart(fun: Any) -> tuple[Any, list]:
    """The plain function inside a callable, and what is bound to it."""
    if isinstance(fun, types.FunctionType):
        return fun, []
    if isinstance(fun, functools.partial):
        return fun.func, [*fun.args, *fun.keywords.items()]
    if isinstance(fun, types.MethodType):
        return fun.__func__, [fun.__self__]
    return inspect.getattr_static(type(fun), "__call__", None), [fun]


def common_storage(funs: Sequence[Any]) -> Storage:
    """A dict that lives as long as all of these functions."""
    storages = [storage_of(fun) for fun in funs]
    # One that goes with a model holds the rest, so that all of it goes at once.
    first = next((i for i, storage in enumerate(storages) if storage.has_owner()), 0)
    storage = storages.pop(first)
    for other in storages:
        others = storage.setdefault(("others", first), weakref.WeakKeyDictionary())
        storage = others.setdefault(other, Storage())
    return storage


def _of_code(code: types.CodeType, environment: list, owners: list) -> Storage:
    known = _by_code.setdefault(code, [])
    for index, (find, _) in enumerate(known):
        closure = find()
        if closure is not None and closure.environment == environment:
            known.insert(0, known.pop(index))
            return closure.storage
    known[:] = [entry for entry in known if entry[0]() is not None][: _VARIANTS - 1]
    closure = _Closure(environment)
    for owner in owners:  # when a model goes, what was made for it goes
        closure.parts.append(weakref.ref(owner, closure.storage.forget))
    if owners:
        attachments(owners[0]).setdefault(_Closure, set()).add(closure)
    known.insert(0, (weakref.ref(closure), None if owners else closure))
    return closure.storage


class _Closure:
    """What one closure was found to hold, and what was made for it."""

    def __init__(self, environment: list):
        self.environment, self.storage = environment, Storage()
        self.storage.closure = weakref.ref(self)
        self.parts: list[weakref.ref] = []


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


def _snapshot(value: Any, around: tuple[int, ...], owners: list) -> Any:
    """As `freeze`; functions and objects of the user's own classes are looked into."""
    if isinstance(value, Attachable):
        owners.append(value)
        return Identity(value)
    if id(value) in around or len(around) > _DEPTH:
        return Identity(value)
    if isinstance(value, types.FunctionType):
        if is_library(value.__code__):
            return Identity(value)
        return _snapshot_of_function(value, around, owners)
    if isinstance(value, types.MethodType):
        return [_snapshot(part, around, owners) for part in (value.__func__, value.__self__)]
    around = (*around, id(value))
    if type(value) in (list, tuple):
        return type(value), [_snapshot(item, around, owners) for item in value]
    if type(value) is dict:
        return dict, [(key, _snapshot(item, around, owners)) for key, item in value.items()]
    fields, kind = getattr(value, "__dict__", None), type(value)
    if type(fields) is dict and kind is not types.ModuleType and _is_users(kind):
        inside = [(name, _snapshot(item, around, owners)) for name, item in fields.items()]
        return Identity(value), inside
    return freeze(value)


def _snapshot_of_function(fun: types.FunctionType, around: tuple[int, ...], owners: list) -> list:
    around = (*around, id(fun))
    names = [name for name in global_names(fun.__code__) if name in fun.__globals__]
    parts = [*_closed_over(fun), fun.__defaults__, fun.__kwdefaults__]
    parts += [fun.__globals__[name] for name in names]
    return [fun.__code__, *[_snapshot(part, around, owners) for part in parts]]


@functools.lru_cache(maxsize=4096)
def global_names(code: types.CodeType) -> tuple[str, ...]:
    """The names that the code, or code inside it, may look up among the globals."""
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return tuple(dict.fromkeys([*code.co_names, *[n for c in inner for n in global_names(c)]]))


@functools.lru_cache(maxsize=4096)
def is_library(code: types.CodeType) -> bool:
    return code.co_filename.startswith(_LIBRARIES)


def _is_users(kind: Any) -> bool:
    module = sys.modules.get(kind.__module__)
    file = getattr(module, "__file__", None)
    if kind is types.SimpleNamespace or kind.__module__ == "__main__":
        return True
    return file is not None and not file.startswith(_LIBRARIES)


def _closed_over(fun: types.FunctionType) -> list:
    return [contents_of(cell) for cell in fun.__closure__ or ()]


def contents_of(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None
