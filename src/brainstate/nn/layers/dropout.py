"""Dropout: numbers at random are put to zero while a model is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from ... import random
from ..._engine.names import describe
from ..._state import ShortTermState
from ..._units import attach, split
from ...init.sizes import needed_size
from ...typing import Size
from ..module import ElementWiseBlock
from ..variable import Variable
from .dimensions import for_dimensions, from_end
from .fitting import fitting


class Masking(ElementWiseBlock):
    """Base of dropout: `prob` is the probability to **keep** a number.

    Nothing is changed where `fit` of environ is false. Subclasses say what stands or falls
    together (`_mask_shape`) and what becomes of it (`_masked`).
    """

    def __init__(self, prob: float = 0.5, name: str | None = None):
        super().__init__(name=name)
        self.prob = float(prob)
        if not 0 <= self.prob <= 1:
            raise ValueError(
                f"`prob`, the probability to keep, must be in [0, 1]; found {prob!r}. [BST-A02]"
            )

    def update(self, x: Any) -> Any:
        if not fitting() or self.prob == 1:
            return x
        number, unit = split(x)
        number = jnp.asarray(number)
        return attach(self._masked(number, self._mask(number)), unit)

    def _mask(self, x: Any) -> Any:
        return random.bernoulli(self.prob, self._mask_shape(x))

    def _mask_shape(self, x: Any) -> tuple[int, ...]:
        return x.shape

    def _masked(self, x: Any, kept: Any) -> Any:
        return jnp.where(kept, x / (self.prob or 1), 0)


class Dropout(Masking):
    """Keep each number with probability `prob`, divided by `prob`; put the others to 0.

    **`prob` is the probability to keep.** This happens where `fit` of environ is true; else the
    input is returned. Numbers along `broadcast_dims` stand or fall together.

    N. Srivastava et al. (2014), J. Machine Learning Research 15.

    >>> import brainstate
    >>> layer = brainstate.nn.Dropout(0.5)
    >>> with brainstate.environ.context(fit=True):
    ...     set(layer(jnp.ones(100)).tolist()) == {0.0, 2.0}
    True
    """

    def __init__(
        self, prob: float = 0.5, name: str | None = None, broadcast_dims: Sequence[int] = ()
    ):
        super().__init__(prob, name)
        self.broadcast_dims = tuple(broadcast_dims)

    def _mask_shape(self, x: Any) -> tuple[int, ...]:
        shape = list(x.shape)
        for axis in self.broadcast_dims:
            shape[from_end(axis, x.ndim, "broadcast_dims")] = 1
        return tuple(shape)


class ChannelDropout(Masking):
    """`Dropout` of whole channels, of each item of a batch by itself.

    **`prob` is the probability to keep.** An input has `minimal_dim` axes, which are the spatial
    ones and that of channels, and possibly one more in front for a batch; `channel_axis` counts
    without that one.

    J. Tompson et al. (2015), CVPR, Efficient object localization using convolutional networks.

    >>> import brainstate
    >>> layer = brainstate.nn.Dropout1d(0.5)
    >>> with brainstate.environ.context(fit=True):
    ...     y = layer(jnp.ones((10, 4)))
    >>> bool((y == y[0]).all())
    True
    """

    num_spatial_dims: int
    minimal_dim: int

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.minimal_dim = cls.num_spatial_dims + 1

    def __init__(self, prob: float = 0.5, channel_axis: int = -1, name: str | None = None):
        super().__init__(prob, name)
        from_end(channel_axis, self.minimal_dim, "channel_axis")
        self.channel_axis = channel_axis

    def _mask_shape(self, x: Any) -> tuple[int, ...]:
        if x.ndim not in (self.minimal_dim, self.minimal_dim + 1):
            raise ValueError(
                f"{describe(self)} takes {self.minimal_dim} axes, or one more in front for a "
                f"batch; found the shape {x.shape}. [BST-A04]"
            )
        channels = from_end(self.channel_axis, self.minimal_dim, "channel_axis")
        return _shape_along(x, channels, *([0] if x.ndim > self.minimal_dim else []))


Dropout1d, Dropout2d, Dropout3d = for_dimensions(ChannelDropout, 1, 2, 3, name="Dropout")


class AlphaDropout(Masking):
    """Dropout that keeps mean 0 and variance 1, for networks of `SELU`.

    **`prob`, in (0, 1], is the probability to keep.** With ``c = -1.7581``, the lowest value of
    `SELU`, and q = `prob`, numbers become ``a * x + b``, or ``a * c + b`` where they fall, with
    ``a = (q + c**2 * q * (1 - q)) ** -0.5`` and ``b = -a * (1 - q) * c``.

    G. Klambauer et al. (2017), NeurIPS, Self-normalizing neural networks.

    >>> import brainstate
    >>> with brainstate.environ.context(fit=True):
    ...     y = brainstate.nn.AlphaDropout(0.8)(brainstate.random.randn(10000))
    >>> bool(abs(y.mean()) < 0.05), bool(abs(y.std() - 1) < 0.05)
    (True, True)
    """

    def __init__(self, prob: float = 0.5, channel_axis: int = -1, name: str | None = None):
        super().__init__(prob, name)
        if not self.prob:
            raise ValueError(
                "`prob`, the probability to keep, must be above 0 here; found 0. [BST-A02]"
            )
        self.channel_axis = channel_axis

    def _masked(self, x: Any, kept: Any) -> Any:
        q = self.prob
        a = (q + _SELU_LOW**2 * q * (1 - q)) ** -0.5
        return a * jnp.where(kept, x, _SELU_LOW) - a * (1 - q) * _SELU_LOW


class FeatureAlphaDropout(AlphaDropout):
    """`AlphaDropout` of whole channels, of each item of a batch by itself.

    The first axis is the batch, unless it is that of channels.

    >>> import brainstate
    >>> with brainstate.environ.context(fit=True):
    ...     y = brainstate.nn.FeatureAlphaDropout(0.5)(jnp.zeros((2, 10, 4)))
    >>> bool((y == y[:, :1]).all())
    True
    """

    def _mask_shape(self, x: Any) -> tuple[int, ...]:
        return _shape_along(x, from_end(self.channel_axis, x.ndim, "channel_axis"), 0)


class DropoutFixed(Masking):
    """`Dropout` with one mask for a whole run, as recurrent and spiking networks need it.

    The mask is drawn by `init_state`, and anew by `reset_state`. **`prob` is the probability to
    keep.**

    Y. Gal and Z. Ghahramani (2016), NeurIPS, A theoretically grounded application of dropout in
    recurrent neural networks.

    >>> import brainstate
    >>> layer = brainstate.nn.init_all_states(brainstate.nn.DropoutFixed(100))
    >>> with brainstate.environ.context(fit=True):
    ...     bool((layer(jnp.ones(100)) == layer(jnp.ones(100))).all())
    True
    """

    mask: ShortTermState

    def __init__(self, in_size: Size, prob: float = 0.5, name: str | None = None):
        super().__init__(prob, name)
        self.in_size = self.out_size = needed_size(in_size, "in_size")

    def variables(self) -> dict[str, Variable]:
        shape: tuple[int, ...] = self.in_size  # type: ignore[assignment]
        return {"mask": Variable(self._draw, shape, ShortTermState)}

    def _draw(self, shape: tuple[int, ...]) -> Any:
        return random.bernoulli(self.prob, shape)

    def _mask(self, x: Any) -> Any:
        mask = self.mask.value
        if mask.shape != x.shape:
            raise ValueError(
                f"{describe(self)} has a mask of shape {mask.shape}; found inputs of shape "
                f"{x.shape}. For a batch of them, call init_all_states(model, batch_size) first. "
                "[BST-N02]"
            )
        return mask != 0


_SELU_LOW = -1.7580993408473766


def _shape_along(x: Any, *axes: int) -> tuple[int, ...]:
    """The shape of `x`, with 1 for all other axes."""
    kept = {axis % x.ndim for axis in axes}
    return tuple(n if axis in kept else 1 for axis, n in enumerate(x.shape))
