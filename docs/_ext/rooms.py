"""The directive `room`: all public names of a module, documented from their docstrings.

A room lists its names in ``__all__``. ``:under:`` keeps those defined below the given folders or
files of the room, and ``:also:`` adds names, such as constants. ``:links:`` lists the names only,
with links to where they are documented.
"""

from __future__ import annotations

import importlib
import inspect
import re
from itertools import groupby
from types import ModuleType
from typing import Any, ClassVar, get_origin

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.inspect import TypeAliasForwardRef, signature, stringify_signature

PACKAGE = "brainstate"
LINKED = {"brainstate.transform"}  # its names are documented in the rooms that they are from
logger = logging.getLogger(__name__)

# Within unions and tuples Sphinx shows aliases by their repr, with the name of its own class.
TypeAliasForwardRef.__repr__ = lambda self: self.name  # type: ignore[method-assign]


def public_names(room: ModuleType) -> list[str]:
    """What the room offers, without other rooms."""
    names = [name for name in room.__all__ if not name.startswith("__")]
    return [name for name in names if not inspect.ismodule(getattr(room, name))]


def origin(room: ModuleType, name: str) -> str:
    """The file of the room, such as ``layers.linear``, that a name comes from."""
    module = getattr(getattr(room, name), "__module__", None) or ""
    inside = module.startswith(f"{room.__name__}.")
    return module.removeprefix(f"{room.__name__}.") if inside else ""


class Room(SphinxDirective):
    """All public names of the room given as argument."""

    required_arguments = 1
    option_spec: ClassVar = {
        "under": directives.unchanged,
        "also": directives.unchanged,
        "links": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        """The nodes that autodoc makes of the names."""
        room = importlib.import_module(self.arguments[0])
        names = public_names(room)
        if "under" in self.options:
            parts = self.options["under"].split()
            names = [name for name in names if _is_under(origin(room, name), parts)]
        names += self.options.get("also", "").split()
        if not names:
            raise self.error(f"no public name of {room.__name__} is under {self.options}")
        lines = _links(room, names) if "links" in self.options else _described(room, names)
        return self._parsed(lines)

    def _parsed(self, lines: list[str]) -> list[nodes.Node]:
        # MyST hands directives its own state; eval-rst parses reStructuredText inside it.
        text = "\n".join(["```{eval-rst}", *lines, "```"])
        container = nodes.Element()
        self.state.nested_parse(StringList(text.splitlines()), 0, container)
        return container.children


def _is_under(file: str, parts: list[str]) -> bool:
    return any(file == part or file.startswith(f"{part}.") for part in parts)


def _links(room: ModuleType, names: list[str]) -> list[str]:
    return [", ".join(f":py:obj:`{_home(getattr(room, name), name)}`" for name in names)]


def _home(value: Any, name: str) -> str:
    module = value.__module__.split(".")
    return f"~{'.'.join(module[:2])}.{name}"


def _described(room: ModuleType, names: list[str]) -> list[str]:
    lines: list[str] = []
    for file, group in groupby(names, lambda name: origin(room, name)):
        lines += _heading(room, file)
        for name in group:
            lines += _entry(f"{room.__name__}.{name}", getattr(room, name))
    return lines


def _heading(room: ModuleType, file: str) -> list[str]:
    """The first sentence of the file, unless it only says which name stands there."""
    if not file:
        return []
    text = (importlib.import_module(f"{room.__name__}.{file}").__doc__ or "").splitlines()[0]
    return [] if text.startswith("`") else [f".. rubric:: {text.rstrip('.')}", ""]


def _entry(path: str, value: Any) -> list[str]:
    if inspect.isclass(value) and value.__module__.startswith(PACKAGE):
        kind = "autoexception" if issubclass(value, BaseException) else "autoclass"
        return [f".. {kind}:: {path}", "   :members:", ""]
    is_function = callable(value) and hasattr(value, "__name__") and get_origin(value) is None
    if is_function and not inspect.isclass(value):
        return [f".. autofunction:: {path}", ""]
    kind = type(value)
    if kind.__module__.startswith(PACKAGE):
        return [f".. py:data:: {path}", f"   :type: {kind.__name__}", ""]
    return [f".. py:data:: {path}", f"   :value: {_value(value)}", ""]


def _value(value: Any) -> str:
    text = f"{value.__module__}.{value.__name__}" if inspect.isclass(value) else repr(value)
    return " ".join(text.split())


def check_rooms(app: Sphinx, env: Any) -> None:
    """Warn of public names that no page documents."""
    documented = env.get_domain("py").objects
    package = importlib.import_module(PACKAGE)
    inner = [getattr(package, name) for name in package.__all__]
    rooms = [package, *(room for room in inner if inspect.ismodule(room))]
    for room in [*rooms, *_rooms_within(rooms)]:
        names = [f"{room.__name__}.{name}" for name in public_names(room)]
        missing = [name for name in names if name not in documented]
        if missing and room.__name__ not in LINKED:
            logger.warning("no page documents %s", ", ".join(missing))


def _rooms_within(rooms: list[ModuleType]) -> list[ModuleType]:
    found = [getattr(room, name) for room in rooms[1:] for name in room.__all__]
    return [value for value in found if inspect.ismodule(value)]


def show_arguments(
    app: Sphinx, what: str, name: str, value: Any, options: Any, arguments: Any, result: Any
) -> tuple[str | None, str | None]:
    """The arguments of ``__init__``, where a class has a ``__new__`` of any arguments, too."""
    if what == "class" and inspect.isfunction(value.__init__):
        aliases = app.config.autodoc_type_aliases
        found = signature(value.__init__, bound_method=True, type_aliases=aliases)
        arguments = stringify_signature(
            found, show_return_annotation=False, unqualified_typehints=True
        )
    return arguments, result


def end_literals(
    app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Let "`State`s" stand as people write it; reStructuredText wants a mark before the "s"."""
    text = "\n".join(lines)
    paragraphs = [
        part if part.lstrip().startswith(">>>") else re.sub(r"(`+)([^`]+)\1(?=(\w?))", _ended, part)
        for part in text.split("\n\n")
    ]
    lines[:] = "\n\n".join(paragraphs).split("\n")


def _ended(match: re.Match) -> str:
    ticks, text = match[1], match[2]
    if not re.fullmatch(r"[A-Za-z_][\w.]*", text):  # code, and no name that could be a link
        ticks = "``"
    return ticks + text + ticks + "\\ " * bool(match[3])


def link_by_last_name(app: Sphinx, env: Any, node: pending_xref, contnode: Any) -> Any:
    """A link for names that docstrings give without their room, such as `State`."""
    if node.get("refdomain") != "py":
        return None
    domain = env.get_domain("py")
    end = "." + node["reftarget"].lstrip(".")
    found = [name for name, entry in domain.objects.items() if f".{name}".endswith(end)
             and entry.objtype not in ("method", "attribute", "property")]  # fmt: skip
    if len({name.lower() for name in found}) != 1:
        return None
    node = node.copy()
    node["reftarget"] = found[0]
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", found[0], node, contnode)


def drop_field_numbers(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]
) -> None:
    """Named tuples tell the number of each field, which nobody needs."""
    if lines and lines[0].startswith("Alias for field number"):
        lines.clear()


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("room", Room)
    app.connect("env-check-consistency", check_rooms)
    app.connect("autodoc-process-signature", show_arguments)
    app.connect("autodoc-process-docstring", end_literals)
    app.connect("autodoc-process-docstring", drop_field_numbers)
    app.connect("missing-reference", link_by_last_name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
