"""What all pictures share: axes, colours that colour-blind people tell apart, units as labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._state import State
from .._units import number_in, split

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# M. Okabe and K. Ito (2008), Color universal design; without the yellow, which is faint on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
AMOUNT, SIGNED = "viridis", "PuOr"  # colour maps of numbers from low to high, and around zero
MANY = len(COLOURS)


def own_axes(ax: Axes | None, title: str | None) -> Axes:
    """The axes given, or those of a new figure; with this title, if any."""
    if ax is None:
        try:
            import matplotlib.pyplot as plt
        except ImportError:
            raise ImportError(
                "brainstate.visualize needs matplotlib: run `pip install matplotlib`. [BST-A13]"
            ) from None
        ax = plt.subplots(layout="constrained")[1]
    if title:
        ax.set_title(title)
    return ax


def plain(x: Any, name: str, *ranks: int) -> tuple[np.ndarray, Any]:
    """(numbers, unit) of an array, a Quantity or a State of one; ValueError for another rank."""
    number, unit = split(x.value if isinstance(x, State) else x)
    array = np.asarray(number)
    if ranks and array.ndim not in ranks:
        wanted = " or ".join(map(str, ranks))
        raise ValueError(
            f"`{name}` must have {wanted} axes; found the shape {array.shape}. [BST-A04]"
        )
    if array.dtype == bool or array.dtype.kind in "iuf":
        return array, unit
    try:
        return array.astype(float), unit  # bfloat16 and its like
    except (TypeError, ValueError):
        raise TypeError(f"`{name}` must be an array of numbers; found {x!r}. [BST-A01]") from None


def along(x: Any, name: str, length: int, of: str) -> tuple[np.ndarray, Any]:
    """(numbers, unit) of what has one element for each of `length`; counted where it is None."""
    if x is None:
        return np.arange(length), None
    array, unit = plain(x, name, 1)
    if len(array) != length:
        raise ValueError(f"`{name}` has {len(array)} elements for {length} {of}. [BST-A10]")
    return array, unit


def plain_in(x: Any, unit: Any, name: str, *ranks: int) -> np.ndarray:
    """The numbers that `x` has in this unit."""
    x = x.value if isinstance(x, State) else x
    return plain(number_in(x, unit, name), name, *ranks)[0]


def label(name: str, unit: Any) -> str:
    """The label of an axis, with the unit in brackets."""
    return name if unit is None else f"{name} ({unit})"


def show_time(ax: Axes, times: np.ndarray, unit: Any) -> None:
    """Label the axis of time, and let it end where the times do."""
    ax.set_xlabel("step" if unit is None and times.dtype.kind in "iu" else label("time", unit))
    if len(times) > 1:
        ax.set_xlim(times[0], times[-1])


def colour_limits(*arrays: np.ndarray) -> tuple[str, float, float]:
    """(colour map, lowest, highest) for numbers: symmetrical where they have both signs."""
    finite = np.concatenate([np.ravel(a)[np.isfinite(np.ravel(a))] for a in arrays])
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low < 0 < high:
        most = max(-low, high)
        return SIGNED, -most, most
    return AMOUNT, low, high
