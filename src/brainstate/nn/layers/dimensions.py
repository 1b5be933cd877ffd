"""One class for any number of spatial axes, and what it is given for each of them."""

from __future__ import annotations

from typing import Any, TypeVar

from ...init import to_size

T = TypeVar("T")


def for_dimensions(base: type[T], *dimensions: int, name: str | None = None) -> tuple[type[T], ...]:
    """The class for each number of spatial axes: ``MaxPool`` gives ``MaxPool1d`` and so on.

    They differ in `num_spatial_dims` only. Another `name` may stand for that of the base.
    """
    return tuple(
        type(
            f"{name or base.__name__}{n}d",
            (base,),
            {"num_spatial_dims": n, "__module__": base.__module__},
        )
        for n in dimensions
    )


def for_each_axis(x: Any, count: int, name: str) -> tuple[int, ...]:
    """`count` positive integers; one alone stands for all.

    >>> for_each_axis(2, 3, "stride"), for_each_axis((1, 2), 2, "stride")
    ((2, 2, 2), (1, 2))
    """
    given = to_size(x) or ()
    found = given * count if len(given) == 1 else given
    if len(found) == count and min(found) > 0:
        return found
    raise ValueError(
        f"`{name}` must be a positive integer, or {count} of them, one for each spatial axis; "
        f"found {x!r}. [BST-A02]"
    )


def from_end(axis: int, rank: int, name: str) -> int:
    """`axis` counted from the end, as it is with batch axes in front, too.

    >>> from_end(0, 3, "axis"), from_end(-1, 3, "axis")
    (-3, -1)
    """
    if -rank <= axis < rank:
        return axis if axis < 0 else axis - rank
    raise ValueError(f"`{name}` is {axis}, but there are {rank} axes: give one of them. [BST-A02]")
