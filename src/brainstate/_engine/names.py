"""How errors name things: by the path along which an object hangs on its owner."""

from __future__ import annotations

import contextlib
import sys
import weakref
from pathlib import Path
from types import FrameType
from typing import Any

_PACKAGE = str(Path(__file__).parent.parent)
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
    root, path, seen = obj, (), set()
    while (entry := _entry(root)) is not None and id(root) not in seen:
        seen.add(id(root))
        owner = entry[0]()
        if owner is None:
            break
        root, path = owner, (*entry[1], *path)
    return root, path


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
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    return level


def _entry(obj: Any) -> tuple[weakref.ref, tuple] | None:
    try:
        return _owners.get(obj)
    except TypeError:
        return None
