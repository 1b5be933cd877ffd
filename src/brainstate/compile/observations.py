"""What one trace of a jitted function relied on, and what differs between two traces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .._engine.guards import Fact, Identity, freeze
from .._engine.hidden import is_graph
from .._engine.labels import Labels, argument_names
from .._engine.program import Program
from .._engine.wording import GONE, ValueType, in_words, types_of
from .._state import State

Key = tuple[str, str]  # (kind, name)
Observations = dict[Key, Any]  # the type of an array, or a snapshot of anything else

_WHOLE_NODE = ("all attributes", "child nodes")
# Kind -> how it is written, and what to do about one that never stays the same.
_KINDS = {
    "state": ("{}", None),
    "argument": ("argument {}", None),
    "static": (
        "static argument {}",
        "Leave it out of static_argnums and static_argnames, so that it is an input",
    ),
    "setting": (
        "{}",
        "Pass it as an array, as in `environ.context({name}=jnp.asarray(...))`, so that it is an "
        "input, or keep it the same",
    ),
    "attribute": (
        "attribute {}",
        "What changes from call to call should be a State or an argument: make {0} a State",
    ),
    "node": ("attribute {}", None),
    "replaced": (
        "{}",
        "Keep the State and assign its `.value` instead of making another one",
    ),
}


class Change(NamedTuple):
    """One thing that was different in the trace before."""

    kind: str
    name: str
    words: str

    @property
    def remedy(self) -> str | None:
        text = _KINDS[self.kind][1]
        return text and text.format(f"`{self.name}`", name=self.name.rpartition(".")[2])

    @property
    def subject(self) -> str:
        return _KINDS[self.kind][0].format(f"`{self.name}`")

    def __str__(self) -> str:
        return f"{self.subject} {self.words}"


def observe(
    fun: Any, args: tuple, kwargs: dict, static: frozenset, program: Program
) -> Observations:
    """What a trace of `fun` for these arguments relied on. Keeps no node and no State alive."""
    labels = Labels(fun, args, kwargs)
    found: Observations = {}
    positional = zip(range(len(args)), argument_names(fun, len(args)), args, strict=True)
    for key, name, arg in [*positional, *((name, name, arg) for name, arg in kwargs.items())]:
        if key in static:
            found["static", name] = freeze(arg)
        else:
            found.update((("argument", name + path), seen) for path, seen in types_of(arg).items())
    for state, value in zip(program.reads, program.read_types(), strict=True):
        name = labels.of(state) if is_graph(state) else f"environ.{state.name}"
        found.update((("state", name + path), seen) for path, seen in types_of(value).items())
    guards = program.frame.guards
    for name, snapshot in guards.settings.items() if guards else ():
        found["setting", f"environ.{name}"] = snapshot
    for (_, kind), fact in guards.facts.items() if guards else ():
        node = fact.node()
        if node is not None:
            found.update(_of_attributes(labels.of(node), kind, fact))
    return found


def _of_attributes(node: str, kind: str, fact: Fact) -> Iterator[tuple[Key, Any]]:
    items = fact.snapshot[1] if kind in _WHOLE_NODE else [(kind, fact.snapshot)]
    for name, snapshot in items:
        obj = snapshot.ref() if isinstance(snapshot, Identity) else None
        is_state = isinstance(obj, State)
        sort = "replaced" if is_state else "node" if is_graph(obj) else "attribute"
        yield (sort, f"{node}.{name}"), snapshot


def changes_between(old: Observations, new: Observations) -> list[Change]:
    """What differs, in the order of `_KINDS`; what only one trace knows counts if nothing else."""
    keys = [key for key, now in new.items() if key in old and old[key] != now]
    found = [Change(*key, _difference(old[key], new[key])) for key in keys]
    found = [c for c in found if not _follows(c, keys, new)] or [*_only_in_one(old, new)]
    kinds = list(_KINDS)
    return sorted(found, key=lambda change: kinds.index(change.kind))


def _follows(change: Change, keys: list[Key], new: Observations) -> bool:
    """Whether another change says it all: of the State's type, or of the node that owns it."""
    if change.kind == "replaced" and ("state", change.name) in keys:
        return True
    owners = [name for kind, name in keys if isinstance(new[kind, name], Identity)]
    return change.kind in ("node", "replaced", "attribute") and any(
        change.name.startswith(f"{owner}.") for owner in owners
    )


def _difference(old: Any, new: Any) -> str:
    after = str(new) if isinstance(new, ValueType) else in_words(new)
    if isinstance(old, ValueType):
        return f"went {old.change_to(new if isinstance(new, ValueType) else after)}"
    before = in_words(old)
    if isinstance(old, Identity) and isinstance(new, Identity) and before in (after, GONE):
        return f"is another {after.removeprefix('a ')} than before"
    return f"{before} to {after}"


def _only_in_one(old: Observations, new: Observations) -> Iterator[Change]:
    for (kind, name), _ in [item for item in new.items() if item[0] not in old]:
        yield Change(kind, name, "is new")
    for (kind, name), _ in [item for item in old.items() if item[0] not in new]:
        yield Change(kind, name, "is not there any more")
