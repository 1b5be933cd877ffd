"""`Neuron`: dynamics with a threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..surrogate import InvSquareGrad
from ..typing import ArrayLike, Size
from .dynamics import Dynamics

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
            raise ValueError(f"spk_reset must be one of {_RESETS}; found {spk_reset!r}.")
        self.spk_fun, self.spk_reset = spk_fun, spk_reset

    def get_spike(self, *args: Any, **kwargs: Any) -> ArrayLike:
        """The spikes for the current States, or for those given."""
        raise NotImplementedError(f"{type(self).__name__} must define get_spike().")
