"""Spikes and currents from outside the model."""
