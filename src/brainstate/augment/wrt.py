"""What to differentiate with respect to: States in any container, and arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import jax

from .._engine.hidden import is_graph
from .._engine.names import describe
from .._state import State


@jax.tree_util.register_pytree_node_class
class Wrt:
    """The values (or derivatives) of the chosen States, each once, and of the chosen arguments."""

    def __init__(self, states: list, args: list):
        self.states, self.args = states, args

    def tree_flatten(self) -> tuple:
        return (self.states, self.args), None

    @classmethod
    def tree_unflatten(cls, _: None, children: tuple) -> Wrt:
        return cls(*children)


class Targets:
    """The States and arguments that a derivative is taken with respect to.

    A State that stands twice in the container is differentiated once and reported twice.
    """

    def __init__(self, container: Any, argnums: int | tuple[int, ...] | None):
        self.container = container
        self.states = list(dict.fromkeys(_states_in(container)))
        self.argnums = 0 if argnums is None and not self.states else argnums

    def positions(self, count: int) -> list[int]:
        """The positions of the arguments, counted from the left."""
        if self.argnums is None:
            return []
        argnums = self.argnums if isinstance(self.argnums, (tuple, list)) else (self.argnums,)
        for number in argnums:
            if not -count <= number < count:
                raise ValueError(
                    f"argnums={self.argnums} is out of range: the call has {count} positional "
                    "arguments, and keyword arguments are not differentiated. [BST-A02]"
                )
        return [number % count for number in argnums]

    def arrange(self, result: Any) -> Any:
        """Put derivatives into the shape of the user's containers, at every level."""
        return jax.tree.map(
            lambda x: self._arrange_one(x) if isinstance(x, Wrt) else x,
            result,
            is_leaf=lambda x: isinstance(x, Wrt),
        )

    def _arrange_one(self, wrt: Wrt) -> Any:
        by_state = dict(zip(self.states, map(self.arrange, wrt.states), strict=True))
        args = tuple(map(self.arrange, wrt.args))
        by_arg = args if isinstance(self.argnums, (tuple, list)) else args[0] if args else None
        if not self.states:
            return by_arg
        states = _like_container(self.container, by_state.__getitem__)
        return states if self.argnums is None else (states, by_arg)


def differentiable(args: Sequence, positions: Iterable[int]) -> list:
    """The arguments at these positions; nodes and States among them raise TypeError."""
    for position in positions:
        for leaf in filter(is_graph, jax.tree.leaves(args[position])):
            raise TypeError(
                f"argument {position} is or holds {describe(leaf)}, which is no array to "
                "differentiate. Name its States (grad_states=model.states(ParamState)), or choose "
                "other arguments with argnums. [BST-D04]"
            )
    return [args[position] for position in positions]


def put(args: Sequence, positions: Iterable[int], values: Iterable[Any]) -> tuple:
    """The arguments with others at these positions."""
    full = list(args)
    for position, value in zip(positions, values, strict=True):
        full[position] = value
    return tuple(full)


def _states_in(container: Any) -> Iterator[State]:
    if isinstance(container, State):
        yield container
    elif isinstance(container, Mapping):
        for key in _ordered(container):
            yield from _states_in(container[key])
    elif isinstance(container, (list, tuple)):
        for item in container:
            yield from _states_in(item)
    elif container is not None:
        raise TypeError(
            "All grad_states must be State instances, alone or in lists, tuples and dicts; found "
            f"{container!r}. Take them from a module with `module.states(...)`. [BST-A01]"
        )


def _like_container(container: Any, get: Callable[[State], Any]) -> Any:
    """The same container with something for each State; mappings become plain sorted dicts."""
    if isinstance(container, State):
        return get(container)
    if isinstance(container, Mapping):
        return {key: _like_container(container[key], get) for key in _ordered(container)}
    if hasattr(container, "_fields"):
        return type(container)(*[_like_container(item, get) for item in container])
    if isinstance(container, (list, tuple)):
        kind = list if isinstance(container, list) else tuple
        return kind(_like_container(item, get) for item in container)
    return container


def _ordered(mapping: Mapping) -> list:
    try:
        return sorted(mapping)
    except TypeError:  # keys of several types keep their order
        return list(mapping)


def check_dtypes(states: list[State], allow_int: bool) -> None:
    """Refuse States of integers, which have no derivatives."""
    for state in states:
        for leaf in jax.tree.leaves(state.value):
            dtype = jax.typeof(leaf).dtype
            if not allow_int and not jax.numpy.issubdtype(dtype, jax.numpy.inexact):
                raise TypeError(
                    f"{describe(state)} holds {dtype} numbers, which cannot be differentiated. "
                    "Make it a float, leave it out of grad_states, or pass allow_int=True. "
                    "[BST-D05]"
                )
