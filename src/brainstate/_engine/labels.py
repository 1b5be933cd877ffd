"""Names of nodes and States as the author of a function writes them: ``net.lif.V``."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

from .functions import contents_of, global_names, is_library, take_apart
from .hidden import is_graph
from .names import owners_of

_DEPTH = 3  # how far functions that call functions are followed


class Labels:
    """Names what a function sees by its own names, and the rest by the types of its owners.

    >>> import brainstate
    >>> count = brainstate.State(0)
    >>> Labels(lambda: count.value).of(count)
    'count'
    """

    def __init__(self, fun: Callable, args: tuple = (), kwargs: dict | None = None):
        self._roots: dict[int, str] = {}
        self._known: dict[int, tuple[Any, str]] = {}  # with the object, lest its id be used again
        self._owners: dict[str, int] = {}
        for name, value in [*_arguments(fun, args, kwargs or {}), *_in_sight(fun)]:
            self._add(name, value)

    def _add(self, name: str, value: Any) -> None:
        if is_graph(value):
            self._roots.setdefault(id(value), name)
        elif type(value) in (list, tuple):
            for index, item in enumerate(value):
                self._add(f"{name}.{index}", item)
        elif type(value) is dict:
            for key, item in value.items():
                self._add(f"{name}.{key}", item)

    def of(self, obj: Any) -> str:
        """The name of a node or State; no two have the same."""
        known = self._known.get(id(obj))
        if known is None:
            name, count = self._name(obj), 1
            label = name
            while self._owners.setdefault(label, id(obj)) != id(obj):
                count += 1
                label = f"{name} ({count})"
            known = self._known[id(obj)] = (obj, label)
        return known[1]

    def _name(self, obj: Any) -> str:
        owners = list(owners_of(obj))
        seen = [
            (self._roots[id(owner)], path) for owner, path in owners if id(owner) in self._roots
        ]
        root, path = seen[-1] if seen else (type(owners[-1][0]).__name__, owners[-1][1])
        if seen or path:
            return ".".join(map(str, (root, *path)))
        where = getattr(obj, "source_info", None)
        return getattr(obj, "name", None) or type(obj).__name__ + (f" of {where}" if where else "")


def _arguments(fun: Callable, args: tuple, kwargs: dict) -> Iterator[tuple[str, Any]]:
    yield from zip(argument_names(fun, len(args)), args, strict=True)
    yield from kwargs.items()


def argument_names(fun: Callable, count: int) -> list[str]:
    """What `fun` calls its first `count` positional arguments."""
    try:
        parameters = list(inspect.signature(fun).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = []
    for index in range(count):
        parameter = parameters[min(index, len(parameters) - 1)] if parameters else None
        if parameter is None or parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD):
            names.append(str(index))
        elif parameter.kind is parameter.VAR_POSITIONAL:
            names.append(f"{parameter.name}[{index - parameters.index(parameter)}]")
        else:
            names.append(parameter.name)
    return names


def _in_sight(fun: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """What the function closes over, is bound to and names among its globals."""
    while (inner := vars(fun).get("__wrapped__") if hasattr(fun, "__dict__") else None) is not None:
        fun = inner
    function, bound = take_apart(fun)
    if isinstance(fun, types.MethodType):
        yield "self", fun.__self__
    elif bound and bound[0] is not fun:  # a partial
        if function is not fun.func:
            return
        yield from _arguments(function, fun.args, fun.keywords)
    elif bound:
        yield "self", fun
    if not isinstance(function, types.FunctionType):
        return
    code = function.__code__
    seen = list(zip(code.co_freevars, map(contents_of, function.__closure__ or ()), strict=True))
    names = [name for name in global_names(code) if name in function.__globals__]
    seen += [(name, function.__globals__[name]) for name in names]
    yield from seen
    for _, value in seen:
        followed = depth < _DEPTH and callable(value) and not isinstance(value, type)
        if followed and not is_graph(value) and _is_users(value):
            yield from _in_sight(value, depth + 1)


def _is_users(fun: Any) -> bool:
    code = getattr(inspect.unwrap(fun), "__code__", None)
    return code is not None and not is_library(code)
