"""What `vmap` and `pmap` share: one body, seen from the States, run for many lanes at once.

`LaneCall` plans one call: which States go in along which axis, which come out along which. JAX's
part is a function of ``(mapped State values, args, kwargs)`` that returns ``(output, values leaving
along axis 0, values that all lanes share)``; `run` hands it to JAX and stores the results.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from .._engine.frames import Frame, commit, current_frame
from .._engine.hidden import hide, show
from .._engine.jax_api import current_trace, is_tracer, set_current_trace
from .._engine.journal import transaction
from .._engine.names import describe, function_name
from .._engine.observing import entering
from .._errors import BatchAxisError
from .._state import State
from .state_axes import Axis, axes_of_arrays, axes_of_states, declared_axes


class MapFrame(Frame):
    """The frame of one lane; generators of random numbers are split between the lanes."""

    def __init__(self, lane_axes: Any):
        super().__init__()
        self.lane_axes = lane_axes  # names of the mapped axes, as jax.lax.axis_index takes them
        self.left_outside: dict[State, Any] = {}

    def fetch(self, state: State) -> Any:
        value = self.outer_value(state)
        if not state.private_to_lanes:
            return value
        with set_current_trace(self.outer_trace):
            self.left_outside[state], value = state.split_for_lanes(value)
        with set_current_trace(self.trace):
            return state.enter_lane(value, self.lane_axes)


class Axes:
    """The options of a mapped function, validated."""

    def __init__(
        self, name: str, in_axes: Any, out_axes: Any, in_states: Any = None, out_states: Any = None
    ):
        if isinstance(in_axes, list):
            in_axes = tuple(in_axes)
        if not (in_axes is None or isinstance(in_axes, (int, tuple))):
            raise TypeError(
                f"in_axes of {name} must be an int, None, or a tuple with one entry for each "
                f"argument; found {in_axes!r}. Write in_axes=({in_axes!r},) for one argument. "
                "[BST-M06]"
            )
        self.name, self.in_axes, self.out_axes = name, in_axes, out_axes
        self.in_states = declared_axes(in_states, "in_states")
        self.out_states = declared_axes(out_states, "out_states")

    def of_arguments(self, args: tuple) -> tuple:
        if not isinstance(self.in_axes, tuple):
            return (self.in_axes,) * len(args)
        if len(self.in_axes) != len(args):
            raise ValueError(
                f"in_axes of {self.name} has {len(self.in_axes)} entries for {len(args)} "
                "positional arguments; give one for each. Keyword arguments are mapped on axis 0. "
                "[BST-M06]"
            )
        return self.in_axes


class LaneCall:
    """One call of a mapped function."""

    def __init__(
        self,
        fun: Callable,
        axes: Axes,
        args: tuple,
        kwargs: dict,
        lane_axes: Any,
        axis_size: int | None,
        axis_of_created: Callable[[State], Axis] | None = None,
    ):
        self.spreads_created = axis_of_created is not None  # whatever their node's axis is
        self.fun, self.axes, self.args, self.kwargs = fun, axes, args, kwargs
        self.axis_of_created = axis_of_created or (lambda state: 0)
        self.arg_axes = axes.of_arguments(args)
        found = axes_of_states((self.arg_axes, 0), (args, kwargs), "in_axes")
        for state, axis in axes.in_states.items():
            if found.setdefault(state, axis) != axis:
                raise ValueError(
                    f"{describe(state)} is given axis {found[state]} by in_axes and {axis} by "
                    "in_states; give one. [BST-M07]"
                )
        self.mapped = {state: axis for state, axis in found.items() if axis is not None}
        self.values = [state.value for state in self.mapped]
        self.size = self._common_size(axis_size)
        self.frame = MapFrame(lane_axes)
        self.leaving: dict[State, Axis] = {}
        self.shared: list[State] = []
        self.inputs = (self.values, hide(args), hide(kwargs))

    # ------------------------------------------------------------------ what JAX maps

    @property
    def in_axes(self) -> tuple:
        return list(self.mapped.values()), axes_of_arrays(self.arg_axes), 0

    @property
    def out_axes(self) -> tuple:
        return axes_of_arrays(self.axes.out_axes), 0, None

    def lane(self, values: list, args: tuple, kwargs: dict) -> tuple[Any, list, list]:
        """The body for one lane, as a pure function."""
        frame = self.frame
        with frame:
            frame.give(dict(zip(self.mapped, values, strict=True)))
            out = self.fun(*show(args), **show(kwargs))
            effects = frame.effects()
            self._plan(out, effects)
            batched = [frame.read(state) for state in self.leaving]
            shared = [state.leave_lanes(frame.values[state], frame) for state in self.shared]
            for state, value in zip(self.shared, shared, strict=True):
                self._refuse_batched(state, value)
        return hide(out), batched, shared

    def vmapped(self, axis_name: Any, axis_size: int, spmd_axis_name: Any = None) -> Callable:
        """`lane` for all lanes at once."""
        mapped = jax.vmap(
            self.lane, in_axes=self.in_axes, out_axes=self.out_axes, axis_name=axis_name,
            axis_size=axis_size, spmd_axis_name=spmd_axis_name,
        )  # fmt: skip

        def call(*inputs: Any) -> tuple:
            self.around_lanes = current_trace()
            return mapped(*inputs)

        return call

    def run(self, mapped: Callable[..., tuple[Any, list, list]]) -> Any:
        """Call the function that JAX made of `lane`, and store what it did."""
        name, size = self.axes.name, self.size
        with transaction(), entering(name, self.fun, lanes=size) as step:
            out, batched, shared = mapped(*self.inputs)
            if step is not None:
                step.axes_in, step.axes_out = dict(self.mapped), dict(self.leaving)
                step.split = set(self.frame.left_outside)
            leaving = zip(self.leaving.items(), batched, strict=True)
            values = [_move_axis(state, value, axis) for (state, axis), value in leaving]
            commit([*self.leaving, *self.shared], [*values, *shared], self.frame.created)
            outside = self.frame.left_outside
            commit(outside, outside.values())
        return show(out)

    # ------------------------------------------------------------------ who leaves how

    def _plan(self, out: Any, effects: list[State]) -> None:
        """Decide which States leave along which axis, and which are shared by all lanes."""
        returned = axes_of_states(self.axes.out_axes, out, "out_axes")
        arguments = axes_of_states((self.arg_axes, 0), (self.args, self.kwargs), "in_axes")
        created = self.frame.created
        for state in dict.fromkeys([*effects, *returned, *self.axes.out_states]):
            axis = self._axis_of(state, returned, arguments)
            if axis is not None:
                self.leaving[state] = axis
            elif state in created or (state in self.frame.written and not state.private_to_lanes):
                self.shared.append(state)

    def _axis_of(self, state: State, returned: dict, arguments: dict) -> Axis:
        """The axis along which a State leaves; None if it does not, or has one value for all."""
        if state in self.axes.out_states:
            return self.axes.out_states[state]
        if state in self.mapped:
            return self.mapped[state] if state in self.frame.written else None
        if self.spreads_created and state in self.frame.created:
            return self.axis_of_created(state)
        if state in returned:
            return returned[state]
        if state not in self.frame.created:
            return None
        return arguments[state] if state in arguments else self.axis_of_created(state)

    def _refuse_batched(self, state: State, value: Any) -> None:
        def refuse() -> None:
            raise BatchAxisError(
                f"{describe(state)} differs between the lanes of {self.axes.name}, but it is not "
                "mapped, so it can hold one value only. Declare its axis: out_states=..., a "
                "StateAxes for the node that owns it in in_axes or out_axes, or reduce the value "
                "over the lanes first (jax.lax.pmean(value, axis_name)). [BST-M01]"
            )

        for leaf in jax.tree.leaves(value):
            if is_tracer(leaf):
                watch_batching(leaf, self.around_lanes, refuse)

    # ------------------------------------------------------------------ sizes

    def _common_size(self, axis_size: int | None) -> int:
        sizes: dict[str, int] = {}
        for state, axis in self.mapped.items():
            for leaf in jax.tree.leaves(state.value):
                sizes[describe(state)] = _size_along(leaf, axis, describe(state))
        axes = axes_of_arrays(self.arg_axes)
        sizes.update(_argument_sizes("argument ", axes, self.args))
        sizes.update(_argument_sizes("keyword argument ", 0, self.kwargs))
        if axis_size is not None:
            sizes["axis_size"] = axis_size
        if not sizes:
            raise ValueError(
                f"{self.axes.name} of {function_name(self.fun)} has nothing to map over: no "
                "argument and no State has an axis. Give axis_size=..., or in_axes. [BST-M02]"
            )
        if len(set(sizes.values())) > 1:
            listing = ", ".join(f"{where}: {size}" for where, size in sizes.items())
            raise ValueError(
                f"{self.axes.name} of {function_name(self.fun)} needs one number of lanes; found "
                f"{listing}. Give in_axes None to what all lanes share. [BST-M05]"
            )
        return next(iter(sizes.values()))


def _argument_sizes(kind: str, axes: Any, args: Any) -> dict[str, int]:
    sizes: dict[str, int] = {}

    def note(axis: Axis, path: tuple, subtree: Any) -> None:
        if axis is not None:
            for inner, leaf in jax.tree_util.tree_leaves_with_path(hide(subtree)):
                where = kind + jax.tree_util.keystr((*path, *inner))
                sizes[where] = _size_along(leaf, axis, where)

    paths = jax.tree_util.tree_flatten_with_path(args, is_leaf=lambda x: x is not args)[0]
    for index, (path, subtree) in enumerate(paths):
        axis = axes[index] if isinstance(axes, tuple) else axes
        _walk_prefix(axis, path, subtree, note)
    return sizes


def _walk_prefix(axes: Any, path: tuple, subtree: Any, note: Callable) -> None:
    if axes is None or isinstance(axes, int):
        note(axes, path, subtree)
        return
    children = jax.tree_util.tree_flatten_with_path(subtree, is_leaf=lambda x: x is not subtree)[0]
    prefixes = jax.tree.flatten(axes, is_leaf=lambda x: x is not axes)[0]
    for prefix, (inner, child) in zip(prefixes, children, strict=False):
        _walk_prefix(prefix, (*path, *inner), child, note)


def _size_along(leaf: Any, axis: int, where: str) -> int:
    shape = jnp.shape(leaf)
    if not -len(shape) <= axis < len(shape):
        raise ValueError(
            f"Cannot map {where} along axis {axis}: its shape is {shape}. Give it axis None in "
            "in_axes or StateAxes to share it between the lanes. [BST-M03]"
        )
    return shape[axis]


def _move_axis(state: State, value: Any, axis: Axis) -> Any:
    """Put the lanes, which come out along axis 0, where they belong."""

    if not axis:
        return value

    def move(x: Any) -> Any:
        if not -x.ndim <= axis < x.ndim:
            raise ValueError(
                f"{describe(state)} is mapped along axis {axis}, but a lane wrote a value of shape "
                f"{x.shape[1:]}, which leaves no room for that axis. Map it along another axis, or "
                "write a value of the old rank. [BST-M04]"
            )
        return jnp.moveaxis(x, 0, axis)

    return jax.tree.map(move, value)


# ---------------------------------------------------------------------- names and batching


def lane_axis_name(fun: Callable) -> str:
    """A name for the axis of lanes, other than those of the enclosing maps."""
    return unused_axis_name(f"lanes of {function_name(fun)}")


def unused_axis_name(name: str) -> str:
    """This name, or one like it that no enclosing map has."""
    taken: set = set()
    frame = current_frame()
    while frame is not None:
        if isinstance(frame, MapFrame):
            axes = frame.lane_axes
            taken.update(axes if isinstance(axes, tuple) else (axes,))
        frame = frame.parent
    numbered = itertools.chain([name], (f"{name} {n}" for n in itertools.count(2)))
    return next(candidate for candidate in numbered if candidate not in taken)


def watch_batching(leaf: Any, outer_trace: Any, when_batched: Callable[[], None]) -> None:
    """Call `when_batched` if `leaf` differs between the lanes that run inside `outer_trace`."""
    watching = [(outer_trace, when_batched)]

    @jax.custom_batching.custom_vmap
    def witness(x: Any) -> Any:
        return x

    @witness.def_vmap
    def rule(axis_size: int, in_batched: list[bool], x: Any) -> tuple[Any, bool]:
        for trace, act in watching:
            if current_trace() is trace and in_batched[0]:
                act()
        return x, in_batched[0]

    witness(jax.lax.stop_gradient(leaf))
    watching.clear()  # an outer program may keep the rule, and must not keep tracers by it
