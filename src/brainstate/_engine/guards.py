"""Guards: the Python-side facts that a compiled program was built on.

Facts about node attributes are rechecked only after some attribute of some node was assigned: a
clock tells. Lists and dicts can change unseen; they are compared with a copy at each call. Settings
are rechecked where the scope is another one.
"""

from __future__ import annotations

import enum
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from .cell import changes
from .hidden import has_graph

_SCALARS = (bool, int, float, complex, str, bytes, type(None), enum.Enum)
_SMALL = 1024  # elements of a NumPy array that are compared by value


class Clock:
    """Counts changes, so that "nothing changed" is one comparison."""

    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now = 0


attribute_clock = Clock()
"""Ticks at each assignment of an attribute of any node."""


def tick() -> None:
    attribute_clock.now += 1
    changes.now = object()


class Identity:
    """Compares by identity; holds weakly what can be held so, lest a cache keep a model alive."""

    __slots__ = ("ref",)

    def __init__(self, obj: Any):
        try:
            self.ref: Callable[[], Any] = weakref.ref(obj)
        except TypeError:
            self.ref = lambda: obj

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Identity) and (mine := self.ref()) is not None and mine is other.ref()
        )

    __hash__ = None  # type: ignore[assignment]


def freeze(value: Any, around: tuple[int, ...] = ()) -> Any:
    """A snapshot of a Python value that compares equal while a program built on it is right."""
    kind = type(value)
    if isinstance(value, float):
        return kind, value.hex()  # tells 0.0 from -0.0, and nan is itself
    if isinstance(value, _SCALARS):
        return kind, value
    if id(value) in around:  # a container that contains itself
        return kind, around.index(id(value))
    around = (*around, id(value))
    if isinstance(value, (list, tuple, deque)):
        return kind, [freeze(item, around) for item in value]
    if isinstance(value, dict):
        return kind, [(key, freeze(item, around)) for key, item in value.items()]
    if isinstance(value, (set, frozenset)):
        return kind, frozenset(value)
    if isinstance(value, bytearray):
        return kind, bytes(value)
    if isinstance(value, (np.ndarray, np.generic)) and value.size <= _SMALL:
        return kind, value.shape, value.dtype, value.tobytes()
    if not jax.tree_util.all_leaves([value]):  # a Quantity, or a dataclass of numbers
        leaves, tree = jax.tree.flatten(value)
        return kind, tree, [freeze(leaf, around) for leaf in leaves]
    return Identity(value)


def may_change_unseen(value: Any) -> bool:
    """Whether a value can be edited in place in a way that `freeze` sees."""
    if isinstance(value, _SCALARS):  # None among them, which for JAX is a tree without leaves
        return False
    if isinstance(value, (list, dict, set, deque, bytearray)):
        return True
    if isinstance(value, tuple):
        return any(may_change_unseen(x) for x in value)
    if isinstance(value, np.ndarray):
        return value.flags.writeable and value.size <= _SMALL
    return not jax.tree_util.all_leaves([value]) and type(value).__module__ != "saiunit"


def _parts(node: Any, value: Any) -> Any:
    """What of a value needs a look at each call: the clock tells which attributes a node has."""
    try:
        own = object.__getattribute__(node, "__dict__")
    except AttributeError:
        own = None
    return list(value.values()) if value is own else [value]


def _shadow(container: Any) -> Any:
    """A copy for comparison at the speed of C, where equal elements are the same elements."""
    kind: Any = type(container)
    if isinstance(container, dict) and kind.__eq__ is dict.__eq__:
        if all(map(_is_path, container)) and all(map(_tells_itself, container.values())):
            return dict(container)
    elif kind in (list, set) and all(map(_tells_itself, container)):
        return container.copy()
    return None


def _is_path(key: Any) -> bool:
    """Whether a key is a name, or a path of names and numbers as `states()` gives them."""
    return type(key) is str or (type(key) is tuple and all(type(x) in (str, int) for x in key))


def _tells_itself(item: Any) -> bool:
    """Whether ``==`` is as good as a look at the item: numbers, for one, hide their type."""
    comparison: Any = type(item).__eq__
    return type(item) is str or comparison is object.__eq__


class Fact:
    """One thing a body learnt about a node; `probe(node)` looks at it again."""

    __slots__ = ("node", "probe", "snapshot")

    def __init__(self, node: Any, probe: Callable[[Any], Any]):
        self.node, self.probe = weakref.ref(node), probe
        self.snapshot = freeze(probe(node))

    def holds(self) -> bool:
        node = self.node()
        return node is None or freeze(self.probe(node)) == self.snapshot

    def is_record(self) -> bool:
        """Whether this is a number, or a container of plain data, and was one before."""
        node = self.node()
        value = None if node is None else self.probe(node)
        if not isinstance(self.snapshot, tuple) or self.snapshot[0] is not type(value):
            return False
        if isinstance(value, dict):
            return not has_graph(list(value.values()))
        if isinstance(value, (list, set)):
            return not has_graph(list(value))
        return isinstance(value, (int, float)) and not isinstance(value, bool)


class Guards:
    """The facts behind one compiled variant."""

    __slots__ = (
        "containers", "copies", "epoch", "facts", "live", "ready", "scope", "settings", "slow",
    )  # fmt: skip

    def __init__(self) -> None:
        self.ready = False  # whether some program was traced under these facts
        self.facts: dict[tuple[int, Any], Fact] = {}
        self.containers: list[Fact] = []  # to be looked at by value each time
        self.live: list = []  # containers, and
        self.copies: list = []  # what they were like, to be compared each time
        self.slow = False  # whether more than that and the epoch needs a look each time
        self.settings: dict[str, Any] = {}
        self.epoch = attribute_clock.now
        self.scope: tuple = (None, None)

    def add(self, node: Any, kind: str, probe: Callable[[Any], Any]) -> None:
        key = (id(node), kind)
        known = self.facts.get(key)
        if known is None or known.node() is None:
            self.facts[key] = fact = Fact(node, probe)
            self._watch(fact, probe(node))

    def _watch(self, fact: Fact, value: Any) -> None:
        for part in _parts(fact.node(), value):
            if not may_change_unseen(part):
                continue
            shadow = _shadow(part) if fact.holds() else None
            if shadow is None:
                self.containers.append(fact)
                self.slow = True
                return
            self.live.append(part)
            self.copies.append(shadow)

    def add_setting(self, name: str, snapshot: Any) -> None:
        self.settings.setdefault(name, snapshot)
        self.scope = (None, None)
        self.slow = True

    def settle(self) -> None:
        """After the trace: forget counters and records that the body itself went on with.

        These are effects of tracing, as in JAX. Anything else that the body changed stays a fact,
        so that the next call sees the change: a flag, a State made at the first call.
        """
        facts = {k: f for k, f in self.facts.items() if f.holds() or not f.is_record()}
        self._replace_facts(facts)
        self.ready = True

    def _replace_facts(self, facts: dict[tuple[int, Any], Fact]) -> None:
        self.facts, self.containers, self.live, self.copies = facts, [], [], []
        self.slow = bool(self.settings)
        self.epoch = -1  # the body may have edited what it had looked at: check once more
        for fact in facts.values():
            node = fact.node()
            if node is not None:
                self._watch(fact, fact.probe(node))

    def merge(self, other: Guards) -> bool:
        """Take over the facts of a new trace; False if some contradict those known here."""
        facts, settings = {**self.facts}, {**self.settings}
        for key, fact in other.facts.items():
            known = facts.setdefault(key, fact)
            if known.node() is None:
                facts[key] = fact
            elif known.snapshot != fact.snapshot:
                return False
        for name, snapshot in other.settings.items():
            if settings.setdefault(name, snapshot) != snapshot:
                return False
        self.settings, self.scope, self.ready = settings, (None, None), True
        self._replace_facts(facts)
        return True

    def covers(self, other: Guards) -> bool:
        """Whether these are the facts of `other`, and perhaps more."""
        return (
            self.facts.keys() >= other.facts.keys()
            and all(self.facts[key].snapshot == fact.snapshot for key, fact in other.facts.items())
            and self.settings.items() >= other.settings.items()
        )

    def hold(self) -> bool:
        """Whether every fact is still true."""
        if not self.ready:
            return False
        if self.live != self.copies:
            return False
        for fact in self.containers:
            if not fact.holds():
                return False
        if self.settings and not self._settings_hold():
            return False
        return self.epoch == attribute_clock.now or self._facts_hold()

    def broken(self) -> str | None:
        """Name one fact that is no longer true."""
        for (_, kind), fact in self.facts.items():
            if not fact.holds():
                return f"attribute {kind!r} of {type(fact.node()).__name__}"
        for name, snapshot in self.settings.items():
            if settings.snapshot(name) != snapshot:
                return f"environ setting {name!r}"
        return None

    def _facts_hold(self) -> bool:
        epoch = attribute_clock.now
        if not all(fact.holds() for fact in [*self.facts.values()]):
            return False
        if self.live:  # an equal container may have taken the place of one of them
            self._replace_facts(self.facts)
        self.epoch = epoch
        return True

    def _settings_hold(self) -> bool:
        process, thread = settings.scope()
        if process is not self.scope[0] or thread is not self.scope[1]:
            if any(settings.snapshot(name) != then for name, then in [*self.settings.items()]):
                return False
            self.scope = (process, thread)
        return True


class SettingsSource:
    """How settings are looked at; `environ` stands above this module and fills it in."""

    scope: Callable[[], tuple]  # two objects; new ones stand for new settings
    snapshot: Callable[[str], Any]
    observe: Callable[[str], Any]  # look one up as a body does


settings = SettingsSource()
