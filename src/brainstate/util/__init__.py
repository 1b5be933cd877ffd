"""Containers, filters and small tools the rest of the library is built on."""

from brainstate._errors import (
    BadKeyError,
    BadWriteError,
    BatchAxisError,
    BrainStateError,
    RetraceError,
    TraceContextError,
)

from .dict_manager import DictManager
from .display import display
from .dot_dict import DotDict
from .filter import (
    All,
    Any,
    Everything,
    Not,
    Nothing,
    OfType,
    PathContains,
    WithTag,
    is_instance_eval,
    not_instance_eval,
    to_predicate,
)
from .frozen_dict import FrozenDict
from .memory import clear_buffer_memory
from .nested_dict import FlattedDict, NestedDict, flat_mapping, nest_mapping
from .pretty import MappingReprMixin, PrettyAttr, PrettyMapping, PrettyRepr, PrettyType
from .scaling import IdMemScaling, MemScaling
from .struct import PyTreeNode, dataclass, field

__all__ = [
    # errors
    "BrainStateError",
    "TraceContextError",
    "BatchAxisError",
    "BadKeyError",
    "BadWriteError",
    "RetraceError",
    # filters
    "to_predicate",
    "OfType",
    "WithTag",
    "PathContains",
    "Any",
    "All",
    "Not",
    "Everything",
    "Nothing",
    "is_instance_eval",
    "not_instance_eval",
    # containers
    "NestedDict",
    "FlattedDict",
    "flat_mapping",
    "nest_mapping",
    "DictManager",
    "DotDict",
    "FrozenDict",
    "dataclass",
    "field",
    "PyTreeNode",
    # reprs
    "PrettyType",
    "PrettyAttr",
    "PrettyRepr",
    "PrettyMapping",
    "MappingReprMixin",
    "display",
    # others
    "MemScaling",
    "IdMemScaling",
    "clear_buffer_memory",
]
