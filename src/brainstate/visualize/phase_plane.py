"""The phase plane of a neuron, from the neuron itself: no equation is written again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .. import environ
from .._engine.names import describe
from .._state import State
from .._units import attach, number_in, split, unit_of
from ..augment import jvp
from ..compile import for_loop
from ..nn import Neuron
from ..nn.dynamics.standard_parameters import standard_value
from ..nn.neurons.neuron import ThresholdNeuron
from .axes import COLOURS, label, own_axes, plain_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GRID = 161
_MOMENT = 1e-6  # a step so short that the field is its derivative; not 0, for some divide by it
_MARGIN = 0.15  # of a range that is left out, around the trajectory


class Plane(NamedTuple):
    """The two variables of a neuron that are looked at."""

    neuron: Neuron
    names: tuple[str, str]

    @property
    def states(self) -> tuple[State, State]:
        return tuple(getattr(self.neuron, name) for name in self.names)

    @property
    def units(self) -> tuple[Any, Any]:
        return tuple(unit_of(state.value) for state in self.states)  # type: ignore[return-value]

    def numbers(self) -> tuple[jax.Array, jax.Array]:
        """The present values in the first neuron of each row of the batch."""
        rank = len(self.neuron.varshape)
        first = (..., *(0,) * rank)
        return tuple(jnp.asarray(split(s.value)[0])[first] for s in self.states)  # type: ignore[return-value]


def phase_plane(
    neuron: Neuron,
    current: Any = None,
    *,
    x: str = "V",
    y: str | None = None,
    x_range: Any = None,
    y_range: Any = None,
    duration: Any = None,
    dt: Any = None,
    ax: Axes | None = None,
    title: str | None = "Phase plane",
) -> Axes:
    """Vector field and nullclines of two variables of a neuron, and its way through them.

    The field is the derivative of one `update` of the neuron by the length of its step, under a
    constant `current`; so any neuron that integrates its States will do. Other States are held at
    their present values, in the first neuron of several. `y` is the first other variable unless
    told. The field is blank where the neuron spikes. With a `duration`, the way of the neuron from
    its present States is drawn, in steps of `dt` (that of `environ`); ranges that are left out
    follow from it. The neuron has its States back afterwards. Returns the axes.

    >>> import brainstate, brainunit as u
    >>> neuron = brainstate.nn.init_all_states(brainstate.nn.Izhikevich(1))
    >>> ax = phase_plane(neuron, 10.0 * u.mA, duration=50.0 * u.ms, dt=0.1 * u.ms)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('V (mV)', 'u (mV)')
    """
    plane = _plane(neuron, x, y)
    way = None if duration is None else _way(plane, current, duration, dt)
    xs = _spaced(x, x_range, plane.units[0], None if way is None else way[0])
    ys = _spaced(plane.names[1], y_range, plane.units[1], None if way is None else way[1])
    dx, dy = _field(plane, current, xs, ys)
    ax = own_axes(ax, title)
    ax.streamplot(xs, ys, dx, dy, color="0.75", linewidth=0.7, arrowsize=0.8, density=1.1)
    for rates, colour, name in zip((dx, dy), COLOURS, plane.names, strict=False):
        _nullcline(ax, xs, ys, rates, colour, f"d{name}/dt = 0")
    if way is not None:
        ax.plot(*way, color="black", linewidth=1.2, label="trajectory")
        ax.plot(way[0][0], way[1][0], "o", color="black", markersize=5)
    ax.set(xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]))
    ax.set(xlabel=label(x, plane.units[0]), ylabel=label(plane.names[1], plane.units[1]))
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return ax


def _plane(neuron: Any, x: str, y: str | None) -> Plane:
    if not isinstance(neuron, Neuron):
        raise TypeError(f"phase_plane draws a neuron of brainstate.nn; found {neuron!r}. [BST-A01]")
    names = list(neuron.variables())
    if y is None:
        y = next((name for name in names if name not in (x, "V_before")), None)
    for name in (x, y):
        if name not in names:
            raise ValueError(
                f"phase_plane needs two variables of {describe(neuron)}; it has {names}, and "
                f"not {name!r}. [BST-A05]"
            )
    for name in names:
        if not isinstance(getattr(neuron, name, None), State):
            raise ValueError(
                f"{describe(neuron)} has no States yet. Call brainstate.nn.init_all_states(neuron) "
                "first. [BST-N01]"
            )
    return Plane(neuron, (x, str(y)))


@contextlib.contextmanager
def _unchanged(neuron: Neuron) -> Iterator[None]:
    before = {state: state.value for state in neuron.states().values()}
    try:
        yield
    finally:
        for state, value in before.items():
            state.value = value


def _time_unit(plane: Plane, dt: Any = None) -> Any:
    """The unit of time: that of `dt`, or milliseconds for a neuron with units."""
    dt = environ.get("dt", None) if dt is None else dt
    if dt is not None:
        return unit_of(dt)
    return None if plane.units[0] is None else standard_value(1.0, "ms").unit


def _field(plane: Plane, current: Any, xs: np.ndarray, ys: np.ndarray) -> tuple[Any, Any]:
    """The derivatives by time of both variables at each point, in rows of equal `ys`."""
    neuron, unit = plane.neuron, _time_unit(plane)
    points = tuple(axis.ravel() for axis in np.meshgrid(xs, ys))

    def step(dt: Any) -> tuple:
        with environ.context(dt=attach(dt, unit), t=environ.get("t", attach(0.0, unit))):
            neuron.update(current)
        return plane.numbers()

    with _unchanged(neuron):
        rank = len(neuron.varshape)
        for name in neuron.variables():
            state = getattr(neuron, name)
            number, own = split(state.value)
            number = jnp.asarray(number)
            one = number[(0,) * (number.ndim - rank)]  # of a batch
            state.value = attach(jnp.broadcast_to(one, (len(points[0]), *one.shape)), own)
        for state, own, point in zip(plane.states, plane.units, points, strict=True):
            like = jnp.asarray(split(state.value)[0])
            column = jnp.asarray(point, like.dtype).reshape(-1, *(1,) * rank)
            state.value = attach(jnp.broadcast_to(column, like.shape), own)
        if "V_before" in neuron.variables():
            neuron.V_before.value = neuron.V.value  # no spike was between two equal potentials
        spikes = np.asarray(neuron.get_spike()).reshape(len(points[0]), -1)[:, 0] > 0
        _, rates = jvp(step, (jnp.asarray(_MOMENT),), (jnp.ones(()),))
    shape = len(ys), len(xs)
    dx, dy = (np.where(spikes, np.nan, np.asarray(rate)).reshape(shape) for rate in rates)
    return dx, dy


def _way(plane: Plane, current: Any, duration: Any, dt: Any) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of both variables in each step, with gaps where the neuron is reset."""
    dt = environ.get_dt() if dt is None else dt
    length, unit = split(dt)
    steps = round(float(number_in(duration, unit, "duration")) / float(length))
    if steps < 1:
        raise ValueError(f"`duration` {duration} is shorter than a step of {dt}. [BST-A02]")

    def step(i: jax.Array) -> tuple:
        with environ.context(dt=dt, t=attach(i * length, unit)):
            spike = plane.neuron.update(current)
        return (*plane.numbers(), jnp.ravel(spike)[0] > 0)

    with _unchanged(plane.neuron):
        start = plane.numbers()
        *ways, spikes = for_loop(step, jnp.arange(steps))
    resets = isinstance(plane.neuron, ThresholdNeuron)
    gaps = np.flatnonzero(np.asarray(spikes) & resets) + 2  # the start is in front
    whole = [
        np.append(np.ravel(a)[:1], np.asarray(b).reshape(steps, -1)[:, 0])
        for a, b in zip(start, ways, strict=True)
    ]
    x, y = (np.insert(np.asarray(one, float), gaps[gaps <= steps], np.nan) for one in whole)
    return x, y


def _spaced(name: str, ends: Any, unit: Any, way: np.ndarray | None) -> np.ndarray:
    """Equal steps over a range, or over that of the trajectory and a margin."""
    if ends is not None:
        low, high = (float(plain_in(end, unit, f"{name}_range")) for end in (ends[0], ends[1]))
    elif way is not None:
        low, high = float(np.nanmin(way)), float(np.nanmax(way))
        low, high = low - _MARGIN * (high - low), high + _MARGIN * (high - low)
    else:
        raise ValueError(
            f"phase_plane needs the range of {name}: give its lowest and highest value, as in "
            f"x_range=(-80, -40) * u.mV, or a `duration` to follow the neuron for. [BST-A06]"
        )
    if not low < high:
        raise ValueError(f"The range of {name} from {low:g} to {high:g} is empty. [BST-A02]")
    return np.linspace(low, high, _GRID)


def _nullcline(
    ax: Axes, xs: np.ndarray, ys: np.ndarray, rates: np.ndarray, colour: str, text: str
) -> None:
    if np.any(rates < 0) and np.any(rates > 0):  # else it does not pass here
        ax.contour(xs, ys, rates, levels=[0.0], colors=[colour], linewidths=1.8)
        ax.plot([], [], color=colour, linewidth=1.8, label=text)
