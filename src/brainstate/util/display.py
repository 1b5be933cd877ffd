"""Showing objects in a notebook or on a terminal."""

import sys
from typing import Any

__all__ = ["display"]


def display(*args: Any) -> None:
    """Show objects with treescope if it is installed and IPython is running, else print them."""
    show = _treescope_display()
    for arg in args:
        show(arg)


def in_notebook() -> bool:
    """Whether output goes to a notebook, which is no terminal but shows what is written."""
    return getattr(_ipython(), "kernel", None) is not None


def _ipython() -> Any:
    # IPython is running only if somebody imported it before us.
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def _treescope_display() -> Any:
    if _ipython() is None:
        return print
    try:
        import treescope
    except ImportError:
        return print
    return treescope.display
