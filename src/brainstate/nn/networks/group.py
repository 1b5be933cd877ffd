"""`DynamicsGroup`: a network of groups and projections."""

from __future__ import annotations

from typing import Any

from ..._engine.names import describe
from ..dynamics.base import Dynamics
from ..module import Module
from .projection import Projection


class DynamicsGroup(Module):
    """Modules updated together, without arguments: projections, then dynamics, then others.

    Within each kind they go in the order of their paths. Modules that need arguments are updated by
    a subclass with an `update` of its own.

    >>> import brainstate
    >>> class Noisy(brainstate.nn.Dynamics):
    ...     def update(self):
    ...         print("update", self.name)
    >>> brainstate.nn.DynamicsGroup(Noisy(1, "a"), b=Noisy(2, "b"))()
    update b
    update a
    """

    def __init__(self, *children_as_tuple: Module, **children_as_dict: Module):
        super().__init__()
        for child in (*children_as_tuple, *children_as_dict.values()):
            if not isinstance(child, Module):
                raise TypeError(f"A DynamicsGroup is made of modules; found {child!r}. [BST-A01]")
        self.layers_tuple, self.layers_dict = children_as_tuple, children_as_dict

    def update(self, *args: Any, **kwargs: Any) -> None:
        if args or kwargs:
            raise TypeError(
                f"{describe(self)} updates its children without arguments; define update() in a "
                "subclass to hand some on. [BST-P10]"
            )
        kinds = (Projection, Dynamics, Module)
        for children in self.nodes(*kinds, allowed_hierarchy=(1, 1)):
            for child in children.values():
                child()
