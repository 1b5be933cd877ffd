"""Weights and connections as maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from .._state import State
from .axes import AMOUNT, COLOURS, colour_limits, label, own_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CELLS = 400  # a map has as many rows and columns at most
_COARSE = 100  # as many where synapses are counted
_DOTS = 4000  # synapses that are drawn one by one


def weights(
    source: Any,
    *,
    name: str = "weight",
    ax: Axes | None = None,
    title: str | None = "Weights",
) -> Axes:
    """A matrix of weights in colours: rows are targets, columns sources; zero is white if signed.

    `source` is a matrix ``(pre, post)``, with or without a unit, a State of one, a connection of
    `brainstate.event`, or a layer that holds one of these as `connection` or `weight`. Absent
    synapses are left blank. Matrices of more than 400 rows are averaged. Returns the axes.

    >>> import brainunit as u, numpy as np
    >>> ax = weights(np.ones((3, 2)) * u.nS)
    >>> ax.get_xlabel(), ax.get_ylabel(), ax.figure.axes[1].get_ylabel()
    ('neuron before', 'neuron behind', 'weight (nS)')
    """
    synapses = _found(source)
    if _is_connection(synapses):
        pre, post, strength, unit = _synapses(synapses)
        total, count = _binned(synapses.shape, pre, post, strength)
        one_each = max(synapses.shape) <= _CELLS
        shown = np.where(count > 0, total if one_each else total / np.maximum(count, 1), np.nan)
        shape = synapses.shape
    else:
        matrix, unit = plain(synapses, "source", 2)
        shape = matrix.shape
        pre, post = np.indices(shape).reshape(2, -1)
        total, count = _binned(shape, pre, post, matrix.ravel())
        shown = total / np.maximum(count, 1)
    ax = own_axes(ax, title)
    colours, low, high = colour_limits(shown)
    return _map(ax, shown, shape, colours, low, high, label(name, unit))


def connectivity(
    source: Any,
    *,
    ax: Axes | None = None,
    title: str | None = "Connectivity",
) -> Axes:
    """Where synapses are: a dot for each of few, or the number of synapses for each pair of many.

    `source` is as in `weights`; a matrix has synapses where it is not 0. Returns the axes.

    >>> import brainstate
    >>> layer = brainstate.event.FixedProb(100, 50, prob=0.1, weight=0.6, seed=0)
    >>> connectivity(layer).get_title()
    'Connectivity: 500 synapses, 10 % of pairs'
    """
    synapses = _found(source)
    if _is_connection(synapses):
        pre, post, _, _ = _synapses(synapses)
        shape = synapses.shape
    else:
        matrix = plain(synapses, "source", 2)[0]
        shape, (pre, post) = matrix.shape, np.nonzero(matrix)
    share = 100 * len(pre) / max(shape[0] * shape[1], 1)
    if title == "Connectivity":
        title = f"Connectivity: {len(pre):,} synapses, {share:.3g} % of pairs"
    ax = own_axes(ax, title)
    if len(pre) > _DOTS:
        total, _ = _binned(shape, pre, post, np.ones(len(pre)), _COARSE)
        cells = np.outer(*(np.diff(_edges(n, _COARSE)) for n in shape))
        return _map(ax, total / cells, shape, AMOUNT, 0, None, "synapses for each pair")
    size = float(np.clip(20000 / max(shape) ** 1.5, 0.5, 30))
    ax.scatter(pre, post, s=size, marker="s", linewidths=0, color=COLOURS[0], rasterized=True)
    return _frame(ax, shape)


def _found(source: Any) -> Any:
    """The matrix or connection in a State or layer."""
    for name in ("connection", "weight"):
        if not isinstance(source, State) and not _is_connection(source):
            source = getattr(source, name, source)
    value = source.value if isinstance(source, State) else source
    if isinstance(value, dict):  # the parameters of a dense layer
        value = value.get("weight", value)
    return value


def _is_connection(source: Any) -> bool:
    return hasattr(source, "spread") and hasattr(source, "shape")


def _synapses(connection: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, Any]:
    """(sources, targets, weights, unit), with an element for each synapse."""
    ends = connection.spread(*(jnp.arange(n) for n in connection.shape))
    strength, unit = plain(connection.weight, "weight")
    pre, post, strength = np.broadcast_arrays(*map(np.asarray, ends), strength)
    return pre.ravel(), post.ravel(), strength.ravel(), unit


def _edges(count: int, most: int) -> np.ndarray:
    """Where the cells of a map begin and end, in neurons."""
    return np.linspace(0, count, min(count, most) + 1).round()


def _binned(
    shape: tuple[int, int],
    pre: np.ndarray,
    post: np.ndarray,
    strength: np.ndarray,
    most: int = _CELLS,
) -> tuple[np.ndarray, np.ndarray]:
    """(sum of weights, number of synapses) in each cell of the map."""
    edges = [_edges(count, most) for count in shape]
    cells = [
        np.searchsorted(e, i, side="right") - 1 for e, i in zip(edges, (pre, post), strict=True)
    ]
    size = tuple(len(e) - 1 for e in edges)
    flat = np.ravel_multi_index(cells, size)
    total = np.bincount(flat, strength.astype(float), minlength=size[0] * size[1])
    count = np.bincount(flat, minlength=size[0] * size[1])
    return total.reshape(size), count.reshape(size)


def _map(
    ax: Axes, cells: np.ndarray, shape: tuple[int, int],
    colours: str, low: float, high: float | None, text: str,
) -> Axes:  # fmt: skip
    image = ax.imshow(
        cells.T, cmap=colours, vmin=low, vmax=high, origin="lower", interpolation="nearest",
        aspect="auto", extent=(-0.5, shape[0] - 0.5, -0.5, shape[1] - 0.5),
    )  # fmt: skip
    ax.figure.colorbar(image, ax=ax, label=text)
    return _frame(ax, shape)


def _frame(ax: Axes, shape: tuple[int, int]) -> Axes:
    from matplotlib.ticker import MaxNLocator

    ax.set(xlabel="neuron before", ylabel="neuron behind")
    ax.set(xlim=(-0.5, shape[0] - 0.5), ylim=(-0.5, shape[1] - 0.5))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    return ax
