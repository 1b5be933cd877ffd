"""`Rule`: how one array moves, as a chain of optax transformations with the rate in its middle."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp

from ..typing import PyTree

if TYPE_CHECKING:
    import optax


class Part(NamedTuple):
    """A transformation of optax by its name, or a function that makes one, and its arguments."""

    make: str | Callable
    arguments: tuple
    options: tuple[tuple[str, Any], ...]

    def build(self) -> optax.GradientTransformation:
        import optax

        make = getattr(optax, self.make) if isinstance(self.make, str) else self.make
        return make(*self.arguments, **dict(self.options))


def part(make: str | Callable, *arguments: Any, **options: Any) -> Part:
    """``make(*arguments, **options)``, to be called where optax is needed."""
    return Part(make, arguments, tuple(options.items()))


class Rule(NamedTuple):
    """``w <- (w - step) / (1 + proximal_decay * rate)``, where `step` comes out of the chain.

    The chain is `before_rate`, a factor `rate` if the rule is `rated`, and `after_rate`. `slots`
    are those fields of the states of optax that belong to one array each; what other
    fields there are count the steps. Equal rules share what JAX has traced and compiled.
    """

    before_rate: tuple[Part, ...] = ()
    after_rate: tuple[Part, ...] = ()
    slots: tuple[str, ...] = ()
    rated: bool = True
    proximal_decay: float = 0.0

    def fresh(self, weights: PyTree) -> list[PyTree]:
        """What each slot holds at first: a tree like `weights`."""
        leaves, tree = jax.tree.flatten(weights)
        first = [_fields(self._chain(1.0).init(leaf)) for leaf in leaves]
        return [tree.unflatten([fields[name] for fields in first]) for name in self.slots]

    def _chain(self, rate: Any) -> optax.GradientTransformation:
        import optax

        before, after = ([p.build() for p in side] for side in (self.before_rate, self.after_rate))
        middle = [optax.scale(rate)] if self.rated else []
        return optax.chain(*before, *middle, *after)


@functools.partial(jax.jit, static_argnums=0)
def move(
    rule: Rule, rate: Any, count: Any, gradient: Any, weight: Any, memory: list
) -> tuple[jax.Array, tuple]:
    """The new array and the new contents of its slots, all of the types that they had.

    Arrays of one shape share one trace, so the first update of a deep model is cheap.
    """
    chain = rule._chain(rate)
    held = dict(zip(rule.slots, memory, strict=True))
    before = tuple(
        state._replace(**{name: held.get(name, count) for name in state._fields})
        for state in chain.init(weight)
    )
    step, after = chain.update(gradient, before, weight)
    moved = weight - step
    if rule.proximal_decay:
        moved = moved / (1 + rule.proximal_decay * rate)
    found = _fields(after)
    remembered = tuple(found[name].astype(old.dtype) for name, old in held.items())
    return moved.astype(jnp.result_type(weight)), remembered


def _fields(states: Any) -> dict[str, Any]:
    return {name: value for state in states for name, value in state._asdict().items()}
