"""Graph definitions: all of a node but the values of its States, hashable and static."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax

from .._state import State
from ..typing import Key
from ..util.frozen_dict import FrozenDict
from ..util.pretty import PrettyAttr, PrettyMapping, PrettyRepr, PrettyType
from .pytrees import Shape


class GraphDef(PrettyRepr):
    """Base of NodeDef and NodeRef."""

    type: Any
    index: int

    def apply(self, state_map: Any, *state_maps: Any) -> Any:
        """Call a method of the node for once: ``y, (graphdef, states) = it.apply(states)(x)``.

        Names and indices before the call choose the method, as in ``it.apply(states).cell[0](x)``.
        """
        from .calling import apply  # calling needs this module to split and merge

        return apply(self, state_map, *state_maps)


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True, repr=False)
class NodeRef(GraphDef):
    """Refers to the node or State of that number."""

    type: Any
    index: int

    @property
    def is_state(self) -> bool:
        """Whether it refers to a State."""
        return issubclass(self.type, State)

    def __pretty_repr__(self) -> Iterator[Any]:
        yield PrettyType(NodeRef)
        yield PrettyAttr("type", self.type.__name__)
        yield PrettyAttr("index", self.index)


class StaticField:
    """A value in a definition; compared by value if it hashes, else by identity."""

    __slots__ = ("value",)

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StaticField):
            return NotImplemented
        a, b = self.value, other.value
        if a is b:
            return True
        if type(a) is not type(b) or not (_hashes(a) and _hashes(b)):
            return False
        try:
            return bool(a == b)
        except (TypeError, ValueError):
            return False

    def __hash__(self) -> int:
        return hash(self.value) if _hashes(self.value) else id(self.value)

    def __repr__(self) -> str:
        return repr(self.value)


Entry = GraphDef | StaticField


@jax.tree_util.register_static
@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class NodeDef(GraphDef):
    """Defines a node, or with index -1 a container.

    Nodes and States are numbered from 0 in the order of the walk. What is met again is a NodeRef
    here. `metadata` tells how the children are put back; `index_mapping` leads from the numbers
    of an earlier split to those here, see `update_context`.
    """

    type: Any
    index: int
    metadata: Shape
    children: tuple[tuple[Key, Entry], ...]
    index_mapping: FrozenDict[int, int] | None = None

    def __post_init__(self) -> None:
        # Kept, since the definitions inside have theirs: no deep recursion.
        object.__setattr__(self, "_hash", hash((self._own(), self.children)))

    @property
    def attributes(self) -> tuple[Key, ...]:
        """The keys of all children."""
        return tuple(key for key, _ in self.children)

    @property
    def subgraphs(self) -> dict[Key, GraphDef]:
        """Child nodes and containers."""
        return {
            key: part
            for key, part in self.children
            if isinstance(part, GraphDef) and not issubclass(part.type, State)
        }

    @property
    def leaves(self) -> dict[Key, NodeRef]:
        """The numbers of the States."""
        return {k: part for k, part in self.children if isinstance(part, NodeRef) and part.is_state}

    @property
    def static_fields(self) -> dict[Key, Any]:
        """Everything else."""
        return {key: part.value for key, part in self.children if isinstance(part, StaticField)}

    def _own(self) -> tuple:
        return self.type, self.index, self.metadata, self.index_mapping, self.attributes

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NodeDef):
            return NotImplemented
        pairs: list[tuple[Any, Any]] = [(self, other)]
        while pairs:
            a, b = pairs.pop()
            if a is b:
                continue
            if not (isinstance(a, NodeDef) and isinstance(b, NodeDef)):
                if a != b:
                    return False
                continue
            if hash(a) != hash(b) or a._own() != b._own():
                return False
            pairs += zip((x for _, x in a.children), (y for _, y in b.children), strict=True)
        return True

    def __hash__(self) -> int:
        return self._hash  # type: ignore[attr-defined]

    def __reduce__(self) -> tuple:  # a hash means nothing in another process
        fields = dataclasses.fields(self)
        return NodeDef, tuple(getattr(self, field.name) for field in fields)

    def __pretty_repr__(self) -> Iterator[Any]:
        yield PrettyType(NodeDef)
        yield PrettyAttr("type", self.type.__name__)
        yield PrettyAttr("index", self.index)
        for name in ("attributes", "subgraphs", "static_fields", "leaves"):
            part = getattr(self, name)
            yield PrettyAttr(name, repr(PrettyMapping(part) if isinstance(part, dict) else part))
        if self.index_mapping is not None:
            yield PrettyAttr("index_mapping", dict(self.index_mapping))


def _hashes(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
