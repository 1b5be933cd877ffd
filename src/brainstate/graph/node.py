"""`Node`: a Python object that owns States and other nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax

from .._engine.attachments import Attachable
from .._engine.frames import Frame, current_frame
from .._engine.guards import tick
from .._engine.hidden import enrol
from .._engine.jax_api import is_tracer
from .._engine.journal import record
from .._engine.names import adopt, describe
from .._errors import TraceContextError
from .._state import State
from ..util.pretty import PrettyAttr, PrettyRepr, PrettyType
from ..util.sorted_children import sorted_keys
from .pytrees import open_container

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "<absent>", "__slots__": ()})()
EVERYTHING = "all attributes"  # kinds of facts beside attribute names, which have no blanks
CHILDREN = "child nodes"

_vars = object.__getattribute__


@enrol
class Node(Attachable, PrettyRepr):
    """Base of everything that owns States; `nn.Module` is one.

    A node is no pytree: in a tree it is a leaf. While a program is compiled, each attribute that
    the body looks at becomes part of what the program relies on; changing it compiles anew.

    >>> import brainstate
    >>> class Counter(brainstate.graph.Node):
    ...     def __init__(self):
    ...         self.count = brainstate.State(0)
    >>> list(brainstate.graph.states(Counter()))
    [('count',)]
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        node = super().__new__(cls)
        frame = current_frame()
        if frame is not None:
            frame.nodes[id(node)] = node
        return node

    def __getattribute__(self, name: str) -> Any:
        frame = current_frame()
        if frame is not None and frame.guarded:
            if name == "__dict__":
                frame.note(self, EVERYTHING, _attributes_now)
            elif name[:2] != "__":
                frame.note(self, name, lambda node: _vars(node, "__dict__").get(name, ABSENT))
        return _vars(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._edit(name, value)
        object.__setattr__(self, name, value)
        adopt(self, (name,), value, (State, Node))

    def __delattr__(self, name: str) -> None:
        self._edit(name, ABSENT)
        object.__delattr__(self, name)

    def _edit(self, name: str, value: Any) -> None:
        tick()
        frame = current_frame()
        if frame is not None:
            _refuse_what_ends(frame, self, name, value)
            frame.edits[id(self), name] = self
        record(self, name, _vars(self, "__dict__").get(name, ABSENT))

    def _restore_attribute(self, name: str, value: Any) -> None:
        tick()
        if value is not ABSENT:
            object.__setattr__(self, name, value)
        elif name in _vars(self, "__dict__"):
            object.__delattr__(self, name)

    def __setstate__(self, state: Any) -> None:
        fields, slots = state if isinstance(state, tuple) else (state, None)
        for name, value in {**(fields or {}), **(slots or {})}.items():
            object.__setattr__(self, name, value)
            adopt(self, (name,), value, (State, Node))

    def check_valid_context(self, error_msg: Callable[[], str]) -> None:
        """Raise TraceContextError where this node, or what owns it, is not the body's own."""
        frame = current_frame()
        if frame is not None and frame.repeats and id(self) not in frame.nodes:
            raise TraceContextError(f"{error_msg()} [BST-G01]")

    def __pretty_repr__(self) -> Iterator[Any]:
        """Plain attributes, then what holds States, by the names and in the order of `states()`."""
        yield PrettyType(type(self))
        fields = _vars(self, "__dict__")
        inner = {name for name, value in fields.items() if _may_hold((Node, State), value)}
        for name, value in fields.items():
            if name not in inner and (shown := self._pretty_name(name, value)) is not None:
                yield PrettyAttr.of(shown, value)
        for name in sorted_keys(inner):
            yield PrettyAttr.of(name, fields[name])

    def _pretty_name(self, name: str, value: Any) -> str | None:
        """The name under which a plain attribute is printed, None to leave it out."""
        return None if name.startswith("_") else name


enrol(State)


def attributes(node: Node, kind: str = EVERYTHING) -> dict[str, Any]:
    """The attributes of a node; a program under way will rely on them as far as `kind` says."""
    frame = current_frame()
    if frame is not None and frame.guarded:
        frame.note(node, kind, _children_now if kind is CHILDREN else _attributes_now)
    return _vars(node, "__dict__")


def _attributes_now(node: Node) -> dict[str, Any]:
    return _vars(node, "__dict__")


def _children_now(node: Node) -> dict[str, Any]:
    return {k: v for k, v in _vars(node, "__dict__").items() if _may_hold(Node, v)}


def _may_hold(kinds: Any, value: Any, around: tuple[int, ...] = ()) -> bool:
    if isinstance(value, kinds):
        return True
    opened = None if id(value) in around else open_container(value)
    around = (*around, id(value))
    return opened is not None and any(_may_hold(kinds, x, around) for x in opened.children)


def _refuse_what_ends(frame: Frame, node: Node, name: str, value: Any) -> None:
    """An attribute outlives the bodies under way, up to the one that made the node."""
    outlived = [*_bodies_without(node, frame)]
    if isinstance(value, State):
        if any(body.repeats and value in body.created for body in outlived):
            raise TraceContextError(
                f"{describe(value)} was created inside a loop or branch body and assigned to "
                f"attribute {name!r} of {describe(node)}, which outlives that body; it would be "
                "made anew in every run of it. Create it before the loop and assign its `.value`. "
                "[BST-G01]"
            )
        return
    outlives_all = bool(outlived) and outlived[-1].parent is None
    has_setter = hasattr(getattr(type(node), name, None), "__set__")  # which assigns what it will
    if outlives_all and not has_setter and any(map(is_tracer, jax.tree.leaves(value))):
        raise TraceContextError(
            f"Attribute {name!r} of {describe(node)} was assigned a value that is computed inside "
            "a transformation and would end with it. Make the attribute a State and assign its "
            "`.value`, or return the value. [BST-G09]"
        )


def _bodies_without(node: Node, frame: Frame | None) -> Iterator[Frame]:
    """The bodies under way, from the inside, as far as they did not make the node."""
    while frame is not None and id(node) not in frame.nodes:
        yield frame
        frame = frame.parent
