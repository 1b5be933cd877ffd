"""Linear maps that bring values such as membrane potentials into a standard range."""

from collections.abc import Sequence
from typing import Any, Self

__all__ = ["MemScaling", "IdMemScaling"]


class MemScaling:
    """The map `(x + bias) / scale` and its inverse.

    Arguments of the methods replace the stored `scale` and `bias`. Values, scale and bias may carry
    units; the scaled values are unitless if both carry the unit of the values.

    >>> scaling = MemScaling.transform([-70.0, -50.0])
    >>> scaling, scaling.scale_offset(-60.0)
    (MemScaling(scale=20.0, bias=70.0), 0.5)
    """

    def __init__(self, scale: Any, bias: Any) -> None:
        self._scale = scale
        self._bias = bias

    @classmethod
    def transform(
        cls,
        oring_range: Sequence[Any],
        target_range: Sequence[float] = (0.0, 1.0),
    ) -> "MemScaling":
        """Make the map from an original range (its lower and upper end) onto a target range."""
        low, high = _checked_range(oring_range, "oring_range")
        target_low, target_high = _checked_range(target_range, "target_range")
        scale = (high - low) / (target_high - target_low)
        return MemScaling(scale, target_low * scale - low)

    def scale(self, x: Any, scale: Any = None) -> Any:
        """Give `x / scale`."""
        return x / self._chosen_scale(scale)

    def offset(self, x: Any, bias: Any = None) -> Any:
        """Give `x + bias`."""
        return x + self._chosen_bias(bias)

    def scale_offset(self, x: Any, bias: Any = None, scale: Any = None) -> Any:
        """Give `(x + bias) / scale`."""
        return (x + self._chosen_bias(bias)) / self._chosen_scale(scale)

    def rev_scale(self, x: Any, scale: Any = None) -> Any:
        """Undo `scale`."""
        return x * self._chosen_scale(scale)

    def rev_offset(self, x: Any, bias: Any = None) -> Any:
        """Undo `offset`."""
        return x - self._chosen_bias(bias)

    def rev_scale_offset(self, x: Any, bias: Any = None, scale: Any = None) -> Any:
        """Undo `scale_offset`."""
        return x * self._chosen_scale(scale) - self._chosen_bias(bias)

    def clone(self) -> Self:
        """Give an equal, independent map."""
        return type(self)(self._scale, self._bias)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(scale={self._scale!r}, bias={self._bias!r})"

    def _chosen_scale(self, scale: Any) -> Any:
        return self._scale if scale is None else scale

    def _chosen_bias(self, bias: Any) -> Any:
        return self._bias if bias is None else bias


class IdMemScaling(MemScaling):
    """The identity map: every method gives `x` itself, whatever scale or bias is passed."""

    def __init__(self) -> None:
        super().__init__(scale=1.0, bias=0.0)

    def scale(self, x: Any, scale: Any = None) -> Any:
        return x

    def offset(self, x: Any, bias: Any = None) -> Any:
        return x

    def scale_offset(self, x: Any, bias: Any = None, scale: Any = None) -> Any:
        return x

    def rev_scale(self, x: Any, scale: Any = None) -> Any:
        return x

    def rev_offset(self, x: Any, bias: Any = None) -> Any:
        return x

    def rev_scale_offset(self, x: Any, bias: Any = None, scale: Any = None) -> Any:
        return x

    def clone(self) -> Self:
        return type(self)()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _checked_range(ends: Sequence[Any], argument: str) -> tuple[Any, Any]:
    if len(ends) != 2:
        raise ValueError(f"`{argument}` must hold two ends, found {ends!r}. [BST-A10]")
    low, high = ends
    if low == high:
        raise ValueError(f"`{argument}` must have different ends, found {ends!r}. [BST-A02]")
    return low, high
