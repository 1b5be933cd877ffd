"""The walk over a graph of nodes that everything else here is built on."""

from __future__ import annotations

import enum
from collections.abc import Container, Iterator
from typing import Any, NamedTuple

from .._state import State, TreefyState
from ..typing import PathParts
from .node import CHILDREN, EVERYTHING, Node, attributes
from .pytrees import Opened, Shape, open_container, open_dict

UNLIMITED = 2**31 - 1


class Event(enum.Enum):
    """What a step of the walk meets."""

    ENTER = "a node or container, before its children"
    LEAVE = "the same, after its children"
    AGAIN = "a node that was entered before"
    LEAF = "a State, or a value with nothing below it"


class Step(NamedTuple):
    """One step of the walk; `level` counts the nodes entered below the root."""

    event: Event
    path: PathParts
    value: Any
    level: int
    shape: Shape | None = None


class _Pending(NamedTuple):
    path: PathParts
    value: Any
    level: int  # of the surroundings
    around: tuple[int, ...]  # ids of the containers around it, up to the nearest node


def walk(
    root: Any, kind: str = EVERYTHING, deepest: int = UNLIMITED, known: Container[Any] = ()
) -> Iterator[Step]:
    """Go depth first through a node or container, attributes in sorted order.

    Each node is entered once; nodes in `known` count as entered before, and those below level
    `deepest` are left out. A node first reached through a detour is entered again where it lies
    higher if `deepest` cut off something below it.
    """
    entered: dict[int, tuple[int, Node]] = {}
    start = -1 if isinstance(root, Node) else 0
    todo: list[Step | _Pending] = [_Pending((), _checked_root(root), start, ())]
    while todo:
        item = todo.pop()
        if isinstance(item, Step):
            yield item
            continue
        path, value, level, around = item
        if isinstance(value, Node):
            level += 1
            if level > deepest:
                continue
            before = entered.get(id(value), (UNLIMITED + 1, value))[0]
            if before <= (level if deepest < UNLIMITED else UNLIMITED) or value in known:
                yield Step(Event.AGAIN, path, value, level)
                continue
            entered[id(value)] = level, value
            opened, around = open_dict(attributes(value, kind)), ()
        elif (inside := _open_plain(value)) is not None:
            opened, around = inside, _inside(value, path, around)
        else:
            yield Step(Event.LEAF, path, value, level)
            continue
        yield Step(Event.ENTER, path, value, level, opened.shape)
        todo.append(Step(Event.LEAVE, path, value, level, opened.shape))
        pairs = list(zip(opened.keys, opened.children, strict=True))
        todo += [_Pending((*path, key), child, level, around) for key, child in reversed(pairs)]


def iter_leaf(
    node: Any, allowed_hierarchy: tuple[int, int] = (0, UNLIMITED)
) -> Iterator[tuple[PathParts, Any]]:
    """Go through the leaves as `(path, leaf)`: States, each once, and static values.

    `allowed_hierarchy` is the lowest and highest level, ends included: leaves of `node` itself,
    also those in its lists and dicts, have level 0, those of a child node level 1.

    >>> import brainstate
    >>> cell = brainstate.graph.Dict(size=3, V=brainstate.State(0.0))
    >>> [path for path, leaf in iter_leaf([cell, cell])]
    [(0, 'V'), (0, 'size')]
    """
    lowest, highest = _checked_levels(allowed_hierarchy)
    given: set[State] = set()
    for step in walk(node, deepest=highest):
        if step.event is not Event.LEAF or step.level < lowest:
            continue
        if isinstance(step.value, State):
            if step.value in given:
                continue
            given.add(step.value)
        yield step.path, step.value


def iter_states(
    node: Any, allowed_hierarchy: tuple[int, int] = (0, UNLIMITED)
) -> Iterator[tuple[PathParts, State]]:
    """Go through the States as `(path, State)`, each once."""
    for path, leaf in iter_leaf(node, allowed_hierarchy):
        if isinstance(leaf, State):
            yield path, leaf


def iter_node(
    node: Any, allowed_hierarchy: tuple[int, int] = (0, UNLIMITED)
) -> Iterator[tuple[PathParts, Node]]:
    """Go through the nodes as `(path, node)`, each once, children before parents.

    >>> import brainstate
    >>> inner = brainstate.graph.Dict()
    >>> [path for path, _ in iter_node(brainstate.graph.Dict(a=inner, b=[inner]))]
    [('a',), ()]
    """
    lowest, highest = _checked_levels(allowed_hierarchy)
    given: dict[int, Node] = {}
    for event, path, value, level, _ in walk(node, CHILDREN, highest):
        if event is not Event.LEAVE or not isinstance(value, Node) or level < lowest:
            continue
        if id(value) not in given:
            given[id(value)] = value
            yield path, value


def _open_plain(value: Any) -> Opened | None:
    return None if isinstance(value, (State, TreefyState)) else open_container(value)


def _inside(container: Any, path: PathParts, around: tuple[int, ...]) -> tuple[int, ...]:
    if id(container) in around:
        raise ValueError(
            f"The {type(container).__name__} at {path} contains itself; only nodes may stand in "
            "cycles. Hold it by a node instead. [BST-G02]"
        )
    return (*around, id(container))


def _checked_root(root: Any) -> Any:
    if isinstance(root, (Node, State, TreefyState)) or open_container(root) is not None:
        return root
    raise TypeError(
        f"Expected a node, or a container of nodes and States, found {type(root).__name__}: "
        f"{root!r}. [BST-A01]"
    )


def _checked_levels(allowed: tuple[int, int]) -> tuple[int, int]:
    try:
        lowest, highest = allowed
        if lowest <= highest:
            return lowest, highest
    except (TypeError, ValueError):
        pass
    raise ValueError(
        "`allowed_hierarchy` must be a pair (lowest level, highest level) of integers, found "
        f"{allowed!r}; write (0, 0) for what a node holds itself. [BST-A02]"
    )
