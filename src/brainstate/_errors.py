"""The exceptions only this library can raise."""


class BrainStateError(Exception):
    """Base class of the errors that belong to this library."""


class TraceContextError(BrainStateError):
    """A State or Node was changed from a JAX trace other than the one it belongs to."""


class BatchAxisError(BrainStateError, ValueError):
    """The batch axis of a State is missing, unexpected or inconsistent."""


class RetraceError(BrainStateError):
    """A function was about to be traced more often than `jit(max_traces=...)` allows."""
