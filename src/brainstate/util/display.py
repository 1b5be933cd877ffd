"""Showing objects in a notebook or on a terminal."""

import sys
from typing import Any

__all__ = ["display"]


def display(*args: Any) -> None:
    """Show objects with treescope if it is installed and IPython is running, else print them."""
    show = _treescope_display()
    for arg in args:
        show(arg)


def _treescope_display() -> Any:
    # IPython is running only if somebody imported it before us.
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        return print
    try:
        import treescope
    except ImportError:
        return print
    return treescope.display
