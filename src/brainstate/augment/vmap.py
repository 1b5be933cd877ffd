"""`vmap`, `vmap_new_states` and `map`: one function for many lanes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from .._engine.options import decorator
from .._state import State, catch_new_states
from ..compile import for_loop
from ..compile.loops import check_loop
from ..typing import Filter
from ..util.filter import to_predicate
from .lanes import Axes, LaneCall, lane_axis_name


@decorator
def vmap(
    fn: Callable,
    *,
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_name: Any = None,
    axis_size: int | None = None,
    spmd_axis_name: Any = None,
    rngs: Any = None,
    in_states: Any = None,
    out_states: Any = None,
) -> Callable:
    """`jax.vmap` for functions that touch States.

    Arguments and results may be nodes, alone or in containers. An axis that meets a node holds for
    all its States, a `StateAxes` chooses by State, None shares them between the lanes; the nodes
    themselves are updated in place. New States leave along the axis of the node that they hang on,
    or axis 0. A closed-over State is shared, unless `in_states`/`out_states` give it an axis:
    States in any container (axis 0), or ``{axis: States}``. A lane that writes a shared State
    must write what all lanes write (BatchAxisError).

    Generators of random numbers differ between lanes, and what a lane does to one stays with it;
    `rngs` is accepted and not needed. Keyword arguments are mapped along axis 0.

    >>> import brainstate, jax.numpy as jnp
    >>> class Counter(brainstate.graph.Node):
    ...     def __init__(self):
    ...         self.count = brainstate.State(jnp.arange(3))
    >>> counter = Counter()
    >>> @brainstate.augment.vmap
    ... def add(counter, x):
    ...     counter.count.value += x
    >>> add(counter, jnp.ones(3, int))
    >>> counter.count.value
    Array([1, 2, 3], dtype=int32)
    """
    return _mapped(fn, Axes("vmap", in_axes, out_axes, in_states, out_states),
                   axis_name, axis_size, spmd_axis_name)  # fmt: skip


def _mapped(
    fn: Callable,
    axes: Axes,
    axis_name: Any,
    axis_size: int | None,
    spmd_axis_name: Any,
    axis_of_created: Callable[[State], int | None] | None = None,
) -> Callable:
    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        name = lane_axis_name(fn) if axis_name is None else axis_name
        call = LaneCall(fn, axes, args, kwargs, name, axis_size, axis_of_created)
        return call.run(call.vmapped(name, call.size, spmd_axis_name))

    return wrapper


@decorator
def vmap_new_states(
    fun: Callable,
    *,
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_name: Any = None,
    axis_size: int | None = None,
    spmd_axis_name: Any = None,
    state_tag: str | None = None,
    state_to_exclude: Filter = None,
    in_states: Any = None,
    out_states: Any = None,
) -> Callable:
    """`vmap` of a function that creates States: these come out with a leading axis of lanes.

    They get the tag `state_tag`. States that `state_to_exclude` matches must be alike in all lanes
    and stay without that axis.

    >>> import brainstate, jax.numpy as jnp
    >>> class Cell(brainstate.graph.Node):
    ...     def init(self):
    ...         self.h = brainstate.HiddenState(jnp.zeros(3))
    >>> cell = Cell()
    >>> brainstate.augment.vmap_new_states(cell.init, axis_size=4)()
    >>> cell.h.value.shape
    (4, 3)
    """
    excluded = to_predicate(state_to_exclude)

    @functools.wraps(fun)
    def tagging(*args: Any, **kwargs: Any) -> Any:
        with catch_new_states(state_tag, state_to_exclude):
            return fun(*args, **kwargs)

    axes = Axes("vmap_new_states", in_axes, out_axes, in_states, out_states)
    return _mapped(
        tagging, axes, axis_name, axis_size, spmd_axis_name,
        lambda state: None if excluded((), state) else 0,
    )  # fmt: skip


def map(f: Callable, *xs: Any, batch_size: int | None = None) -> Any:
    """Call `f` on each slice along the first axis, one after the other; stack the results.

    With `batch_size`, that many slices are done at once by `vmap`, and the rest after them.

    >>> import brainstate, jax.numpy as jnp
    >>> brainstate.augment.map(lambda x: x**2, jnp.arange(5), batch_size=2)
    Array([ 0,  1,  4,  9, 16], dtype=int32)
    """
    if batch_size is None:
        return for_loop(f, *xs)
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1; found {batch_size}. [BST-A02]")
    length = check_loop("map", f, xs, None)
    batches, rest = divmod(length, batch_size)
    split = batches * batch_size
    parts = []
    if batches:
        head = jax.tree.map(
            lambda x: jnp.reshape(x[:split], (batches, batch_size, *x.shape[1:])), xs
        )
        out = for_loop(vmap(f), *head)
        parts.append(jax.tree.map(lambda y: y.reshape(split, *y.shape[2:]), out))
    if rest:
        parts.append(vmap(f)(*jax.tree.map(lambda x: x[split:], xs)))
    return jax.tree.map(lambda *ys: jnp.concatenate(ys), *parts) if parts else for_loop(f, *xs)
