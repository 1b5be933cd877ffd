"""A layer in motion."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .axes import along, colour_limits, label, own_axes, plain

if TYPE_CHECKING:
    from matplotlib.animation import FuncAnimation
    from matplotlib.axes import Axes


def animate(
    values: Any,
    times: Any = None,
    *,
    shape: tuple[int, int] | None = None,
    name: str = "value",
    interval: float = 40.0,
    ax: Axes | None = None,
    title: str | None = None,
) -> FuncAnimation:
    """A film of a layer: `values` of shape (steps, rows, columns), or (steps, neurons).

    Neurons in a row are laid out in `shape`, or in a square. Colours mean the same in all frames;
    a frame is shown for `interval` milliseconds. Returns the animation: keep it as long as it
    runs; ``.save("layer.gif")`` writes it, and ``.to_jshtml()`` shows it in a notebook.

    >>> import brainunit as u, numpy as np
    >>> film = animate(np.zeros((3, 4, 5)) * u.mV, np.arange(3) * u.ms, name="V")
    >>> "data:image/png" in film.to_jshtml()
    True
    """
    frames, unit = plain(values, "values", 2, 3)
    frames = _laid_out(frames, shape)
    moments, time_unit = along(times, "times", len(frames), "steps")
    if not len(frames):
        raise ValueError("`values` has no steps to show. [BST-A06]")
    from matplotlib.animation import FuncAnimation

    ax = own_axes(ax, title)
    colours, low, high = colour_limits(frames)
    image = ax.imshow(frames[0], cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    ax.figure.colorbar(image, ax=ax, label=label(name, unit))
    ax.set(xlabel="column", ylabel="row")

    def show(step: int) -> tuple:
        image.set_data(frames[step])
        moment = f"step {moments[step]}" if times is None else _moment(moments, step, time_unit)
        ax.set_title(f"{title}, {moment}" if title else moment)
        return (image,)

    show(0)
    figure: Any = ax.figure
    return FuncAnimation(figure, show, len(frames), interval=interval)


def _laid_out(frames: np.ndarray, shape: tuple[int, int] | None) -> np.ndarray:
    if frames.ndim == 3 and shape is None:
        return frames
    neurons = math.prod(frames.shape[1:])
    if shape is None:
        columns = math.ceil(math.sqrt(neurons))
        shape = (math.ceil(neurons / max(columns, 1)), columns)
        missing = shape[0] * shape[1] - neurons
        frames = np.pad(frames.astype(float), ((0, 0), (0, missing)), constant_values=np.nan)
    elif math.prod(shape) != neurons:
        raise ValueError(
            f"`shape` {shape} does not hold the {neurons} neurons of `values`. [BST-A04]"
        )
    return frames.reshape(len(frames), *shape)


def _moment(moments: np.ndarray, step: int, unit: Any) -> str:
    text = f"t = {moments[step]:.6g}"
    return text if unit is None else f"{text} {unit}"
