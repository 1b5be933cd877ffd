"""Layers, neurons and the models made of them."""

from .call_order import MAX_ORDER, call_order
from .collective import (
    StateLoadResult,
    assign_state_values,
    init_all_states,
    load_all_states,
    reset_all_states,
    save_all_states,
    vmap_init_all_states,
    vmap_reset_all_states,
)
from .containers import Sequential
from .dynamics import Dynamics
from .exp_euler import exp_euler_step
from .integrate_and_fire import ALIF, IF, LIF, LIFRef
from .linear import Linear
from .module import ElementWiseBlock, Module
from .neuron import Neuron
from .synapses import Expon, Synapse
from .synaptic_outputs import COBA, CUBA, MgBlock, SynOut
from .variable import Variable

__all__ = [
    # modules
    "ElementWiseBlock",
    "Module",
    "Sequential",
    "Variable",
    # layers
    "Linear",
    # dynamics
    "ALIF",
    "Dynamics",
    "IF",
    "LIF",
    "LIFRef",
    "Neuron",
    "exp_euler_step",
    # synapses
    "Expon",
    "Synapse",
    # synaptic outputs
    "COBA",
    "CUBA",
    "MgBlock",
    "SynOut",
    # all modules at once
    "MAX_ORDER",
    "StateLoadResult",
    "assign_state_values",
    "call_order",
    "init_all_states",
    "load_all_states",
    "reset_all_states",
    "save_all_states",
    "vmap_init_all_states",
    "vmap_reset_all_states",
]
