"""`TreefyState`: a State written as a pytree."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import jax

from ..util.pretty import PrettyAttr, PrettyRepr, PrettyType

if TYPE_CHECKING:
    pass


@dataclasses.dataclass(frozen=True)
class StateMetadata:
    """A value together with attributes for the State that will hold it."""

    raw_value: Any
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)


@jax.tree_util.register_pytree_with_keys_class
class TreefyState(PrettyRepr):
    """A State as a pytree: one child, `value`, and the State's class and attributes beside it.

    >>> import brainstate, jax
    >>> ref = brainstate.ParamState(1.0).to_state_ref()
    >>> jax.tree.map(lambda x: x + 1, ref).to_state().value
    2.0
    """

    type: Any  # the class of the State
    value: Any

    def __init__(self, type: Any, value: Any, **metadata: Any):
        self.type, self.value = type, value
        vars(self).update({"name": None, "tag": None, **metadata})

    def get_metadata(self) -> dict[str, Any]:
        """The attributes, without class and value."""
        return {key: item for key, item in vars(self).items() if key not in ("type", "value")}

    def replace(self, value: Any) -> TreefyState:
        """The same reference with another value."""
        return TreefyState(self.type, value, **self.get_metadata())

    def copy(self) -> TreefyState:
        """Another reference with the same value."""
        return self.replace(self.value)

    def to_state(self) -> Any:
        """A new State of class `type`; its `__init__` does not run and no catcher sees it."""
        from .state import rebuild

        return rebuild(self.type, self.value, self.get_metadata())

    def tree_flatten_with_keys(self) -> tuple:
        """The value is the child; kind and metadata are static."""
        aux = (self.type, tuple(self.get_metadata().items()))
        return ((jax.tree_util.GetAttrKey("value"), self.value),), aux

    @classmethod
    def tree_unflatten(cls, aux: tuple, children: tuple) -> TreefyState:
        """Undo `tree_flatten_with_keys`."""
        return cls(aux[0], children[0], **dict(aux[1]))

    def __pretty_repr__(self) -> Iterator[Any]:
        yield PrettyType(type(self))
        yield PrettyAttr("type", self.type.__name__)
        yield PrettyAttr("value", repr(self.value))
        for key, item in self.get_metadata().items():
            if item is not None:
                yield PrettyAttr(key, repr(item))
