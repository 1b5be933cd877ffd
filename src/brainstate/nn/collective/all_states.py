"""One call for all modules of a model: initialise, reset, save and load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from ..._engine.names import describe
from ..._state import ShortTermState, State
from ..._units import attach, is_quantity, number_in, split, unit_of
from ...augment import vmap, vmap_new_states
from ...graph import states
from ...typing import Filter
from .collective_calls import call_all_fns

T = TypeVar("T")


def init_all_states(target: T, *args: Any, exclude: Filter = None, **kwargs: Any) -> T:
    """Call `init_state` of every module in `target`, children before parents; returns `target`.

    Methods marked by `call_order` come last, in that order. Nodes that `exclude` matches are
    skipped. All get the same arguments, such as `batch_size`.

    >>> import brainstate
    >>> lif = brainstate.nn.init_all_states(brainstate.nn.LIF(3), batch_size=2)
    >>> lif.V.value.shape
    (2, 3)
    """
    call_all_fns(target, "init_state", args, kwargs, exclude)
    return target


def reset_all_states(target: T, *args: Any, exclude: Filter = None, **kwargs: Any) -> T:
    """Call `reset_state` of every module in `target`, in the order of `init_all_states`.

    >>> import brainstate
    >>> lif = brainstate.nn.init_all_states(brainstate.nn.LIF(3))
    >>> brainstate.nn.reset_all_states(lif) is lif
    True
    """
    call_all_fns(target, "reset_state", args, kwargs, exclude)
    return target


def vmap_init_all_states(
    target: T,
    *args: Any,
    axis_size: int,
    state_tag: str | None = None,
    node_to_exclude: Filter = None,
    state_to_exclude: Filter = None,
    **kwargs: Any,
) -> T:
    """`init_all_states` once for each of `axis_size` lanes; new States have a leading lane axis.

    They get the tag `state_tag`. States that `state_to_exclude` matches stay without that axis.

    >>> import brainstate
    >>> lif = brainstate.nn.vmap_init_all_states(brainstate.nn.LIF(3), axis_size=2)
    >>> lif.V.value.shape
    (2, 3)
    """

    def init() -> None:
        call_all_fns(target, "init_state", args, kwargs, node_to_exclude)

    vmap_new_states(
        init, axis_size=axis_size, state_tag=state_tag, state_to_exclude=state_to_exclude
    )()
    return target


def vmap_reset_all_states(
    target: T,
    *args: Any,
    axis_size: int,
    state_tag: str | None = None,
    node_to_exclude: Filter = None,
    **kwargs: Any,
) -> T:
    """`reset_all_states` once for each lane of States made by `vmap_init_all_states`.

    States with the tag `state_tag` have the lane axis; without a tag, all `ShortTermState`s.

    >>> import brainstate
    >>> lif = brainstate.nn.vmap_init_all_states(brainstate.nn.LIF(3), axis_size=2)
    >>> brainstate.nn.vmap_reset_all_states(lif, axis_size=2).V.value.shape
    (2, 3)
    """
    batched = states(target, ShortTermState if state_tag is None else state_tag)

    def reset() -> None:
        call_all_fns(target, "reset_state", args, kwargs, node_to_exclude)

    vmap(reset, in_states=batched, out_states=batched, axis_size=axis_size)()
    return target


def save_all_states(target: Any) -> dict[tuple, Any]:
    """The value of every State in `target`, by path.

    >>> import brainstate
    >>> list(brainstate.nn.save_all_states(brainstate.nn.Linear(2, 3)))
    [('weight',)]
    """
    return {path: state.value for path, state in states(target).items()}


class StateLoadResult(NamedTuple):
    """Paths of States for which no value was given, and of values for which there is no State."""

    missing_keys: list[tuple]
    unexpected_keys: list[tuple]


def load_all_states(target: Any, state_dict: Mapping) -> StateLoadResult:
    """Write values, as `save_all_states` gives them, into the States of the same paths.

    >>> import brainstate
    >>> a, b = brainstate.nn.Linear(2, 3), brainstate.nn.Linear(2, 3)
    >>> brainstate.nn.load_all_states(b, brainstate.nn.save_all_states(a))
    StateLoadResult(missing_keys=[], unexpected_keys=[])
    """
    unexpected, missing = assign_state_values(target, state_dict)
    return StateLoadResult(missing, unexpected)


def assign_state_values(target: Any, *state_by_abs_path: Mapping) -> tuple[list, list]:
    """Write values into States by path; returns ``(unexpected paths, missing paths)``.

    Of several mappings, later ones win. A value must have the structure and the shapes of the
    State's own (ValueError, and nothing is written); it is converted to its types and units.
    """
    values = {path: value for mapping in state_by_abs_path for path, value in mapping.items()}
    found = states(target)
    fitted = {p: _fitted(s, values[p]) for p, s in found.items() if p in values}
    for path, value in fitted.items():
        found[path].value = value
    return [p for p in values if p not in found], [p for p in found if p not in values]


def _fitted(state: State, value: Any) -> Any:
    now = state.value
    expected = jax.tree.structure(now, is_leaf=is_quantity)
    found = jax.tree.structure(value, is_leaf=is_quantity)
    if found != expected:
        raise ValueError(
            f"{describe(state)} holds a value like {expected}; the value to load is like {found}. "
            "Load into a model that is built as the saved one. [BST-N06]"
        )
    return jax.tree.map(lambda a, b: _fitted_leaf(state, a, b), now, value, is_leaf=is_quantity)


def _fitted_leaf(state: State, now: Any, value: Any) -> Any:
    unit = unit_of(now)
    old, new = split(now)[0], number_in(value, unit, describe(state))
    if jnp.shape(old) != jnp.shape(new):
        raise ValueError(
            f"{describe(state)} has shape {jnp.shape(old)}; the value to load has "
            f"{jnp.shape(new)}. [BST-N06]"
        )
    return attach(jnp.asarray(new, getattr(old, "dtype", None)), unit)
