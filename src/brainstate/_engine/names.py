"""How errors name things: by the path along which an object hangs on its owner."""

from __future__ import annotations

import contextlib
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import jax

_PACKAGE = str(Path(__file__).parent.parent)
_TRACING = (_PACKAGE, str(Path(jax.__file__).parent), contextlib.__file__)  # between user and us
_owners: weakref.WeakKeyDictionary[Any, tuple[weakref.ref, tuple]] = weakref.WeakKeyDictionary()


def adopt(owner: Any, key: tuple, child: Any, kinds: type | tuple[type, ...]) -> None:
    """Remember that `child`, or what stands in the container `child`, hangs on `owner`."""
    if isinstance(child, kinds):
        with contextlib.suppress(TypeError):  # a user's class with __eq__ and no __hash__
            _owners[child] = (weakref.ref(owner), key)
    elif type(child) in (list, tuple):
        for index, item in enumerate(child):
            adopt(owner, (*key, index), item, kinds)
    elif type(child) is dict:
        for name, item in child.items():
            adopt(owner, (*key, name), item, kinds)


def path_of(obj: Any) -> tuple[Any, tuple]:
    """The outermost known owner of `obj` and the path from there to it."""
    return list(owners_of(obj))[-1]


def owners_of(obj: Any) -> Iterator[tuple[Any, tuple]]:
    """`obj` and its known owners, inside out, each with the path from there to `obj`."""
    owner, path, seen = obj, (), {id(obj)}
    yield owner, path
    while (entry := _entry(owner)) is not None:
        owner, path = entry[0](), (*entry[1], *path)
        if owner is None or id(owner) in seen:  # gone, or a part that refers to its owner
            return
        seen.add(id(owner))
        yield owner, path


def describe(obj: Any) -> str:
    """Name `obj` for an error message, as in ``HiddenState `lif.V` of LIFNet``."""
    kind = type(obj).__name__
    root, path = path_of(obj)
    if path:
        return f"{kind} `{'.'.join(map(str, path))}` of {type(root).__name__}"
    name = getattr(obj, "name", None)
    if name is not None:
        return f"{kind} {name!r}"
    where = getattr(obj, "source_info", None)
    return f"{kind} created at {where}" if where else kind


def function_name(fun: Any) -> str:
    """How errors call a function, or an object that is called like one."""
    return getattr(fun, "__name__", type(fun).__name__)


def caller() -> str | None:
    """``file:line`` of the nearest frame outside this package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return None if frame is None else f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def stacklevel() -> int:
    """The `stacklevel` with which a warning of the caller points outside this package."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_TRACING):
        level, frame = level + 1, frame.f_back
    return level


def _entry(obj: Any) -> tuple[weakref.ref, tuple] | None:
    try:
        return _owners.get(obj)
    except TypeError:
        return None
