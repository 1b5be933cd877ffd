"""Spikes as dots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .axes import COLOURS, along, own_axes, plain, show_time

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def raster(
    spikes: Any,
    times: Any = None,
    *,
    groups: Mapping[str, int] | None = None,
    ax: Axes | None = None,
    title: str | None = "Spikes",
) -> Axes:
    """A dot for each spike: `spikes` has the shape (steps, neurons) and is not 0 where one is.

    `times`, with or without a unit, has an element for each step. `groups` gives names to neurons
    in a row, as in ``{"E": 3200, "I": 800}``, and each a colour. Returns the axes.

    >>> import brainunit as u, numpy as np
    >>> spikes = np.random.default_rng(0).random((100, 20)) < 0.02
    >>> raster(spikes, np.arange(100) * 0.1 * u.ms).get_xlabel()
    'time (ms)'
    """
    fired, _ = plain(spikes, "spikes", 2)
    moments, unit = along(times, "times", len(fired), "steps of spikes")
    edges = _edges(groups or {"": fired.shape[1]}, fired.shape[1])
    ax = own_axes(ax, title)
    steps, neurons = np.nonzero(fired)
    size = float(np.clip(900 / max(fired.shape[1], 1), 0.5, 12))
    for index, (name, (start, end)) in enumerate(edges.items()):
        chosen = (start <= neurons) & (neurons < end)
        ax.scatter(
            moments[steps[chosen]], neurons[chosen], s=size, marker="o", linewidths=0,
            color=COLOURS[index % len(COLOURS)], label=name or None, rasterized=True,
        )  # fmt: skip
    ax.set_ylabel("neuron")
    ax.set_ylim(-0.5, max(fired.shape[1], 1) - 0.5)
    show_time(ax, moments, unit)
    if groups:
        # beside the spikes, not over them; the neuron with the highest number is at the top
        handles, names = ax.get_legend_handles_labels()
        ax.legend(
            handles[::-1], names[::-1], loc="center left", bbox_to_anchor=(1, 0.5),
            frameon=False, markerscale=float(np.sqrt(36 / size)),
        )  # fmt: skip
    return ax


def _edges(groups: Mapping[str, int], count: int) -> dict[str, tuple[int, int]]:
    ends = np.cumsum([*groups.values()])
    if ends[-1] != count:
        raise ValueError(
            f"`groups` must add up to the {count} neurons of `spikes`; found {ends[-1]}. [BST-A10]"
        )
    starts = [0, *ends[:-1]]
    return {name: (int(a), int(b)) for name, a, b in zip(groups, starts, ends, strict=True)}
