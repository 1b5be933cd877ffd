"""`Projection`: what carries signals from one group to another, and how it reaches the inputs."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from ..._engine.names import describe
from ..._state import State
from ..dynamics.base import Dynamics
from ..module import Module, call_observer
from .references import refer

_counters: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)


class Projection(Module):
    """Base of projections; `update` hands its arguments to every child node.

    >>> import brainstate
    >>> class Two(brainstate.nn.Projection):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.a, self.b = brainstate.nn.Linear(1, 1), brainstate.nn.Linear(1, 1)
    >>> [path for path in Two().nodes(allowed_hierarchy=(1, 1))]
    [('a',), ('b',)]
    """

    def update(self, *args: Any, **kwargs: Any) -> None:
        children = self.nodes(allowed_hierarchy=(1, 1)).values()
        if not children:
            raise ValueError(
                f"{describe(self)} has no child nodes to update; define update(). [BST-A06]"
            )
        for child in children:
            child(*args, **kwargs)


class Interaction(Projection):
    """Base of projections into the inputs of one model, `post`.

    What is sent is found by a pipeline: the first of `modules` gets the arguments of `update`, each
    next one the result before, and a State gives its value; `comm` makes a synaptic input of that.
    """

    def __init__(self, modules: tuple, comm: Callable, post: Dynamics):
        kind = type(self).__name__
        self.key = f"{kind}{next(_counters[kind])}"  # among the inputs of `post`
        super().__init__(name=self.key)
        for module in modules:
            if not (callable(module) or isinstance(module, State)):
                raise TypeError(
                    f"A part of the pipeline is callable or a State; found {module!r}. [BST-A01]"
                )
        if not callable(comm):
            raise TypeError(f"`comm` must be callable; found {comm!r}. [BST-A01]")
        if not isinstance(post, Dynamics):
            raise TypeError(f"`post` must be a Dynamics; found {post!r}. [BST-A01]")
        refer(self, post=post)
        self.modules, self.comm = modules, comm

    post: Dynamics
    modules: Any  # the pipeline, in place of the method of Module

    def sent(self, *args: Any) -> Any:
        """The synaptic input of this step."""
        return self.comm(self._transmitted(*args))

    def arriving(self, *args: Any) -> Any:
        """`sent`, as an `Arrival` if `comm` can add to what it reaches and nobody looks on."""
        arrival = None if call_observer.get() else getattr(self.comm, "arrival", None)
        return (arrival or self.comm)(self._transmitted(*args))

    def _transmitted(self, *args: Any) -> Any:
        for module in self.modules:
            args = (module.value if isinstance(module, State) else module(*args),)
        if len(args) != 1:
            raise ValueError(
                f"{describe(self)} sends one value; update() was given {len(args)}. Put a module "
                "in front that makes one of them, such as `neuron.prefetch('V')`. [BST-P10]"
            )
        return args[0]
