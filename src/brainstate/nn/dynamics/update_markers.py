"""Marks on what runs before and after the update of a model: what it is called with."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")

TAKES_INPUT = "_receive_update_input"
TAKES_NO_OUTPUT = "_not_receive_update_output"


def receive_update_output(obj: T) -> T:
    """Have an after-update called with what `update` returned, as it is unless marked."""
    return _mark(obj, TAKES_NO_OUTPUT, False)


def not_receive_update_output(obj: T) -> T:
    """Have an after-update called with nothing.

    >>> hasattr(not_receive_update_output(lambda: None), TAKES_NO_OUTPUT)
    True
    """
    return _mark(obj, TAKES_NO_OUTPUT, True)


def receive_update_input(obj: T) -> T:
    """Have a before-update called with the arguments of `update`."""
    return _mark(obj, TAKES_INPUT, True)


def not_receive_update_input(obj: T) -> T:
    """Have a before-update called with nothing, as it is unless marked."""
    return _mark(obj, TAKES_INPUT, False)


def _mark(obj: T, name: str, marked: bool) -> T:
    try:
        if marked:
            setattr(obj, name, True)
        elif hasattr(obj, name):
            delattr(obj, name)
    except AttributeError:
        raise TypeError(
            f"{obj!r} cannot be marked; wrap it in a function of your own. [BST-A01]"
        ) from None
    return obj
