"""`Module`: a node that computes something."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from .._state import ParamState, ShortTermState
from ..graph import Node, nodes, states, treefy_states
from ..graph.walk import UNLIMITED
from ..init import to_size
from ..mixin import ParamDesc
from ..typing import Filter, Size
from .variable import Variable

call_observer: ContextVar[Callable[[Module, tuple, dict], Any] | None] = ContextVar(
    "brainstate_call_observer", default=None
)
"""Calls `update` in place of a module's call, for `summary`; nobody, most of the time."""

_EVERY_LEVEL = (0, UNLIMITED)


class Module(Node, ParamDesc):
    """Base of layers and models.

    Subclasses call ``super().__init__()``, hold States and other modules as attributes, and define
    `update`, which is what a call runs. States that belong to a run are declared in `variables`,
    or created in `init_state` and set back in `reset_state`; `init_all_states` and
    `reset_all_states` call these for a whole model.

    >>> import brainstate, jax.numpy as jnp
    >>> class Scale(brainstate.nn.Module):
    ...     def __init__(self, factor):
    ...         super().__init__()
    ...         self.factor = brainstate.ParamState(factor)
    ...
    ...     def update(self, x):
    ...         return self.factor.value * x
    >>> Scale(3.0)(2.0), 2.0 >> Scale(3.0)
    (6.0, 6.0)
    """

    __array_ufunc__ = None  # NumPy arrays on the left leave `>>` to the module

    _in_size: tuple[int, ...] | None = None
    _out_size: tuple[int, ...] | None = None
    _name: str | None = None

    def __init__(self, name: str | None = None):
        if not (name is None or isinstance(name, str)):
            raise TypeError(f"The name of a module is a string or None; found {name!r}. [BST-A01]")
        self._in_size = self._out_size = None
        self._name = name

    @property
    def name(self) -> str | None:
        """The name given at construction."""
        return self._name

    @property
    def in_size(self) -> tuple[int, ...] | None:
        """The shape of an input, without batch axes; None if any will do."""
        return self._in_size

    @in_size.setter
    def in_size(self, size: Size | None) -> None:
        self._in_size = to_size(size)

    @property
    def out_size(self) -> tuple[int, ...] | None:
        """The shape of an output, without batch axes; None if unknown."""
        return self._out_size

    @out_size.setter
    def out_size(self, size: Size | None) -> None:
        self._out_size = to_size(size)

    def update(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes."""
        raise NotImplementedError(f"{type(self).__name__} must define update(). [BST-A14]")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        look = call_observer.get()
        return self.update(*args, **kwargs) if look is None else look(self, args, kwargs)

    if not TYPE_CHECKING:  # which must still find misspelt attributes

        def __getattr__(self, name: str) -> Any:
            message = f"{type(self).__name__!r} object has no attribute {name!r}."
            if type(self).variables is Module.variables:
                raise AttributeError(f"{message} [BST-A05]")
            raise AttributeError(
                f"{message} The States of a run are created by "
                "brainstate.nn.init_all_states(model). [BST-N01]"
            )

    def __rrshift__(self, x: Any) -> Any:
        return self(x)

    def variables(self) -> dict[str, Variable]:
        """The States of a run, by attribute."""
        return {}

    def init_state(self, batch_size: int | None = None, **kwargs: Any) -> None:
        """Create the States of a run, with a leading batch axis if there is a `batch_size`."""
        for name, variable in self.variables().items():
            setattr(self, name, variable.kind(variable.initial_value(batch_size)))

    def reset_state(self, batch_size: int | None = None, **kwargs: Any) -> None:
        """Set the `ShortTermState`s of a run back; all others keep their values."""
        for name, variable in self.variables().items():
            if issubclass(variable.kind, ShortTermState):
                getattr(self, name).value = variable.initial_value(batch_size)

    def states(
        self,
        *filters: Filter,
        allowed_hierarchy: tuple[int, int] = _EVERY_LEVEL,
        level: int | None = None,
    ) -> Any:
        """The States below, by path; with several filters, one mapping for each.

        See `brainstate.graph.states`.
        """
        return states(self, *filters, allowed_hierarchy=_levels(allowed_hierarchy, level))

    def nodes(
        self,
        *filters: Filter,
        allowed_hierarchy: tuple[int, int] = _EVERY_LEVEL,
        level: int | None = None,
    ) -> Any:
        """The nodes below and this one, by path, children before parents.

        See `brainstate.graph.nodes`.
        """
        return nodes(self, *filters, allowed_hierarchy=_levels(allowed_hierarchy, level))

    def state_trees(self, *filters: Filter) -> Any:
        """The States below as pytrees, nested as the modules are.

        See `brainstate.graph.treefy_states`.
        """
        return treefy_states(self, *filters)

    def named_parameters(self, recurse: bool = True) -> Iterator[tuple[str, ParamState]]:
        """(dotted path, State) of every `ParamState` below; without `recurse`, of those held here.

        >>> import brainstate
        >>> [name for name, _ in brainstate.nn.LSTMCell(1, 2).named_parameters()]
        ['W.weight']
        """
        found = self.states(ParamState, allowed_hierarchy=(0, UNLIMITED if recurse else 0))
        return ((".".join(map(str, path)), state) for path, state in found.items())

    def parameters(self, recurse: bool = True) -> Iterator[ParamState]:
        """Every `ParamState` below; without `recurse`, only those held here."""
        return (state for _, state in self.named_parameters(recurse))

    def children(self) -> Iterator[Module]:
        """The modules that this one holds, directly or in lists and dicts."""
        return iter(self.nodes(Module, allowed_hierarchy=(1, 1)).values())

    def modules(self) -> Iterator[Module]:
        """This module and all below, each once, parents before children."""
        return reversed(self.nodes(Module).values())

    def reg_loss(self) -> Any:
        """The sum of the losses of all `Param`s below; 0 if none has a regularisation."""
        from .parameters.parameter import Param

        return sum((param.reg_loss() for param in self.nodes(Param).values()), start=0.0)

    def _pretty_name(self, name: str, value: Any) -> str | None:
        if name in ("_in_size", "_out_size", "_name"):
            return None if value is None else name[1:]
        return super()._pretty_name(name, value)


class ElementWiseBlock(Module):
    """A module whose output has the size of its input, whatever that is.

    >>> import brainstate
    >>> class Square(brainstate.nn.ElementWiseBlock):
    ...     def update(self, x):
    ...         return x * x
    >>> brainstate.nn.Sequential(brainstate.nn.Linear(2, 3), Square()).out_size
    (3,)
    """


def _levels(allowed: tuple[int, int], level: int | None) -> tuple[int, int]:
    if level is None:
        return allowed
    warnings.warn(
        f"`level={level}` is deprecated; write allowed_hierarchy=(0, {level}). [BST-N09]",
        DeprecationWarning,
        stacklevel=3,
    )
    return 0, level
