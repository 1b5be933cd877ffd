"""Lines: traces of States, losses, tuning curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .axes import (
    AMOUNT,
    COLOURS,
    MANY,
    along,
    colour_limits,
    label,
    own_axes,
    plain,
    plain_in,
    show_time,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def traces(
    values: Any,
    times: Any = None,
    *,
    name: str = "value",
    ax: Axes | None = None,
    title: str | None = "Traces",
) -> Axes:
    """Values over time: an array of shape (steps,) or (steps, neurons), or a dict of such.

    Entries of a dict share a dimension; they are shown in the unit of the first. Up to seven lines
    have colours and a legend, more go by their number from dark to bright. Returns the axes.

    >>> import brainunit as u, numpy as np
    >>> V = np.linspace(-70, -50, 100)[:, None] * np.ones(3) * u.mV
    >>> ax = traces({"V": V}, np.arange(100) * 0.1 * u.ms)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('time (ms)', 'V (mV)')
    """
    series = _series(values, name, "values")
    first = next(iter(series))
    unit = plain(series[first], first)[1]
    lines: dict[str, np.ndarray] = {}
    for key, value in series.items():
        array = plain_in(value, unit, key, 1, 2)
        alone = array.ndim == 1 or array.shape[1] == 1
        columns = enumerate(array.reshape(len(array), -1).T)
        lines |= {key if alone else f"{key}[{i}]": column for i, column in columns}
    lengths = {len(line) for line in lines.values()}
    if len(lengths) != 1:
        raise ValueError(
            f"`values` must have one number of steps; found {sorted(lengths)}. [BST-A10]"
        )
    moments, time_unit = along(times, "times", lengths.pop(), "steps")
    ax = own_axes(ax, title)
    _draw_lines(ax, moments, lines)
    ax.set_ylabel(label(first if len(series) == 1 else name, unit))
    show_time(ax, moments, time_unit)
    return ax


def losses(
    values: Any,
    *,
    smooth: int = 1,
    name: str = "loss",
    ax: Axes | None = None,
    title: str | None = "Training",
) -> Axes:
    """Losses over training steps: an array of shape (steps,), of (runs, steps), or a dict of such.

    Several runs are shown as their mean within the range from the 10th to the 90th percentile.
    `smooth` is the number of steps of a running mean, drawn over the values, which stay in the
    background. The axis is logarithmic where all is positive and spans more than two decades.
    Returns the axes.

    >>> import numpy as np
    >>> losses({"train": np.exp(-np.arange(9.0)), "test": np.ones(9)}).get_yscale()
    'log'
    """
    series = _series(values, name, "values")
    if smooth < 1:
        raise ValueError(f"`smooth` is a number of steps, 1 or more; found {smooth}. [BST-A02]")
    unit = plain(next(iter(series.values())), name)[1]
    ax = own_axes(ax, title)
    runs = {key: np.atleast_2d(plain_in(x, unit, key, 1, 2)) for key, x in series.items()}
    for index, (key, run) in enumerate(runs.items()):
        _draw_losses(ax, run, smooth, COLOURS[index % MANY], key)
    shown = np.concatenate([run.ravel() for run in runs.values()])
    if shown.size and shown.min() > 0 and shown.max() / shown.min() > 100:
        ax.set_yscale("log")
    ax.set_xlabel("training step")
    ax.set_ylabel(label(name, unit))
    ax.set_xlim(0, max(max(run.shape[1] for run in runs.values()) - 1, 1))
    if len(series) > 1:
        ax.legend(frameon=False)
    return ax


def tuning(
    settings: Any,
    responses: Any,
    second: Any = None,
    *,
    names: tuple[str, ...] | None = None,
    ax: Axes | None = None,
    title: str | None = "Tuning",
) -> Axes:
    """What a sweep found: `responses` of shape (settings,), or (settings, trials) with error bars.

    With a `second` setting they have the shape (settings, second settings) and become a map.
    `names` are those of the axes, the response last. Error bars are standard deviations. Returns
    the axes.

    >>> import brainunit as u, numpy as np
    >>> currents, rates = np.linspace(0, 2, 5) * u.nA, np.array([0, 0, 4, 9, 12]) * u.Hz
    >>> ax = tuning(currents, rates, names=("I", "rate"))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('I (nA)', 'rate (Hz)')
    """
    names = _names_of_axes(names, second)
    found, unit = plain(responses, "responses", *((1, 2) if second is None else (2,)))
    x, x_unit = along(settings, "settings", len(found), "rows of responses")
    ax = own_axes(ax, title)
    ax.set_xlabel(label(names[0], x_unit))
    if second is not None:
        y, y_unit = along(second, "second", found.shape[1], "columns of responses")
        colours, low, high = colour_limits(found)
        mesh = ax.pcolormesh(x, y, found.T, shading="nearest", cmap=colours, vmin=low, vmax=high)
        ax.set_ylabel(label(names[1], y_unit))
        ax.figure.colorbar(mesh, ax=ax, label=label(names[2], unit))
        return ax
    trials = found.reshape(len(found), -1)
    spread = trials.std(axis=1) if trials.shape[1] > 1 else None
    mean = trials.mean(axis=1)
    ax.errorbar(x, mean, spread, color=COLOURS[0], marker="o", markersize=4, capsize=3)
    ax.set_ylabel(label(names[1], unit))
    return ax


def _names_of_axes(names: tuple[str, ...] | None, second: Any) -> tuple[str, ...]:
    standard = ("setting", "response") if second is None else ("setting", "second", "response")
    if names is not None and len(names) != len(standard):
        raise ValueError(
            f"`names` must be those of {len(standard)} axes, such as {standard}; found {names!r}. "
            "[BST-A10]"
        )
    return names or standard


def _series(values: Any, name: str, argument: str) -> dict[str, Any]:
    series = dict(values) if isinstance(values, Mapping) else {name: values}
    if not series:
        raise ValueError(f"`{argument}` is empty; give an array, or a dict of arrays. [BST-A06]")
    return series


def _draw_lines(ax: Axes, x: np.ndarray, lines: dict[str, np.ndarray]) -> None:
    if len(lines) <= MANY:
        for colour, (key, y) in zip(COLOURS, lines.items(), strict=False):
            ax.plot(x, y, color=colour, linewidth=1.2, label=key)
        if len(lines) > 1:
            ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        return
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    colours = colormaps[AMOUNT]
    for index, y in enumerate(lines.values()):
        ax.plot(x, y, color=colours(0.95 * index / (len(lines) - 1)), linewidth=0.7)
    scale = ScalarMappable(Normalize(0, (len(lines) - 1) / 0.95), colours)
    bar = ax.figure.colorbar(scale, ax=ax, label="line")
    bar.ax.set_ylim(0, len(lines) - 1)


def _draw_losses(ax: Axes, runs: np.ndarray, smooth: int, colour: str, name: str) -> None:
    steps, mean = np.arange(runs.shape[1]), runs.mean(axis=0)
    if len(runs) > 1:
        low, high = np.percentile(runs, (10, 90), axis=0)
        ax.fill_between(steps, low, high, color=colour, alpha=0.2, linewidth=0)
    if smooth > 1:
        ax.plot(steps, mean, color=colour, alpha=0.3, linewidth=0.8)
        mean = _running_mean(mean, smooth)
    ax.plot(steps, mean, color=colour, linewidth=1.6, label=name)


def _running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """The mean of the last `window` values, of fewer at the start."""
    sums = np.cumsum(np.concatenate([[0.0], values]))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)
