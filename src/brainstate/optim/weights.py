"""The weights that an optimizer was given, and how gradients find them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from .._engine.names import describe
from .._state import State, StateDictManager
from ..augment.derivative_units import strip
from ..graph import Node
from ..typing import PyTree
from .optim_state import OptimState


class RegisteredWeights:
    """Weights by key, each State once, under the first key it was given.

    Walks over a graph of nodes do not look inside: the weights belong to the model, and an
    optimizer that listed them too would rename them in whatever holds both. And no compiled
    function needs to compare what is in here: new weights come in a new object.
    """

    def __init__(self, owner: Any, inherited: Iterable[Hashable] = ()):
        self.owner = owner
        self.inherited = frozenset(inherited)
        self.states: StateDictManager = StateDictManager()
        self.aliases: dict[Hashable, Hashable] = {}
        self.groups: dict[Hashable, int] = {}
        self.slots: dict[Hashable, tuple[State, ...]] = {}

    def joined(self, weights: Any) -> tuple[RegisteredWeights, list]:
        """These weights and more, and the keys that are new or stand for another State now."""
        new = RegisteredWeights(self.owner, self.inherited)
        new.states.update(self.states)
        new.aliases.update(self.aliases)
        added = [key for key, state in _checked(weights).items() if new._add(key, state)]
        new.inherited -= set(added)
        return new, [key for key in added if key not in self.inherited]

    def _add(self, key: Hashable, state: State) -> bool:
        known = next((k for k, s in self.states.items() if s is state), None)
        if known is not None:
            if known != key:
                self.aliases[key] = known
            return False
        self.aliases = {a: k for a, k in self.aliases.items() if key not in (a, k)}
        self.states[key] = state
        return True

    def gradients(self, grads: Mapping[Hashable, Any], trained: list) -> list:
        """One gradient for each trained weight, as plain numbers; ValueError if they do not fit."""
        if not isinstance(grads, Mapping):
            raise TypeError(
                "Gradients come in a dict with the keys of the registered weights, as `grad` gives "
                f"them for a dict of States; found {type(grads).__name__}. [BST-A01]"
            )
        found = {self.aliases.get(key, key): grad for key, grad in grads.items()}
        missing = [key for key in trained if key not in found]
        extra = [key for key in found if key not in self.states]
        if missing or extra:
            raise ValueError(
                f"The gradients do not match the registered weights: missing {missing}, unknown "
                f"{extra}. Register with the same dict of States that `grad` is given. [BST-O01]"
            )
        return [_fitting(key, self.states[key], found[key]) for key in trained]

    def check_owner(self, holder: Any) -> None:
        """ValueError where the holder is a copy, whose weights would still be the old ones."""
        if self.owner is not holder:
            raise ValueError(
                f"This {type(holder).__name__} is a copy of another one, and its weights are "
                "still those of the original: call register_trainable_weights() with its own. "
                "What it remembers about each key is kept. [BST-O02]"
            )


class WeightHolder(Node):
    """Base of what is given weights by `register_trainable_weights` and remembers things of each.

    A copy is given its own weights by another call, and goes on with what it remembers.
    """

    def __init__(self) -> None:
        self._weights = RegisteredWeights(self)

    @property
    def param_states(self) -> StateDictManager:
        """The registered weights, each State once."""
        return self._weights.states

    def _register(self, weights: Mapping[Hashable, State] | None) -> list:
        """Take on weights; returns the keys for which nothing is remembered yet."""
        known = self._weights
        if known.owner is not self:
            known = RegisteredWeights(self, inherited=known.states)
        self._weights, new = known.joined(weights)
        return new


def arrays(value: PyTree) -> PyTree:
    """The tree as arrays without units, and with types that do not bend to those of others."""
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.result_type(x)), strip(value))


def remembered(old: State | None, fresh: PyTree, renew: bool) -> State:
    """The old State where it is of the form of `fresh` and need not be renewed, else a new one."""
    return OptimState(fresh) if old is None or renew or _form(old.value) != _form(fresh) else old


def _form(tree: PyTree) -> tuple:
    leaves, structure = jax.tree.flatten(tree)
    return structure, [(jnp.shape(leaf), jnp.result_type(leaf)) for leaf in leaves]


def _checked(weights: Any) -> Mapping[Hashable, State]:
    if weights is None:
        return {}
    if not isinstance(weights, Mapping):
        raise TypeError(
            "Weights come in a dict of States, such as model.states(brainstate.ParamState); found "
            f"{type(weights).__name__}. [BST-A01]"
        )
    for key, state in weights.items():
        if not isinstance(state, State):
            raise TypeError(
                f"Weights must be States; found {type(state).__name__} under {key!r}. [BST-A01]"
            )
    return weights


def _fitting(key: Hashable, state: State, grad: Any) -> Any:
    number, weight = strip(grad), strip(state.value)
    same_tree = jax.tree.structure(number) == jax.tree.structure(weight)
    if same_tree and _shapes(number) == _shapes(weight):
        return number
    raise ValueError(
        f"The gradient of {describe(state)} (key {key!r}) must have its structure and shapes, "
        f"{jax.tree.map(jnp.shape, weight)}; found {jax.tree.map(jnp.shape, number)}. [BST-A04]"
    )


def _shapes(tree: Any) -> list:
    return [jnp.shape(leaf) for leaf in jax.tree.leaves(tree)]
