"""Compilation and control flow for functions that read and write States."""

from .checkpoint import checkpoint, remat
from .checkpointed_loops import checkpointed_for_loop, checkpointed_scan
from .checks import jit_error_if
from .conditions import cond, ifelse, switch
from .jit import jit
from .loops import for_loop, scan
from .progress import ProgressBar
from .recorders import Mean, SpikeTimes, Sum, Trace
from .spikes import Spikes
from .stateful_function import StatefulFunction, make_jaxpr
from .while_loops import bounded_while_loop, while_loop

__all__ = [
    "Mean",
    "ProgressBar",
    "SpikeTimes",
    "Spikes",
    "StatefulFunction",
    "Sum",
    "Trace",
    "bounded_while_loop",
    "checkpoint",
    "checkpointed_for_loop",
    "checkpointed_scan",
    "cond",
    "for_loop",
    "ifelse",
    "jit",
    "jit_error_if",
    "make_jaxpr",
    "remat",
    "scan",
    "switch",
    "while_loop",
]
