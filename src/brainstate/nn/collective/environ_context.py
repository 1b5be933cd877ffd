"""`EnvironContext`: a module that runs under settings of its own."""

from __future__ import annotations

from typing import Any

from ... import environ
from ..module import Module


class EnvironContext(Module):
    """A module called inside ``brainstate.environ.context(**context)``.

    >>> import brainstate
    >>> class Setting(brainstate.nn.Module):
    ...     def update(self):
    ...         return brainstate.environ.get("fit")
    >>> frozen = brainstate.nn.EnvironContext(Setting(), fit=False)
    >>> with brainstate.environ.context(fit=True):
    ...     frozen()
    False
    """

    def __init__(self, layer: Module, **context: Any):
        super().__init__()
        if not isinstance(layer, Module):
            raise TypeError(f"EnvironContext runs a module; found {layer!r}. [BST-A01]")
        self.layer = layer
        self.in_size, self.out_size = layer.in_size, layer.out_size
        self.context = context

    def update(self, *args: Any, **kwargs: Any) -> Any:
        with environ.context(**self.context):
            return self.layer(*args, **kwargs)

    def add_context(self, **context: Any) -> None:
        """Add settings, or replace those of the same names."""
        self.context = {**self.context, **context}
