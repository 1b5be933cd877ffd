"""`restore_rngs`: run a function and put the generators back."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .._engine.options import decorator

if TYPE_CHECKING:
    from ..random import RandomState


@decorator
def restore_rngs(fn: Callable, rngs: RandomState | Sequence[RandomState] | None = None) -> Callable:
    """A function that leaves the generators `rngs` (default: the global one) as they were.

    >>> import brainstate
    >>> draw = brainstate.augment.restore_rngs(lambda: brainstate.random.rand())
    >>> bool(draw() == draw())
    True
    """

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        generators = _generators(rngs)
        keys = [generator.value for generator in generators]
        try:
            return fn(*args, **kwargs)
        finally:
            for generator, key in zip(generators, keys, strict=True):
                generator.value = key

    if rngs is not None:
        _generators(rngs)  # raise now, not at the first call
    return wrapper


def _generators(rngs: Any) -> list[RandomState]:
    # Imported here: most programs that differentiate or batch never come this way.
    from ..random import DEFAULT, RandomState

    several = isinstance(rngs, (list, tuple))
    generators = [DEFAULT] if rngs is None else rngs if several else [rngs]
    for generator in generators:
        if not isinstance(generator, RandomState):
            raise TypeError(f"restore_rngs takes RandomStates; found {generator!r}. [BST-A01]")
    return list(generators)
