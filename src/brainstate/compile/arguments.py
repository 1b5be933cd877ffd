"""Which arguments of a jitted function are static, which are donated."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from .._engine.hidden import Static
from .._engine.names import function_name


def as_tuple(numbers: int | str | Iterable | None) -> tuple:
    """One number or name, several, or none, as a tuple."""
    if numbers is None:
        return ()
    return (numbers,) if isinstance(numbers, (int, str)) else tuple(numbers)


class Arguments:
    """Splits the arguments of a call into donated ones and others, and wraps static ones."""

    def __init__(
        self,
        fun: Callable,
        static_argnums: Any = None,
        static_argnames: Any = None,
        donate_argnums: Any = None,
        donate_argnames: Any = None,
    ):
        self._names = _parameter_names(fun)
        self._keywords = _keyword_names(fun)
        self._function = function_name(fun)
        self.static = self._resolve("static", static_argnums, static_argnames)
        self.donated = self._resolve("donate", donate_argnums, donate_argnames)
        if both := self.static & self.donated:
            raise ValueError(
                f"{self._function}: static arguments cannot be donated, found both for "
                f"{', '.join(sorted(map(str, both)))}; leave them out of one. [BST-A07]"
            )

    @property
    def plain(self) -> bool:
        """Whether calls need no packing."""
        return not (self.static or self.donated)

    def _resolve(self, what: str, numbers: Any, names: Any) -> frozenset:
        """Positions (also negative ones) and names, each completed by the other."""
        chosen: set[int | str] = set()
        count = None if self._names is None else len(self._names)
        for number in as_tuple(numbers):
            if number < 0 and count is not None:
                number += count
            if number < 0 or (count is not None and number >= count and not self._variadic):
                raise ValueError(
                    f"{what}_argnums={number} is no position among the {count} parameters of "
                    f"{self._function}. [BST-A02]"
                )
            chosen.add(number)
            if self._names and number < len(self._names):
                chosen.add(self._names[number])
        for name in as_tuple(names):
            if self._keywords is not None and name not in self._keywords:
                raise ValueError(
                    f"{what}_argnames names {name!r}, which is no parameter of {self._function}; "
                    f"its parameters are {', '.join(self._keywords)}. [BST-A05]"
                )
            chosen.add(name)
            if self._names and name in self._names:
                chosen.add(self._names.index(name))
        return frozenset(chosen)

    @property
    def _variadic(self) -> bool:
        return self._names is not None and len(self._names) > 0 and self._names[-1] == "*"

    def pack(self, args: tuple, kwargs: dict) -> tuple[dict, tuple, dict]:
        """(donated ones by position or name, the others, the other keyword arguments)."""
        donated: dict = {}
        packed: list = []
        for index, arg in enumerate(args):
            packed.append(self._pack_one(index, arg, donated))
        named = {name: self._pack_one(name, arg, donated) for name, arg in kwargs.items()}
        return donated, tuple(packed), named

    def _pack_one(self, key: int | str, arg: Any, donated: dict) -> Any:
        if key in self.static:
            try:
                hash(arg)
            except TypeError:
                raise TypeError(
                    f"Static argument {key!r} of {self._function} is {arg!r}, of unhashable type "
                    f"{type(arg).__name__}. Pass something hashable, such as a tuple for a list, "
                    "or do not make it static. [BST-J01]"
                ) from None
            return Static(arg)
        if key in self.donated:
            donated[str(key)] = arg
            return None
        return arg

    def unpack(self, donated: dict, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        args = tuple(donated.get(str(i), _unwrap(arg)) for i, arg in enumerate(args))
        return args, {name: donated.get(name, _unwrap(arg)) for name, arg in kwargs.items()}

    def split_prefix(self, prefix: Any) -> tuple[Any, Any]:
        """Split a tree prefix of the positional arguments (shardings) as `pack` splits these."""
        if not isinstance(prefix, (tuple, list)):
            return prefix, prefix
        given = iter(prefix)  # as in JAX, static arguments have none
        count = len(prefix) + sum(isinstance(key, int) for key in self.static)
        full = [None if i in self.static else next(given, None) for i in range(count)]
        donated = {str(i): p for i, p in enumerate(full) if i in self.donated}
        return donated, tuple(None if i in self.donated else p for i, p in enumerate(full))


def _unwrap(arg: Any) -> Any:
    return arg.value if isinstance(arg, Static) else arg


def _keyword_names(fun: Callable) -> list[str] | None:
    """What may be given by keyword; None if anything may."""
    try:
        parameters = inspect.signature(fun).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]


def _parameter_names(fun: Callable) -> list[str] | None:
    try:
        parameters = inspect.signature(fun).parameters.values()
    except (TypeError, ValueError):  # built-in functions may have none
        return None
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [*names, "*"] if any(p.kind is p.VAR_POSITIONAL for p in parameters) else names
