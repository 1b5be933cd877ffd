"""`Dynamics`: a module with States that evolve in time, and inputs from other modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ..._errors import BadKeyError
from ...init.sizes import needed_size
from ...mixin import ParamDescriber
from ...typing import ArrayLike, PyTree, Size
from ..module import Module
from ..networks.alike import alike
from ..networks.prefetch import OutputDelayAt, Prefetch, PrefetchDelayAt
from .arrival import Arrival
from .inputs import Waiting, listing, put, take
from .unit_arithmetic import add
from .update_markers import TAKES_INPUT, TAKES_NO_OUTPUT

_TABLES = ("_before_updates", "_after_updates", "_current_inputs", "_delta_inputs")


class Dynamics(Module):
    """Base of neurons and synapses: something that other modules drive, step by step.

    *Current* inputs are summed inside the differential equation, as functions of its variable;
    *delta* inputs are added to the variable after the step. A function among the inputs is called
    at each step; an array is used up by the next sum, so whatever gives it must run before
    `update`. A call runs the before-updates, `update`, and the after-updates.

    >>> import brainstate
    >>> cell = brainstate.nn.Dynamics(3)
    >>> cell.add_delta_input("kick", 0.5)
    >>> cell.sum_delta_inputs(1.0), cell.sum_delta_inputs(1.0)
    (1.5, 1.0)
    """

    def __init__(self, in_size: Size, name: str | None = None):
        super().__init__(name=name)
        self.in_size = self.out_size = needed_size(in_size, "in_size")
        # All there from the start: an attribute that appears during a step would recompile it.
        self._before_updates: dict[str, Callable] = {}
        self._after_updates: dict[str, Callable] = {}
        self._current_inputs: dict[str, Callable] = {}
        self._delta_inputs: dict[str, Callable] = {}
        self._given_outside: tuple[Waiting, ...] = ()
        self._aligned: tuple[tuple[ParamDescriber, Dynamics], ...] = ()

    @property
    def varshape(self) -> tuple[int, ...]:
        """The shape of the variables, without batch axes."""
        return self.in_size  # type: ignore[return-value]

    # ------------------------------------------------------------------ inputs

    @property
    def current_inputs(self) -> Mapping[str, Any]:
        """The current inputs waiting, by key."""
        return listing(self, "_current_inputs")

    @property
    def delta_inputs(self) -> Mapping[str, Any]:
        """The delta inputs waiting, by key."""
        inputs = listing(self, "_delta_inputs").items()
        return {key: x.sum() if isinstance(x, Arrival) else x for key, x in inputs}

    def add_current_input(
        self, key: str, inp: Callable | ArrayLike, label: str | None = None
    ) -> None:
        """Give an array or function that `sum_current_inputs` adds; ValueError for a taken key."""
        put(self, "_current_inputs", _labelled(key, label), inp)

    def add_delta_input(
        self, key: str, inp: Callable | ArrayLike, label: str | None = None
    ) -> None:
        """Give an array or function that `sum_delta_inputs` adds; ValueError for a taken key."""
        put(self, "_delta_inputs", _labelled(key, label), inp)

    def get_input(self, key: str) -> Any:
        """The input waiting under this key, its label included."""
        inputs = {**self.delta_inputs, **self.current_inputs}
        if key in inputs:
            return inputs[key]
        raise ValueError(f"No input {key!r} is waiting; found {list(inputs)}. [BST-A05]")

    def sum_current_inputs(
        self, init: Any, *args: Any, label: str | None = None, **kwargs: Any
    ) -> Any:
        """`init` plus the current inputs; functions are called with the other arguments.

        With a `label`, only the inputs that were given under it.
        """
        return _total(init, take(self, "_current_inputs", label, args, kwargs), "current")

    def sum_delta_inputs(
        self, init: Any, *args: Any, label: str | None = None, **kwargs: Any
    ) -> Any:
        """`init` plus the delta inputs; as `sum_current_inputs`."""
        return _total(init, take(self, "_delta_inputs", label, args, kwargs), "delta")

    # ------------------------------------------------------------------ hooks

    @property
    def before_updates(self) -> Mapping[str, Callable]:
        """What a call runs before `update`, by key."""
        return MappingProxyType(self._before_updates)

    @property
    def after_updates(self) -> Mapping[str, Callable]:
        """What a call runs after `update`, by key."""
        return MappingProxyType(self._after_updates)

    def add_before_update(self, key: str, fun: Callable) -> None:
        """Run `fun` before each update; KeyError if the key is taken."""
        _add_hook(self, "_before_updates", key, fun)

    def get_before_update(self, key: str) -> Callable:
        """The before-update of this key, else KeyError."""
        return _hook(self._before_updates, key)

    def has_before_update(self, key: str) -> bool:
        """Whether there is a before-update of this key."""
        return key in self._before_updates

    def add_after_update(self, key: str, fun: Callable) -> None:
        """Run `fun` on what each update returns; KeyError if the key is taken."""
        _add_hook(self, "_after_updates", key, fun)

    def get_after_update(self, key: str) -> Callable:
        """The after-update of this key, else KeyError."""
        return _hook(self._after_updates, key)

    def has_after_update(self, key: str) -> bool:
        """Whether there is an after-update of this key."""
        return key in self._after_updates

    _add_before_update, _add_after_update = add_before_update, add_after_update
    _get_before_update, _get_after_update = get_before_update, get_after_update
    _has_before_update, _has_after_update = has_before_update, has_after_update

    def align_pre(self, dyn: Dynamics | ParamDescriber) -> Dynamics:
        """Have `dyn` updated with what each update returns; a description is built once.

        >>> import brainstate
        >>> neuron, trace = brainstate.nn.LIF(3), brainstate.nn.LIF(3, name="trace")
        >>> neuron.align_pre(trace) is neuron.get_after_update("trace")
        True
        """
        if isinstance(dyn, ParamDescriber):
            for known, built in self._aligned:
                if alike(known, dyn):
                    return built
            built = self.align_pre(dyn())
            self._aligned = (*self._aligned, (dyn, built))
            return built
        self.add_after_update(_checked_dynamics(dyn).name or self._free_key(dyn), dyn)
        return dyn

    def _free_key(self, dyn: Dynamics) -> str:
        names = (f"{type(dyn).__name__}{i}" for i in range(len(self._after_updates) + 1))
        return next(name for name in names if name not in self._after_updates)

    # ------------------------------------------------------------------ what others read

    def prefetch(self, item: str) -> Prefetch:
        """An object whose call gives ``self.<item>``; ``.delay.at(time)`` gives past values."""
        return Prefetch(self, item)

    def prefetch_delay(
        self, item: str, time: ArrayLike | None = None, *indices: Any
    ) -> PrefetchDelayAt:
        """An object whose call gives the State ``self.<item>`` as it was `time` ago."""
        return PrefetchDelayAt(self, item, time, *indices)

    def output_delay(
        self, time: ArrayLike | None = None, *indices: Any, info: PyTree | None = None
    ) -> OutputDelayAt:
        """An object whose call gives what `update` returned `time` ago; `info` is like that."""
        return OutputDelayAt(self, time, *indices, info=info)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for fun in self._before_updates.values():
            if hasattr(fun, TAKES_INPUT):
                fun(*args, **kwargs)
            else:
                fun()
        out = super().__call__(*args, **kwargs)
        for fun in self._after_updates.values():
            if hasattr(fun, TAKES_NO_OUTPUT):
                fun()
            else:
                fun(out)
        return out

    def _pretty_name(self, name: str, value: Any) -> str | None:
        if name in _TABLES:
            return name[1:] if value else None
        return super()._pretty_name(name, value)


def _labelled(key: str, label: str | None) -> str:
    return key if label is None else f"{label} // {key}"


def _total(init: Any, values: list, kind: str) -> Any:
    for value in values:
        if isinstance(value, Arrival):
            init = value.added_to(init)
        else:
            init = add(init, value, f"a {kind} input")
    return init


def _add_hook(dyn: Dynamics, name: str, key: str, fun: Callable) -> None:
    table = getattr(dyn, name)
    if key in table:
        raise BadKeyError(f"{key!r} is taken; choose another key. [BST-A11]")
    setattr(dyn, name, {**table, key: fun})


def _hook(table: dict, key: str) -> Callable:
    if key not in table:
        raise BadKeyError(f"There is no update {key!r}; found {list(table)}. [BST-A05]")
    return table[key]


def _checked_dynamics(dyn: Any) -> Dynamics:
    if not isinstance(dyn, Dynamics):
        raise TypeError(
            f"align_pre takes a Dynamics or a description of one; found {dyn!r}. [BST-A01]"
        )
    return dyn
