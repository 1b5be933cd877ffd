"""Pictures of spikes, States, weights, neurons and programs; needs matplotlib where first used.

Each function draws on the axes `ax`, or on those of a new figure, and returns them. Quantities
label the axes with their units.

>>> import brainstate, numpy as np
>>> brainstate.visualize.raster(np.eye(5)).get_ylabel()
'neuron'
"""

from .curves import losses, traces, tuning
from .films import animate
from .matrices import connectivity, weights
from .phase_plane import phase_plane
from .program import ProgramDrawing, program
from .rasters import raster

__all__ = [
    "ProgramDrawing",
    "animate",
    "connectivity",
    "losses",
    "phase_plane",
    "program",
    "raster",
    "traces",
    "tuning",
    "weights",
]
