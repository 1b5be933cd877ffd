"""The weights of a layer, as rules of plasticity see them: one for each synapse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from ..._engine.names import describe
from ..._units import attach, number_in, split
from ..module import Module


def weight_of(layer: Module) -> tuple[jax.Array, Any]:
    """(number, unit) of the weights."""
    value = layer.weight.value
    return split(value["weight"] if isinstance(value, Mapping) else value)


def add_to_weight(layer: Module, change: Any, w_min: Any, w_max: Any) -> None:
    """Change the weights, by the mean over axes that they lack, and keep them within bounds."""
    weight, unit = weight_of(layer)
    change = number_in(change, unit, "the change of the weight")
    change = jnp.mean(change, axis=tuple(range(change.ndim - weight.ndim)))
    new = attach(jnp.clip(weight + change, *bounds_in(unit, w_min, w_max)), unit)
    value = layer.weight.value
    layer.weight.value = {**value, "weight": new} if isinstance(value, Mapping) else new


def bounds_in(unit: Any, w_min: Any, w_max: Any) -> list:
    """The bounds as numbers in this unit; None stands for no bound."""
    named = {"w_min": w_min, "w_max": w_max}
    return [None if x is None else number_in(x, unit, name) for name, x in named.items()]


def pairs(layer: Module, pre: Any, post: Any) -> jax.Array:
    """For each synapse, the product of a value of the neuron before and one of that behind."""
    before, behind = spread(layer, pre, post)
    return before * behind


def spread(layer: Module, pre: Any, post: Any) -> tuple[Any, Any]:
    """Values of the neurons before and behind, laid out to broadcast to the weights."""
    connection = getattr(layer, "connection", None)
    if connection is None:  # a matrix
        return pre[..., :, None], post[..., None, :]
    return connection.spread(pre, post)


def check_plastic(layer: Any) -> None:
    """TypeError unless the layer has one weight for each synapse."""
    if not (layer.in_size and layer.out_size and hasattr(layer, "weight")):
        raise TypeError(
            f"{describe(layer)} has no weights between neurons, so no rule fits it. [BST-P09]"
        )
    neurons = jnp.zeros(layer.in_size[-1]), jnp.zeros(layer.out_size[-1])
    found, expected = weight_of(layer)[0].shape, pairs(layer, *neurons).shape
    if found != expected:
        raise TypeError(
            f"{describe(layer)} has weights of shape {found}. A rule changes one for each synapse, "
            f"which needs {expected}: take a dense layer or one of brainstate.event, with an array "
            "or an initializer as weight. [BST-P09]"
        )
