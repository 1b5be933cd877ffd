"""Places in the user's source that assign a State, by number."""

from __future__ import annotations

import contextlib
import itertools
import linecache
import sys
import weakref
from pathlib import Path
from types import FrameType
from typing import Any

import jax

from .._engine.names import describe
from .._state import State

# What may stand between a user's line and us.
_OURS = (str(Path(__file__).parents[1]), str(Path(jax.__file__).parent), contextlib.__file__)

Parts = tuple[tuple[str, tuple[int, ...]], ...]  # of a value: the path and shape of each array


class Site:
    """One line of source that assigns one State."""

    def __init__(self, state: State, parts: Parts, file: str, line: int, function: str):
        self.name, self._state = describe(state), weakref.ref(state)
        self.parts, self.file, self.line, self.function = parts, file, line, function

    @property
    def state(self) -> State | None:
        return self._state()

    def state_name(self) -> str:
        """How errors call the State; by now it may hang on a node."""
        state = self.state
        return self.name if state is None else describe(state)

    def where(self) -> str:
        """File, line, function and text."""
        text = linecache.getline(self.file, self.line).strip()
        place = f"{Path(self.file).name}:{self.line} in {self.function}"
        return f"{place}: `{text}`" if text else place


_count = itertools.count(1)
_sites: dict[int, Site] = {}
_known: weakref.WeakKeyDictionary[State, dict[tuple, int]] = weakref.WeakKeyDictionary()


def site_number(state: State, parts: Parts) -> int:
    """The number of the line that assigns `state` now; programs keep it."""
    frame = _user_frame()
    code = frame.f_code
    key = (parts, code.co_filename, frame.f_lineno, code.co_name)
    numbers = _known.setdefault(state, {})
    if key not in numbers:
        numbers[key] = number = next(_count)
        _sites[number] = Site(state, *key)
        weakref.finalize(state, _sites.pop, number, None)  # no program writes it any more
    return numbers[key]


def site(number: Any) -> Site:
    return _sites[int(number)]


def _user_frame() -> FrameType:
    start = sys._getframe(1)
    frame: FrameType | None = start
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    return frame or start
