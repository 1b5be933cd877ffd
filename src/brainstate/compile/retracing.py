"""Why a jitted function was traced again: kept in words, at the price of a look at each trace."""

from __future__ import annotations

import contextvars
import threading
import warnings
from collections import Counter, deque
from typing import Any

from .._engine.cache import is_repeatable
from .._engine.frames import write_checks
from .._engine.names import stacklevel
from .._engine.observing import is_observed
from .._engine.program import Program
from .._errors import RetraceError
from .observations import Change, Key, Observations, changes_between, observe

_KEPT = 8  # reasons
_LISTED = 4  # changes in one reason
_MANY = 16  # traces for the same reason are worth a warning


class Reasons(str):
    """A text that is shown as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class Retraces:
    """Counts the traces of one jitted function, and tells each from the one before."""

    def __init__(self, name: str, max_traces: int | None = None):
        if max_traces is not None and (type(max_traces) is not int or max_traces < 1):
            raise ValueError(
                f"max_traces of jit must be 1 or more, or None; found {max_traces!r}. [BST-A02]"
            )
        self.name, self.max_traces = name, max_traces
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        self.count, self._before = 0, None
        self._reasons: deque[tuple[int, str]] = deque(maxlen=_KEPT)
        self._often: Counter[Key] = Counter()
        self._warned = False

    _before: Observations | None

    def note(
        self, fun: Any, args: tuple, kwargs: dict, static: frozenset, program: Program
    ) -> None:
        """Take account of a trace; RetraceError if it is one too many."""
        if is_observed() or write_checks.get():  # `explain` and `debug` look once more
            return
        # In a context of its own: the bodies under way are not to depend on what is looked at.
        now = contextvars.Context().run(observe, fun, args, kwargs, static, program)
        with self._lock:
            changes = [] if self._before is None else changes_between(self._before, now)
            if self._before is not None:
                self._reasons.append((self.count + 1, _in_one_line(changes, program)))
            if self.max_traces is not None and self.count >= self.max_traces:
                raise RetraceError(f"{self._refusal()} [BST-J03]")
            self.count, self._before = self.count + 1, now
            warning = self._warning(changes)
        if warning is not None:
            warnings.warn(f"{warning} [BST-J03]", stacklevel=stacklevel())

    def _refusal(self) -> str:
        return (
            f"{self.name} is jitted with max_traces={self.max_traces} and would be traced once "
            f"more: {self._reasons[-1][1]}. Keep that the same from call to call, make it a State "
            "or an argument, or raise max_traces."
        )

    def _warning(self, changes: list[Change]) -> str | None:
        """The warning, once, when one thing has changed again and again."""
        self._often.update((c.kind, c.name) for c in changes if c.remedy is not None)
        often = [c for c in changes if self._often[c.kind, c.name] >= _MANY]
        if self._warned or not often:
            return None
        self._warned = True
        change = often[0]
        return (
            f"{self.name} was traced {self.count} times, {self._often[change.kind, change.name]} "
            f"times since {change.subject} was another; now {change}. {change.remedy}."
        )

    def explain(self) -> Reasons:
        """The last reasons, one a line, the latest at the end."""
        if self.count == 0:
            return Reasons(f"{self.name} was not traced yet.")
        times = "once" if self.count == 1 else f"{self.count} times"
        lines = [f"{self.name} was traced {times}."]
        lines += [f"  trace {number}: {text}" for number, text in self._reasons]
        return Reasons("\n".join(lines))


def _in_one_line(changes: list[Change], program: Program) -> str:
    if changes:
        rest = len(changes) - _LISTED
        listed = [str(change) for change in changes[:_LISTED]]
        return "; ".join(listed + ([f"and {rest} more"] if rest > 0 else []))
    if not is_repeatable(program):
        return (
            "nothing changed; a body that makes States or nodes, or edits attributes, runs anew at "
            "each call inside another transformation"
        )
    return (
        "nothing that brainstate follows; the structure of an argument, a setting of jax.config "
        "or the transformation around the call may be another"
    )
