"""One method of all modules of a model, called in order, or once for each lane."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ..._state import ShortTermState
from ...augment import vmap_new_states
from ...graph import nodes, states
from ...typing import Filter
from ...util.filter import to_predicate
from ..module import Module

T = TypeVar("T")


def call_all_fns(
    target: T,
    fn_name: str,
    args: tuple = (),
    kwargs: Mapping[str, Any] | None = None,
    node_to_exclude: Filter = None,
    fn_if_not_exist: str = "raise",
) -> T:
    """Call the method `fn_name` of every module in `target`, with the same arguments.

    Children come before parents, and methods marked by `call_order` after all others, in that
    order. Nodes that `node_to_exclude` matches are skipped. A module without the method raises
    AttributeError before any is called, unless `fn_if_not_exist` is ``"pass"``.

    >>> import brainstate
    >>> class Named(brainstate.nn.Module):
    ...     def greet(self, word):
    ...         print(word, self.name)
    >>> _ = brainstate.nn.call_all_fns(Named("cell"), "greet", ("hello",))
    hello cell
    """
    if fn_if_not_exist not in ("raise", "pass"):
        raise ValueError(
            f"`fn_if_not_exist` is 'raise' or 'pass'; found {fn_if_not_exist!r}. [BST-A03]"
        )
    excluded = to_predicate(node_to_exclude)
    found = nodes(target, Module)
    callers = [path for path, node in found.items() if fn_name in _called_on_parts(node)]
    methods = []
    for path, node in found.items():
        if excluded(path, node) or any(_is_part(path, caller) for caller in callers):
            continue
        if hasattr(node, fn_name):
            methods.append(getattr(node, fn_name))
        elif fn_if_not_exist == "raise":
            raise AttributeError(
                f"{type(node).__name__} at {path} has no method `{fn_name}`; exclude it by "
                "`node_to_exclude`, or skip such modules by fn_if_not_exist='pass'. [BST-N05]"
            )
    for method in sorted(methods, key=_order):
        method(*args, **(kwargs or {}))
    return target


def vmap_call_all_fns(
    target: T,
    fn_name: str,
    args: tuple = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    axis_size: int,
    node_to_exclude: Filter = None,
    state_tag: str | None = None,
    fn_if_not_exist: str = "raise",
) -> T:
    """`call_all_fns` once for each of `axis_size` lanes, in which the arguments are the same.

    The States of the lanes have a leading axis: new ones, which get the tag `state_tag`, and of
    those that exist, the ones with that tag; without a tag, all `ShortTermState`s.

    >>> import brainstate
    >>> lif = brainstate.nn.vmap_init_all_states(brainstate.nn.LIF(3), axis_size=2)
    >>> lif = brainstate.nn.vmap_call_all_fns(lif, "reset_state", axis_size=2)
    >>> lif.V.value.shape
    (2, 3)
    """
    lanes = states(target, ShortTermState if state_tag is None else state_tag)

    def call() -> None:
        call_all_fns(target, fn_name, args, kwargs, node_to_exclude, fn_if_not_exist)

    vmap_new_states(
        call, axis_size=axis_size, state_tag=state_tag, in_states=lanes, out_states=lanes
    )()
    return target


def _called_on_parts(node: Any) -> tuple[str, ...]:
    """Methods that a module calls on its parts by itself, as `Map` does once for each lane."""
    return getattr(node, "called_on_parts", ())


def _is_part(path: tuple, whole: tuple) -> bool:
    return len(path) > len(whole) and path[: len(whole)] == whole


def _order(method: Callable) -> float:
    return getattr(method, "call_order", -math.inf)
