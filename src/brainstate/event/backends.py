"""Which implementation computes the products on the CPU."""

from __future__ import annotations

import functools
import os
from typing import NamedTuple

from .. import environ
from .native.build import Unavailable, load

SETTING = "event_backend"
_VARIABLE = "BRAINSTATE_EVENT_BACKEND"
_CHOICES = "auto", "native", "jax"


class Backend(NamedTuple):
    """The implementation in use, "native" or "jax", and why."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def backend() -> Backend:
    """Which implementation of the products is active on the CPU, and why.

    "native" is a C++ kernel, compiled at its first use if there is a compiler, and kept in the
    user's cache; "jax" is made of JAX operations, runs everywhere, and can be exported; it is what
    accelerators use. Choose with ``environ.set(event_backend="jax")``, ``environ.context``, or the
    variable BRAINSTATE_EVENT_BACKEND: "native", "jax" or "auto". Compiled functions follow.

    >>> import brainstate
    >>> with brainstate.environ.context(event_backend="jax"):
    ...     print(brainstate.event.backend())
    jax: chosen by environ
    """
    choice, chooser = _choice()
    if choice == "jax":
        return Backend("jax", f"chosen by {chooser}")
    found, reason = _native()
    if found:
        return Backend("native", reason)
    if choice == "native":
        raise RuntimeError(
            f"{chooser} asks for the native event products, but {reason}. Install a C++17 "
            f'compiler, name one in CXX, or choose {SETTING}="auto". [BST-E01]'
        )
    return Backend("jax", reason)


def _choice() -> tuple[str, str]:
    choice, chooser = environ.get(SETTING, None), "environ"
    if choice is None:
        choice, chooser = os.environ.get(_VARIABLE, "auto"), _VARIABLE
    if choice not in _CHOICES:
        raise ValueError(
            f"The event backend must be one of {_CHOICES}; {chooser} has {choice!r}. [BST-A03]"
        )
    return choice, chooser


@functools.cache
def _native() -> tuple[bool, str]:
    """Whether there is a native product, and the library or the reason against it."""
    try:
        return True, f"compiled into {load()}"
    except Unavailable as reason:
        return False, str(reason)
