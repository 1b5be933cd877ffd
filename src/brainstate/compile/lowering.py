"""What `jit(f).lower(...)` returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .variants import Variant


class Lowered:
    """A lowered program; everything but `compile` is that of `jax.stages.Lowered`."""

    def __init__(self, lowered: Any, variant: Variant, prepare: Callable):
        self._lowered, self._variant, self._prepare = lowered, variant, prepare

    def compile(self, *args: Any, **kwargs: Any) -> Compiled:
        """Compile for the argument types given to `lower`."""
        return Compiled(self._lowered.compile(*args, **kwargs), self._variant, self._prepare)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lowered, name)


class Compiled:
    """A compiled program for one set of argument types; a call reads and writes the States."""

    def __init__(self, compiled: Any, variant: Variant, prepare: Callable):
        self._compiled, self._variant, self._prepare = compiled, variant, prepare

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        _, *packed = self._prepare(args, kwargs)
        return self._variant.store(*self._compiled(*self._variant.inputs(*packed)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compiled, name)
