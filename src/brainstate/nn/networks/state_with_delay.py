"""`StateWithDelay`: what a State of a model was some time ago."""

from __future__ import annotations

from typing import Any

from ..._engine.names import describe
from ..._state import State
from ...graph import Node
from ...typing import PyTree
from .delay import Delay
from .references import refer


class StateWithDelay(Delay):
    """A delay of the State ``target.<item>``; ``update()`` takes in its current value.

    Its options are those of `Delay`.

    >>> import brainstate
    >>> neuron = brainstate.nn.LIF(3)
    >>> delay = brainstate.nn.StateWithDelay(neuron, "V")
    >>> with brainstate.environ.context(dt=0.1):
    ...     delay.register_delay(1.0)
    ...     brainstate.nn.init_all_states([neuron, delay])[1].history.shape
    (11, 3)
    """

    def __init__(self, target: Node, item: str, **options: Any):
        super().__init__(None, **options)
        refer(self, target=target)
        self.item = item

    target: Node

    def _set_target(self, target_info: PyTree) -> None:
        """The value of the State tells what it is like."""

    @property
    def state(self) -> State:
        """The State that is delayed."""
        state = getattr(self.target, self.item)
        if not isinstance(state, State):
            raise TypeError(
                f"Only a State can be delayed; {self.item!r} of {describe(self.target)} is "
                f"{state!r}. [BST-A01]"
            )
        return state

    @property
    def target_info(self) -> PyTree:  # type: ignore[override]
        """The value whose shape and type are delayed."""
        return self.state.value

    def _first_history(self, batch_size: int | None) -> Any:
        return super()._first_history(None)  # the State has the batch axis already

    def update(self, *args: Any) -> None:
        super().update(self.state.value)
