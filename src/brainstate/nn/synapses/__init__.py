"""Synapses: conductances, receptors, plasticity."""
