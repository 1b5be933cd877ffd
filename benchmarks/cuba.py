"""Neurons with current synapses: this library beside a loop in C, JAX by hand, and peers.

Each contender is a process that simulates the same number of steps when it is asked; all are asked
in turn, round after round, and their rates must agree within 5 %.
"""

from __future__ import annotations

from spiking.compare import compare

if __name__ == "__main__":
    compare("cuba", __doc__)
