"""The exceptions only this library can raise."""

from typing import Any


class BrainStateError(Exception):
    """Base class of the errors that belong to this library."""


class TraceContextError(BrainStateError):
    """A State or Node was changed from a JAX trace other than the one it belongs to."""


class BatchAxisError(BrainStateError, ValueError):
    """The batch axis of a State is missing, unexpected or inconsistent."""


class BadKeyError(BrainStateError, KeyError):
    """A name or key does not exist, or exists already."""

    __str__ = Exception.__str__  # KeyError shows the repr, in which quotes are escaped


class RetraceError(BrainStateError):
    """A function was about to be traced more often than `jit(max_traces=...)` allows."""


class BadWriteError(BrainStateError, FloatingPointError):
    """Under `brainstate.debug`, a State was assigned NaN, infinity, or a value beyond the range."""

    state: Any  # the State, and the attributes that say where:
    kind: str  # "NaN", "infinity", "a value below `low`", "a value above `high`"
    index: tuple[int, ...]  # of the first bad element
    steps: tuple[int, ...]  # of the loops around the write, the outermost first
    lanes: tuple[int, ...]  # of the maps around it, the outermost first
    file: str
    line: int


for _error in (
    BrainStateError,
    TraceContextError,
    BatchAxisError,
    BadKeyError,
    RetraceError,
    BadWriteError,
):
    _error.__module__ = "brainstate.util"  # tracebacks name the place to import it from
