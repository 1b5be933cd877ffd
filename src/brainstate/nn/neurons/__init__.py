"""Neurons, and readouts."""
