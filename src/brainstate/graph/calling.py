"""Calling methods of nodes that are split into a definition and States."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .convert import treefy_merge, treefy_split
from .definition import GraphDef


class ApplyCaller:
    """A method of a node to come, chosen by names and indices."""

    def __init__(self, run: Callable, look_up: tuple[Callable[[Any], Any], ...] = ()):
        self._run, self._look_up = run, look_up

    def __getattr__(self, name: str) -> ApplyCaller:
        return ApplyCaller(self._run, (*self._look_up, lambda part: getattr(part, name)))

    def __getitem__(self, key: Any) -> ApplyCaller:
        return ApplyCaller(self._run, (*self._look_up, lambda part: part[key]))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(self._look_up, args, kwargs)


def call(graphdef_state: tuple[GraphDef, Any]) -> Any:
    """Call a method of a split node; gives ``(result, (graphdef, states))``.

    >>> import brainstate
    >>> class Counter(brainstate.graph.Node):
    ...     def __init__(self):
    ...         self.count = brainstate.State(0)
    ...
    ...     def add(self, n):
    ...         self.count.value += n
    >>> split = brainstate.graph.treefy_split({"a": Counter()})
    >>> _, (graphdef, states) = call(split)["a"].add(2)
    >>> states["a"]["count"].value
    2
    """
    graphdef, states = graphdef_state
    return apply(graphdef, states)


def apply(graphdef: GraphDef, state_map: Any, *state_maps: Any) -> ApplyCaller:
    """`call` for States in several mappings."""

    def run(look_up: tuple, args: tuple, kwargs: dict) -> tuple[Any, tuple]:
        node = method = treefy_merge(graphdef, state_map, *state_maps)
        for step in look_up:
            method = step(method)
        return method(*args, **kwargs), treefy_split(node)

    return ApplyCaller(run)
