"""Parameters that no law can have, told by their names.

Numbers and NumPy arrays are looked at. Values on a device are not: a draw would have to wait for
them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_NOT_NEGATIVE = frozenset(
    ["a", "b", "df", "dfden", "dfnum", "lam", "nonc", "scale", "shape", "sigma"]
)
_ASCENDING = (("low", "high"), ("lower", "upper"), ("left", "mode"), ("mode", "right"))


def check_ranges(parameters: dict[str, Any]) -> None:
    """Raise ValueError for a negative scale and the like, and for bounds that are swapped."""
    for name in _NOT_NEGATIVE & parameters.keys():
        if _anywhere_above(0, parameters[name]):
            raise ValueError(f"`{name}` must not be negative; found {parameters[name]}. [BST-A02]")
    for below, above in _ASCENDING:
        if below in parameters and above in parameters:
            x, y = parameters[below], parameters[above]
            if _anywhere_above(x, y):
                raise ValueError(
                    f"`{below}` must not be above `{above}`; found {x} and {y}. [BST-A02]"
                )


def _anywhere_above(x: Any, y: Any) -> bool:
    if isinstance(x, (int, float)) and isinstance(y, (int, float)):
        return x > y
    at_hand = (int, float, np.ndarray, np.generic)
    return isinstance(x, at_hand) and isinstance(y, at_hand) and bool(np.any(np.greater(x, y)))
