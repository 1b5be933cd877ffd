"""Initializers whose variance follows the number of inputs or outputs of a unit."""

from __future__ import annotations

import math
from typing import Any

import jax

from ..random.drawing import draw, with_options
from ..typing import DTypeLike, SeedOrKey
from .base import RandomInitializer

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "normal", "uniform")


class VarianceScaling(RandomInitializer):
    """Numbers of variance ``scale / fan``, as `jax.nn.initializers.variance_scaling`.

    `mode` says what the fan is (``fan_in``, ``fan_out`` or ``fan_avg``), `distribution` is
    ``truncated_normal``, ``normal`` or ``uniform``; axes other than `in_axis` and `out_axis` belong
    to the receptive field.

    >>> import brainstate
    >>> w = brainstate.init.VarianceScaling(1.0, "fan_in", "normal", seed=0)((1000, 10))
    >>> abs(float(w.std()) * 1000**0.5 - 1) < 0.05
    True
    """

    def __init__(
        self,
        scale: float,
        mode: str,
        distribution: str,
        in_axis: int = -2,
        out_axis: int = -1,
        seed: SeedOrKey | None = None,
        unit: Any = None,
    ):
        super().__init__(seed, unit)
        _check_choice("mode", mode, _MODES)
        _check_choice("distribution", distribution, _DISTRIBUTIONS)
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.in_axis, self.out_axis = in_axis, out_axis

    def _number(self, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
        law = with_options(
            _scaled, mode=self.mode, distribution=self.distribution,
            in_axis=self.in_axis, out_axis=self.out_axis,
        )  # fmt: skip
        if len(shape) < 2:
            raise ValueError(
                f"{type(self).__name__} needs at least two dimensions, to know inputs from "
                f"outputs; found the shape {shape}. Use Normal or Uniform for vectors. [BST-A04]"
            )
        return draw(law, shape, dtype, self.rng.split_key(), self.scale)


def _scaled(key: Any, scale: Any, *, shape: Any, dtype: Any, **options: Any) -> jax.Array:
    return jax.nn.initializers.variance_scaling(scale, **options)(key, shape, dtype)


def _check_choice(name: str, found: str, choices: tuple[str, ...]) -> None:
    if found not in choices:
        raise ValueError(f"`{name}` must be one of {choices}; found {found!r}. [BST-A03]")


class KaimingUniform(VarianceScaling):
    """He's law, uniform: variance ``2 / fan_in``, for layers followed by ReLU."""

    def __init__(
        self,
        scale: float = 2.0,
        mode: str = "fan_in",
        distribution: str = "uniform",
        in_axis: int = -2,
        out_axis: int = -1,
        seed: SeedOrKey | None = None,
        unit: Any = None,
    ):
        super().__init__(scale, mode, distribution, in_axis, out_axis, seed, unit)


class KaimingNormal(VarianceScaling):
    """He's law, normal: variance ``2 / fan_in``, for layers followed by ReLU."""

    def __init__(
        self,
        scale: float = 2.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        in_axis: int = -2,
        out_axis: int = -1,
        seed: SeedOrKey | None = None,
        unit: Any = None,
    ):
        super().__init__(scale, mode, distribution, in_axis, out_axis, seed, unit)


class XavierUniform(VarianceScaling):
    """Glorot's law, uniform: variance ``2 / (fan_in + fan_out)``."""

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_avg",
        distribution: str = "uniform",
        in_axis: int = -2,
        out_axis: int = -1,
        seed: SeedOrKey | None = None,
        unit: Any = None,
    ):
        super().__init__(scale, mode, distribution, in_axis, out_axis, seed, unit)


class XavierNormal(VarianceScaling):
    """Glorot's law, normal: variance ``2 / (fan_in + fan_out)``."""

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_avg",
        distribution: str = "truncated_normal",
        in_axis: int = -2,
        out_axis: int = -1,
        seed: SeedOrKey | None = None,
        unit: Any = None,
    ):
        super().__init__(scale, mode, distribution, in_axis, out_axis, seed, unit)


class LecunUniform(VarianceScaling):
    """LeCun's law, uniform: variance ``1 / fan_in``."""

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "uniform",
        in_axis: int = -2,
        out_axis: int = -1,
        seed: SeedOrKey | None = None,
        unit: Any = None,
    ):
        super().__init__(scale, mode, distribution, in_axis, out_axis, seed, unit)


class LecunNormal(VarianceScaling):
    """LeCun's law, normal: variance ``1 / fan_in``."""

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        in_axis: int = -2,
        out_axis: int = -1,
        seed: SeedOrKey | None = None,
        unit: Any = None,
    ):
        super().__init__(scale, mode, distribution, in_axis, out_axis, seed, unit)


_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4.0,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The standard deviation by which weights make up for what `nonlinearity` takes away.

    `param` is the slope of ``leaky_relu`` (0.01).

    >>> calculate_gain("tanh")
    1.6666666666666667
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2.0 / (1 + (0.01 if param is None else param) ** 2))
    _check_choice("nonlinearity", nonlinearity, (*_GAINS, "leaky_relu"))
    return _GAINS[nonlinearity]
