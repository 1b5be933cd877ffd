"""How a loop stays within a given memory in its backward pass."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp

from .._engine.jax_api import explicit_closure
from .schedules import Blocks, checkpointed_steps

_UNITS = {"": 1, **{p + "B": 1000**i for i, p in enumerate(["", "K", "M", "G", "T"])}}
_UNITS |= {p + "IB": 1024**i for i, p in enumerate(["", "K", "M", "G", "T"]) if p}
_NOTHING = jax.checkpoint_policies.nothing_saveable
_DOTS = jax.checkpoint_policies.dots_saveable
_ELEMENTWISE = 0.1  # the part of a step's work that is not in matrix products
_STORING = 1.5  # blocks are computed again with all their intermediate values written to memory


def as_bytes(loop: str, memory: Any) -> int:
    """A number of bytes, or a text such as "64MB" or "1.5 GiB"."""
    if isinstance(memory, str):
        found = re.fullmatch(r"\s*([\d.]+)\s*([a-zA-Z]*)\s*", memory)
        if found and found[2].upper() in _UNITS and found[1].count(".") < 2:
            memory = math.floor(float(found[1]) * _UNITS[found[2].upper()])
    try:
        count = 0 if isinstance(memory, bool) else operator.index(memory)
    except TypeError:
        count = 0
    if count < 1:
        raise ValueError(
            f'{loop}: memory is a number of bytes, or a text such as "64MB"; found {memory!r}. '
            "[BST-A01]"
        )
    return count


@dataclasses.dataclass(frozen=True)
class Costs:
    """Bytes that a loop needs for its backward pass."""

    stored: dict[Callable | None, int]  # by one step, under each policy
    inputs: int  # slices of one step
    outputs: int  # of one step
    nesting: int  # each loop inside another carries values, and adds up derivatives, of its own
    fixed: int  # whatever the schedule


@dataclasses.dataclass(frozen=True)
class Plan:
    """A schedule, what it stores, and its work: how often the loop is computed again."""

    run: Callable
    memory: int
    work: float


def steps_within(
    memory: int,
    unroll: int | bool,
    reverse: bool,
    step: Callable,
    carry: Any,
    xs: Any,
    length: int,
) -> tuple[Any, Any]:
    """``jax.lax.scan(step, carry, xs, length)`` by the cheapest schedule that fits."""
    if length == 0:
        return jax.lax.scan(step, carry, xs, length)
    plan = choose(memory, measure(step, carry, xs, length), length)
    return plan.run(step, carry, xs, length, reverse=reverse, unroll=unroll)


def measure(step: Callable, carry: Any, xs: Any, length: int) -> Costs:
    """What JAX stores for derivatives with respect to all that the loop depends on."""
    kinds = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), xs)
    carry = jax.tree.map(lambda x: jax.ShapeDtypeStruct(jnp.shape(x), jnp.result_type(x)), carry)
    pure, consts = explicit_closure(step, carry, kinds)

    def stored(policy: Callable | None, steps: int) -> int:
        def residuals(*given: Any) -> list:
            def loop(consts: Any, carry: Any, xs: Any) -> Any:
                def body(carry: Any, x: Any) -> Any:
                    return pure(consts, carry, x)

                return Blocks(policy=policy).run(body, carry, xs, steps)

            pullback = jax.vjp(loop, *given)[1]
            known = set(map(id, jax.tree.leaves(given)))  # passed through: stored by others
            return [leaf for leaf in jax.tree.leaves(pullback) if id(leaf) not in known]

        stacked = jax.tree.map(lambda x: jax.ShapeDtypeStruct((steps, *x.shape), x.dtype), kinds)
        return _bytes(jax.eval_shape(residuals, consts, carry, stacked))

    per_step = {p: stored(p, 3) - stored(p, 2) for p in (None, _DOTS, _NOTHING)}
    outputs = jax.eval_shape(pure, consts, carry, kinds)[1]
    fixed = stored(None, 2) - 2 * per_step[None] + _bytes(consts) + 2 * _bytes(carry)
    fixed += per_step[None] + 2 * length * _bytes(outputs)
    nesting = _bytes(consts) + 4 * _bytes(carry)
    return Costs(per_step, _bytes(kinds), _bytes(outputs), nesting, fixed)


def _bytes(tree: Any) -> int:
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


def choose(memory: int, costs: Costs, length: int) -> Plan:
    """The plan with the least work that fits; of equals, the one that stores least."""
    plans = [*_loops(costs, length), *_blocks(memory, costs, length), *_trees(costs, length)]
    fitting = [plan for plan in plans if plan.memory <= memory]
    if not fitting:
        leanest, plain = min(plan.memory for plan in plans), plans[0].memory
        raise ValueError(
            f"memory={memory:,} bytes are too few for this loop of {length} steps: it needs "
            f"{leanest:,} bytes with everything computed again, and {plain:,} with nothing. Of "
            f"these, {costs.fixed:,} do not depend on the schedule. [BST-L08]"
        )
    return min(fitting, key=lambda plan: (plan.work, plan.memory))


def _work(costs: Costs, policy: Callable | None) -> float:
    """Of one step in its own derivative."""
    if policy is None:
        return 0.0
    return _ELEMENTWISE if costs.stored[policy] > costs.stored[_NOTHING] else 1.0


def _loops(costs: Costs, length: int) -> Iterator[Plan]:
    for policy, stored in costs.stored.items():
        memory = costs.fixed + length * stored
        yield Plan(Blocks(policy=policy).run, memory, _work(costs, policy))


def _blocks(memory: int, costs: Costs, length: int) -> Iterator[Plan]:
    """Blocks, then as many steps that are not computed again as fit.

    Those are done with before the first block is computed again.
    """
    carry = costs.stored[_NOTHING]
    for size, policy in itertools.product(_sizes(length), (None, _DOTS)):
        stored, most = costs.stored[policy], length // size
        over = costs.fixed + length * (costs.inputs + stored) - memory
        fewest = max(2, -(-over // max(size * stored - carry, 1)))
        for count in {most, min(fewest, most)}:
            again, left = count * size, length - count * size
            copied = (length + left) * costs.inputs + length * costs.outputs if left else 0
            block = size * (stored + 2 * costs.inputs) + stored + costs.nesting if size > 1 else 0
            needed = max(block, left * stored)
            work = (1 if size == 1 else _STORING) * again / length + _work(costs, policy)
            run = Blocks(count, size, policy).run
            yield Plan(run, costs.fixed + copied + count * carry + needed, work)


def _sizes(length: int) -> list[int]:
    """Block lengths to try: those without a rest, and some between."""
    sizes = {
        d for n in range(1, math.isqrt(length) + 1) if length % n == 0 for d in (n, length // n)
    }
    sizes |= {round(2 ** (i / 2)) for i in range(2 * length.bit_length())}
    return [size for size in sorted(sizes) if size <= length // 2]


def _trees(costs: Costs, length: int) -> Iterator[Plan]:
    for base in (16, 8, 4, 2):
        levels = math.ceil(math.log(length, base) - 1e-9) if length > 1 else 1
        if levels < 3:
            continue
        stored = (levels - 1) * base * (costs.stored[_NOTHING] + costs.inputs)
        stored += base * (costs.stored[None] + costs.inputs) + levels * costs.nesting
        copied = length * (costs.inputs + costs.outputs) if base**levels != length else 0
        run = functools.partial(checkpointed_steps, base=base)
        yield Plan(run, costs.fixed + stored + copied, float(levels - 1))
