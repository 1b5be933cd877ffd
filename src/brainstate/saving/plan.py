"""What of a file goes into which States, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import jax

from .._state import State
from ..typing import PathParts
from .fitting import misfit, read_leaf, reading_type
from .names import Leaf, path_of_name, with_leaves
from .values import Entry


class Plan(NamedTuple):
    """Which leaves are to be filled, with what; and what the file or the target lacks."""

    chosen: dict[str, Leaf]  # of the States that the file has
    entries: dict[str, Entry]  # of the file, those of these States
    missing: list[PathParts]
    unexpected: list[PathParts]

    @classmethod
    def of(cls, leaves: dict[str, Leaf], wanted: dict[str, Leaf], file: dict[str, Entry]) -> Plan:
        """For `wanted` ones of all `leaves`; what the file has for the others is passed over."""
        owners = {
            name: leaves[name].owner if name in leaves else entry.note.get("state", name)
            for name, entry in file.items()
        }
        here, there = {leaf.owner for leaf in leaves.values()}, set(owners.values())
        chosen = {name: leaf for name, leaf in wanted.items() if leaf.owner in there}
        filled = {leaf.owner for leaf in chosen.values()}
        return cls(
            chosen,
            {name: entry for name, entry in file.items() if owners[name] in filled},
            _once(leaf.path for leaf in wanted.values() if leaf.owner not in there),
            _once(path_of_name(owner) for owner in sorted(owners.values()) if owner not in here),
        )

    def misfits(self) -> Iterator[str]:
        """Where the file and the State have something else, in words."""
        for name, leaf in self.chosen.items():
            if name not in self.entries:
                yield f"{name}: not in the file, which has another structure"
            elif problem := misfit(self.entries[name].described(), leaf):
                yield f"{name}: {problem}"
        for name in self.entries.keys() - self.chosen.keys():
            yield f"{name}: only in the file, which has another structure"

    def differences(self) -> Iterator[str]:
        """Which States only one side has, in words."""
        yield from (f"{_dotted(path)}: not in the file" for path in self.missing)
        yield from (f"{_dotted(path)}: only in the file" for path in self.unexpected)

    def reading_types(self) -> dict[str, jax.ShapeDtypeStruct]:
        """The arrays to read."""
        return {
            name: reading_type(self.entries[name], leaf)
            for name, leaf in self.chosen.items()
            if self.entries[name].array is not None
        }

    def values(self, arrays: Mapping[str, Any]) -> dict[State, Any]:
        """The new value of each State."""
        leaves: dict[State, list] = {}
        for name, leaf in self.chosen.items():
            number = read_leaf(arrays.get(name), self.entries[name], leaf)
            leaves.setdefault(leaf.state, []).append(number)
        return {state: with_leaves(state, new) for state, new in leaves.items()}


def _once(paths: Iterable[PathParts]) -> list[PathParts]:
    return list(dict.fromkeys(paths))


def _dotted(path: PathParts) -> str:
    return ".".join(map(str, path))
