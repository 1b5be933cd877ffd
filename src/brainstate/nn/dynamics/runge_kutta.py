"""Explicit Runge-Kutta integration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from ... import environ
from ..._units import attach, is_quantity, number_in, split
from .exp_euler import checked_real, named_for, per_time


def rk2_step(fn: Callable, x: Any, *args: Any, **kwargs: Any) -> Any:
    """One step of length `dt` by the method of Heun, of second order.

    ``rk2_step(drift, x, *args, **kwargs)`` steps `x`, an array or a pytree of variables, by
    ``drift(x, *args, **kwargs)``, its derivative, in the unit of `x` per unit of `dt`. A time that
    the drift depends on belongs to `x`, with the derivative 1. Current inputs are summed before the
    step, since the drift is called more than once.

    K. Heun (1900), Zeitschrift für Mathematik und Physik 45, 23-38.

    >>> import brainstate
    >>> with brainstate.environ.context(dt=0.1):
    ...     x = brainstate.nn.rk2_step(lambda x: -x, 1.0)
    >>> round(float(x), 6)
    0.905
    """
    return _step("rk2_step", (0.0, 1.0), (1 / 2, 1 / 2), fn, x, args, kwargs)


def rk4_step(fn: Callable, x: Any, *args: Any, **kwargs: Any) -> Any:
    """One step of length `dt` by the classical method of fourth order; called as `rk2_step` is.

    W. Kutta (1901), Zeitschrift für Mathematik und Physik 46, 435-453.

    >>> import brainstate
    >>> with brainstate.environ.context(dt=0.1):
    ...     x = brainstate.nn.rk4_step(lambda x: {"p": -x["q"], "q": x["p"]}, {"p": 1.0, "q": 0.0})
    >>> round(float(x["p"]), 6), round(float(x["q"]), 6)
    (0.995004, 0.099833)
    """
    weights = 1 / 6, 1 / 3, 1 / 3, 1 / 6
    return _step("rk4_step", (0.0, 0.5, 0.5, 1.0), weights, fn, x, args, kwargs)


def _step(
    name: str, nodes: tuple, weights: tuple, fn: Callable, x: Any, args: tuple, kwargs: dict
) -> Any:
    """A step whose stages are each reached along the slope of the stage before."""
    if callable(x):
        raise TypeError(f"{name}(drift, x, ...) takes no diffusion; exp_euler_step does. [BST-A01]")
    leaves, tree = jax.tree.flatten(x, is_leaf=is_quantity)
    dt, dt_unit = split(environ.get_dt())
    units = [split(leaf)[1] for leaf in leaves]
    start = [checked_real(split(leaf)[0], name) for leaf in leaves]

    def slopes(numbers: list) -> list:
        out = fn(tree.unflatten(map(attach, numbers, units)), *args, **kwargs)
        found, found_tree = jax.tree.flatten(out, is_leaf=is_quantity)
        if found_tree != tree:
            raise TypeError(
                f"The drift of {name} must give one derivative for each variable, as {tree}; found "
                f"{found_tree}. [BST-A10]"
            )
        rates = (per_time(unit, dt_unit) for unit in units)
        drift = named_for("drift", dt_unit)
        return [number_in(d, rate, drift) for d, rate in zip(found, rates, strict=True)]

    stages = [slopes(start)]
    for node in nodes[1:]:
        along = zip(start, stages[-1], strict=True)
        stages.append(slopes([(n + node * dt * k).astype(n.dtype) for n, k in along]))
    means = (
        sum(w * k for w, k in zip(weights, ks, strict=True)) for ks in zip(*stages, strict=True)
    )
    new = [(n + dt * k).astype(n.dtype) for n, k in zip(start, means, strict=True)]
    return tree.unflatten(map(attach, new, units))
