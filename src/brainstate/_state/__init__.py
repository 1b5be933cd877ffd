"""`State`, its kinds, and what collects States."""

from .catching import Catcher, catch_new_states
from .dictionary import StateDictManager
from .reference import StateMetadata, TreefyState
from .state import (
    HiddenState,
    LongTermState,
    ParamState,
    ShortTermState,
    State,
    check_state_jax_tracer,
    check_state_value_tree,
)
from .trace_stack import StateTraceStack

__all__ = [
    "Catcher",
    "HiddenState",
    "LongTermState",
    "ParamState",
    "ShortTermState",
    "State",
    "StateDictManager",
    "StateMetadata",
    "StateTraceStack",
    "TreefyState",
    "catch_new_states",
    "check_state_jax_tracer",
    "check_state_value_tree",
]
