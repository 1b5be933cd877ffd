"""`pmap`: lanes spread over devices.

The lanes are cut into one block for each device; `shard_map` gives each device its block, which
runs as a `vmap`. Nothing crosses between devices unless the function asks for it.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from .._engine.names import function_name
from .._engine.options import decorator
from ..compile import jit
from ..compile.arguments import Arguments
from ..compile.eager import runs_eagerly
from .lanes import Axes, LaneCall, lane_axis_name, unused_axis_name
from .vmap import vmap


@decorator
def pmap(
    fn: Callable,
    axis_name: Any = None,
    *,
    in_axes: Any = 0,
    out_axes: Any = 0,
    static_broadcasted_argnums: int | Sequence[int] = (),
    devices: Sequence[Any] | None = None,
    backend: str | None = None,
    axis_size: int | None = None,
    donate_argnums: int | Sequence[int] = (),
    global_arg_shapes: Any = None,
    rngs: Any = None,
    in_states: Any = None,
    out_states: Any = None,
) -> Callable:
    """`vmap` whose lanes are spread over `devices` (default: all), and compiled.

    Nodes, `StateAxes`, new States and generators of random numbers behave as in `vmap`, and the
    results are those of `vmap`, for any number of devices. The number of lanes must be a multiple
    of the number of devices (ValueError); mapped values and States end up spread over them.

    >>> import brainstate, jax.numpy as jnp
    >>> lanes = jnp.arange(8.0)
    >>> brainstate.augment.pmap(lambda x: x * 2)(lanes).shape
    (8,)
    """
    if global_arg_shapes is not None:
        raise ValueError("global_arg_shapes is gone from JAX; leave it out. [BST-A12]")
    axes = Axes("pmap", in_axes, out_axes, in_states, out_states)

    static = frozenset(
        i for i in Arguments(fn, static_broadcasted_argnums).static if type(i) is int
    )

    @functools.wraps(fn)
    def spread(*args: Any, **kwargs: Any) -> Any:
        chosen = list(devices) if devices is not None else jax.devices(backend)
        body, own_axes, lanes = _close_over(fn, axes, static, args)
        if len(chosen) == 1 or runs_eagerly():  # eager operations do not see blocks of a mesh
            single = vmap(body, in_axes=own_axes.in_axes, out_axes=out_axes, axis_name=axis_name,
                          axis_size=axis_size, in_states=in_states,
                          out_states=out_states)  # fmt: skip
            return single(*lanes, **kwargs)
        return _spread(body, own_axes, axis_name, axis_size, chosen, lanes, kwargs)

    return jit(spread, static_argnums=static_broadcasted_argnums, donate_argnums=donate_argnums)


def _close_over(
    fn: Callable, axes: Axes, static: frozenset[int], args: tuple
) -> tuple[Callable, Axes, tuple]:
    """The function of the arguments that are not static, their axes, and these arguments."""
    if not static:
        return fn, axes, args
    mapped = [i for i in range(len(args)) if i not in static]

    @functools.wraps(fn)
    def body(*given: Any, **kwargs: Any) -> Any:
        full = dict(zip(mapped, given, strict=True))
        return fn(*[full.get(i, arg) for i, arg in enumerate(args)], **kwargs)

    own = copy.copy(axes)
    if isinstance(axes.in_axes, tuple):
        own.in_axes = tuple(axes.of_arguments(args)[i] for i in mapped)
    return body, own, tuple(args[i] for i in mapped)


def _spread(
    fn: Callable,
    axes: Axes,
    axis_name: Any,
    axis_size: int | None,
    devices: list,
    args: tuple,
    kwargs: dict,
) -> Any:
    lanes = lane_axis_name(fn) if axis_name is None else axis_name
    mesh_axis = unused_axis_name("devices")  # XLA takes plain names only
    mesh = Mesh(np.array(devices), (mesh_axis,), axis_types=(AxisType.Auto,))
    collective = axis_name is not None
    call = LaneCall(fn, axes, args, kwargs, lanes if collective else (mesh_axis, lanes), axis_size)
    block, rest = divmod(call.size, len(devices))
    if rest:
        name = function_name(fn)
        raise ValueError(
            f"pmap of {name} has {call.size} lanes for {len(devices)} devices; it needs a "
            f"multiple. Pass devices=jax.devices()[:n] with n a divisor of {call.size}. [BST-M09]"
        )
    mapped = call.vmapped(lanes, call.size if collective else block)
    specs = _specs(call.in_axes, call.inputs, mesh_axis)
    if collective:
        # Collectives by name must see all lanes: leave the cut to the partitioner.
        shardings = jax.tree.map(lambda spec: NamedSharding(mesh, spec), specs)
        return call.run(lambda *a: mapped(*jax.lax.with_sharding_constraint(a, shardings)))
    out_specs = jax.tree.map(
        lambda axis: _spec(axis, mesh_axis), call.out_axes, is_leaf=lambda x: x is None
    )
    return call.run(
        jax.shard_map(mapped, mesh=mesh, in_specs=specs, out_specs=out_specs, check_vma=False)
    )


def _specs(axes: Any, tree: Any, mesh_axis: str) -> Any:
    """A PartitionSpec for every leaf, from a prefix of axes."""

    def spread(axis: int | None, subtree: Any) -> Any:
        return jax.tree.map(lambda leaf: _spec(axis, mesh_axis, np.ndim(leaf)), subtree)

    return jax.tree.map(spread, axes, tree, is_leaf=lambda x: x is None)


def _spec(axis: int | None, mesh_axis: str, rank: int | None = None) -> PartitionSpec:
    if axis is None:
        return PartitionSpec()
    if axis < 0:
        if rank is None:
            raise ValueError(
                f"pmap needs non-negative out_axes; found {axis}. Count from the front. [BST-A02]"
            )
        axis += rank
    return PartitionSpec(*[None] * axis, mesh_axis)
