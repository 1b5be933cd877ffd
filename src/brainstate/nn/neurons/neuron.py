"""`Neuron`: dynamics with a threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from ..._state import HiddenState
from ..._units import attach, split
from ...surrogate import InvSquareGrad
from ...typing import ArrayLike, Size
from ..dynamics.base import Dynamics
from ..dynamics.unit_arithmetic import numbers
from .present_spikes import once_in_a_body

_RESETS = ("soft", "hard")


class Neuron(Dynamics):
    """Base of spiking neurons.

    `spk_fun` turns the distance from the threshold into a spike, 0.0 or 1.0, with a gradient.
    After a spike the potential is lowered by the distance from threshold to reset
    (``spk_reset="soft"``), or is put to the reset (``"hard"``).
    """

    def __init__(
        self,
        in_size: Size,
        spk_fun: Callable = InvSquareGrad(),  # noqa: B008  immutable
        spk_reset: str = "soft",
        name: str | None = None,
    ):
        super().__init__(in_size, name=name)
        if spk_reset not in _RESETS:
            raise ValueError(f"spk_reset must be one of {_RESETS}; found {spk_reset!r}. [BST-A03]")
        self.spk_fun, self.spk_reset = spk_fun, spk_reset

    def get_spike(self, *args: Any, **kwargs: Any) -> jax.Array:
        """The spikes for the current States, or for those given."""
        raise NotImplementedError(f"{type(self).__name__} must define get_spike(). [BST-A14]")


class ThresholdNeuron(Neuron):
    """Base of neurons whose potential `V` spikes at the threshold `V_th` and is reset to `V_reset`.

    A spike is told by the potential at the end of a step, and lowers it at the start of the next.
    """

    V: HiddenState
    V_th: Any
    V_reset: Any

    @once_in_a_body("V")
    def get_spike(self, V: ArrayLike | None = None) -> jax.Array:
        """The spikes at the potential `V`, or at the present one."""
        return self._spike_above(self.V.value if V is None else V, self.V_th)

    def _spike_above(self, V: Any, threshold: Any) -> jax.Array:
        V, unit = split(V)
        theta, V_th, V_reset = numbers(
            unit, threshold=threshold, V_th=self.V_th, V_reset=self.V_reset
        )
        return self.spk_fun((V - theta) / (V_th - V_reset))

    def _lowered(self, V: Any, spike: Any, threshold: Any) -> Any:
        """The potential after the reset that a spike of the step before brings."""
        V, unit = split(V)
        theta, V_reset = numbers(unit, threshold=threshold, V_reset=self.V_reset)
        peak = theta if self.spk_reset == "soft" else jax.lax.stop_gradient(V)
        return attach(V - (peak - V_reset) * spike, unit)
