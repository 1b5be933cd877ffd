"""`Sequential`: modules one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .._errors import BadKeyError
from ..mixin import ParamDescriber
from .module import ElementWiseBlock, Module


class Sequential(Module):
    """Layers called one after the other, each on the output of the one before.

    A layer is a module, or any function, which is taken to keep the size. A description
    (``Linear.desc(out_size=3)``) is built with the size that reaches it as `in_size`.

    >>> import brainstate, jax, jax.numpy as jnp
    >>> net = brainstate.nn.Sequential(
    ...     brainstate.nn.Linear(2, 4), jax.nn.relu, brainstate.nn.Linear.desc(out_size=3)
    ... )
    >>> net(jnp.ones(2)).shape, net.out_size
    ((3,), (3,))
    """

    def __init__(self, first: Callable, *layers: Callable | ParamDescriber):
        super().__init__()
        self.in_size = first.in_size if isinstance(first, Module) else None
        made: list[Callable] = []
        size = self.in_size
        for layer in (first, *layers):
            built = _built(layer, size)
            made.append(built)
            if isinstance(built, Module) and not isinstance(built, ElementWiseBlock):
                size = built.out_size
        self.layers, self.out_size = made, size  # whole, so that its layers have their names

    def update(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def __getitem__(self, key: int | slice | list[int] | tuple[int, ...]) -> Any:
        if isinstance(key, int):
            return self.layers[key]
        if isinstance(key, slice):
            return Sequential(*self.layers[key])
        if isinstance(key, (list, tuple)):
            return Sequential(*[self.layers[index] for index in key])
        raise BadKeyError(
            f"Layers are chosen by an integer, a slice or a list; found {key!r}. [BST-A01]"
        )

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Callable]:
        return iter(self.layers)


def _built(layer: Any, size: tuple[int, ...] | None) -> Callable:
    if isinstance(layer, ParamDescriber):
        if size is None:
            raise ValueError(
                f"{layer!r} needs the size of its input, which the layers before it do not tell; "
                "give them sizes, or build the layer yourself. [BST-N03]"
            )
        return layer(in_size=size)
    if not callable(layer):
        raise TypeError(
            f"A layer is a module, a description or a function; found {layer!r}. [BST-A01]"
        )
    return layer
