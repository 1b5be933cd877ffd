"""Building nodes and States from a graph definition."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from .._state import State, TreefyState
from ..typing import PathParts
from ..util.nested_dict import FlattedDict
from .definition import Entry, GraphDef, NodeDef, NodeRef, StaticField
from .node import Node, attributes
from .pytrees import open_container, renew


def build(
    graphdef: GraphDef,
    leaves: dict[PathParts, Any],
    made: dict[int, Any],
    reused: dict[int, Any],
) -> Any:
    """Build what `graphdef` defines, adding to `made`; see `unflatten`."""
    if graphdef.index in made:
        return made[graphdef.index]
    plan = _plan(graphdef, leaves, made)
    for number, leaf in plan.states.items():
        made[number] = _state(leaf, reused.get(number))
    for nodedef in plan.nodes:
        made[nodedef.index] = _empty(nodedef, reused.get(nodedef.index))
    for nodedef in reversed(plan.nodes):  # children before parents
        fields = nodedef.metadata.rebuild([_value(part, made) for _, part in nodedef.children])
        if nodedef.index in reused:
            _refill(made[nodedef.index], fields)
        else:
            made[nodedef.index].__setstate__(fields)
    return _value(graphdef, made)


def leaves_by_path(mapping: Any) -> dict[PathParts, Any]:
    """The leaves of a mapping, nested or keyed by path."""
    if isinstance(mapping, FlattedDict):
        return dict(mapping)
    if not isinstance(mapping, Mapping):
        raise TypeError(
            f"Expected the States as a NestedDict or FlattedDict, found {type(mapping).__name__}. "
            "[BST-A01]"
        )
    leaves: dict[PathParts, Any] = {}
    todo: list[tuple[PathParts, Any]] = [((), mapping)]
    while todo:
        path, value = todo.pop()
        if isinstance(value, Mapping):
            todo += reversed([((*path, key), item) for key, item in value.items()])
        else:
            leaves[path] = value
    return leaves


@dataclasses.dataclass
class _Plan:
    nodes: list[NodeDef] = dataclasses.field(default_factory=list)  # parents before children
    states: dict[int, Any] = dataclasses.field(default_factory=dict)


def _plan(root: GraphDef, leaves: dict[PathParts, Any], made: dict[int, Any]) -> _Plan:
    """What is to be made; everything that can be wrong is found here, before any change."""
    plan, missing = _Plan(), dict(leaves)
    numbers = set(made)
    todo: list[tuple[PathParts, Entry, type]] = [((), root, root.type)]
    while todo:
        path, part, owner = todo.pop()
        if isinstance(part, NodeDef):
            if part.index >= 0:
                owner = part.type
                numbers.add(part.index)
                plan.nodes.append(part)
            todo += reversed([((*path, key), child, owner) for key, child in part.children])
        elif isinstance(part, NodeRef) and part.index not in numbers:
            if not part.is_state:
                raise ValueError(
                    f"{path} refers to a {part.type.__name__}, number {part.index}, that is not "
                    "part of this definition; merge the one that came before it first, in the "
                    "same merge_context. [BST-G05]"
                )
            numbers.add(part.index)
            plan.states[part.index] = _leaf_at(path, missing, owner)
    if missing:
        raise ValueError(
            f"Unknown keys in the state mapping: {list(missing)}. The definition of "
            f"{root.type.__name__} has no State there that is not given at another path. [BST-G04]"
        )
    return plan


def _leaf_at(path: PathParts, leaves: dict[PathParts, Any], owner: type) -> Any:
    if path not in leaves:
        raise ValueError(
            f"Expected key {path} in state while building node of type {owner.__name__}; the "
            f"mapping also has {list(leaves)}. [BST-G04]"
        )
    leaf = leaves.pop(path)
    if not isinstance(leaf, (State, TreefyState)):
        raise TypeError(
            f"Expected a TreefyState or State at {path}, found {type(leaf).__name__}. [BST-A01]"
        )
    return leaf


def _state(leaf: Any, old: State | None) -> State:
    if old is None:
        return leaf if isinstance(leaf, State) else new_state(leaf)
    if leaf is not old:
        old.update_from_ref(leaf.to_state_ref() if isinstance(leaf, State) else leaf)
    return old


def new_state(ref: TreefyState) -> State:
    """A State from its reference, sharing no container with it."""
    metadata = {key: renew(item) for key, item in ref.get_metadata().items()}
    return TreefyState(ref.type, renew(ref.value), **metadata).to_state()


def _empty(nodedef: NodeDef, old: Node | None) -> Node:
    if old is None:
        return nodedef.type.__new__(nodedef.type)
    if type(old) is not nodedef.type:
        raise ValueError(
            f"Cannot bring a {type(old).__name__} up to date with the definition of a "
            f"{nodedef.type.__name__}. Give an object of that class. [BST-G04]"
        )
    return old


def _value(part: Entry, made: dict[int, Any]) -> Any:
    if isinstance(part, StaticField):
        return part.value
    if isinstance(part, NodeDef) and part.index < 0:
        return part.metadata.rebuild([_value(child, made) for _, child in part.children])
    return made[part.index]


def _refill(node: Node, fields: dict[str, Any]) -> None:
    """Give `node` these attributes, touching only what differs."""
    for name in [name for name in attributes(node) if name not in fields]:
        delattr(node, name)
    for name, value in fields.items():
        old = attributes(node)
        if name not in old or not _same(old[name], value):
            setattr(node, name, value)


def _same(old: Any, new: Any) -> bool:
    if isinstance(new, (State, Node)) or old is new:
        return old is new
    inside, other = open_container(old), open_container(new)
    if inside is None or other is None:
        return inside is other and StaticField(old) == StaticField(new)
    return (
        type(old) is type(new)
        and inside.shape == other.shape
        and len(inside.children) == len(other.children)
        and all(map(_same, inside.children, other.children))
    )
