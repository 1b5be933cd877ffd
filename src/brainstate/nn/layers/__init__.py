"""Layers: linear, convolutional, recurrent, attention, normalization, pooling, dropout."""
