"""`StateAxes`: along which axis each State of a node is mapped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import jax

from .._engine.hidden import is_graph
from .._engine.names import describe
from .._state import State
from ..graph.walk import iter_states
from ..typing import Filter
from ..util.filter import ordered_predicates

Axis = int | None


class StateAxes:
    """Axes by filter: the first filter that matches a State gives its axis; None is unmapped.

    `...` stands for the rest and comes last; a State that nothing matches raises ValueError.

    >>> import brainstate
    >>> brainstate.augment.StateAxes({"new": 0, ...: None})
    StateAxes({'new': 0, Ellipsis: None})
    """

    def __init__(self, filter_axes: Mapping[Filter, Axis] | Iterable[tuple[Filter, Axis]]):
        pairs = filter_axes.items() if isinstance(filter_axes, Mapping) else filter_axes
        self._pairs = tuple(pairs)
        for key, axis in self._pairs:
            if axis is not None and (isinstance(axis, bool) or not isinstance(axis, int)):
                raise TypeError(
                    f"StateAxes: the axis for {key!r} must be an int or None; found {axis!r}. "
                    "[BST-A01]"
                )
        self._predicates = ordered_predicates([key for key, _ in self._pairs])

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The filters, in the order given."""
        return tuple(key for key, _ in self._pairs)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axis of each filter."""
        return tuple(axis for _, axis in self._pairs)

    def items(self) -> Iterable[tuple[Filter, Axis]]:
        """Pairs of filter and axis."""
        return self._pairs

    def axis_of(self, path: tuple, state: State) -> Axis:
        """The axis of the first filter that matches; ValueError if none does."""
        for predicate, (_, axis) in zip(self._predicates, self._pairs, strict=True):
            if predicate(path, state):
                return axis
        raise ValueError(
            f"Non-exhaustive filters in {self}: none matches {describe(state)} at {path}. Add "
            "`...: None` for the rest. [BST-M08]"
        )

    def __repr__(self) -> str:
        return f"StateAxes({dict(self._pairs)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StateAxes) and self._pairs == other._pairs

    def __hash__(self) -> int:
        return hash(self._pairs)


def is_axis(x: Any) -> bool:
    """Leaves of a tree of axes, beside integers."""
    return x is None or isinstance(x, StateAxes)


def axes_of_states(prefix: Any, tree: Any, where: str) -> dict[State, Axis]:
    """The axis of every State in `tree`, given axes for a prefix of it."""
    found: dict[State, tuple[Axis, tuple[tuple, tuple]]] = {}

    def visit(place: tuple, axis: Axis | StateAxes, subtree: Any) -> None:
        for leaf in jax.tree.leaves(subtree):
            if not is_graph(leaf):
                continue
            for path, state in [((), leaf)] if isinstance(leaf, State) else iter_states(leaf):
                own = axis.axis_of(path, state) if isinstance(axis, StateAxes) else axis
                before, earlier = found.setdefault(state, (own, (place, path)))
                if before != own:
                    raise ValueError(
                        f"Inconsistent aliasing detected in {where}: {describe(state)} is given "
                        f"axis {before} by {_in_words(where, *earlier)} and axis {own} by "
                        f"{_in_words(where, place, path)}. One State has one axis; give the same "
                        "to both. [BST-M07]"
                    )

    try:
        jax.tree.map(lambda axis, part: None, prefix, tree, is_leaf=is_axis)
    except ValueError as error:
        whole = "arguments" if where == "in_axes" else "output"
        raise ValueError(
            f"{where} must be a prefix of the {whole}: found {prefix!r} for a tree of structure "
            f"{jax.tree.structure(tree)}. Give one axis for all of it, or the same containers. "
            "[BST-M06]"
        ) from error
    jax.tree_util.tree_map_with_path(visit, prefix, tree, is_leaf=is_axis)
    return {state: axis for state, (axis, _) in found.items()}


def _in_words(where: str, place: tuple, path: tuple) -> str:
    """Where a State was met: at `path` in what `place` leads to in the prefix."""
    whole = "output"
    if where == "in_axes":  # a prefix of (args, kwargs)
        whole, place = "keyword arguments" if place[0].idx else "argument ", place[1:]
    name = f" (`{'.'.join(map(str, path))}`)" if path else ""
    return whole + jax.tree_util.keystr(place) + name


def axes_of_arrays(prefix: Any) -> Any:
    """The prefix as JAX understands it; nodes have no leaves, so any axis does for them."""
    return jax.tree.map(lambda a: None if isinstance(a, StateAxes) else a, prefix, is_leaf=is_axis)


def declared_axes(declared: Any, where: str) -> dict[State, Axis]:
    """Axes from `in_states=`, `out_states=`: States (axis 0), or ``{axis: States}``."""
    if isinstance(declared, dict) and declared and all(isinstance(k, int) for k in declared):
        groups = list(declared.items())
    else:
        groups = [] if declared is None else [(0, declared)]
    axes: dict[State, Axis] = {}
    for axis, container in groups:
        for leaf in jax.tree.leaves(container):
            if not isinstance(leaf, State):
                raise TypeError(
                    f"{where} takes States, alone or in containers, or {{axis: States}}; found "
                    f"{leaf!r}. [BST-A01]"
                )
            axes[leaf] = axis
    return axes
