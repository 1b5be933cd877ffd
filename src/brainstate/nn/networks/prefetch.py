"""Values of a model, now or some time ago, for others to read at each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import jax

from ... import environ
from ..._engine.names import describe
from ..._state import State
from ...graph import Node
from ...typing import ArrayLike, PyTree
from ..dynamics.update_markers import not_receive_update_output
from .delay import Delay
from .references import refer
from .state_with_delay import StateWithDelay

if TYPE_CHECKING:
    from ..dynamics.base import Dynamics
    from ..module import Module

_OUTPUT = "output-delay"


class Prefetch(Node):
    """A call gives ``module.<item>``, of a State its value.

    >>> import brainstate
    >>> neuron = brainstate.nn.init_all_states(brainstate.nn.LIF(2, V_th=1.0))
    >>> neuron.prefetch("V")()
    Array([0., 0.], dtype=float32)
    """

    def __init__(self, module: Module, item: str):
        refer(self, module=module)
        self.item = item

    module: Module

    @property
    def delay(self) -> PrefetchDelay:
        """The same some time ago: ``prefetch.delay.at(time)``."""
        return PrefetchDelay(self.module, self.item)

    def __call__(self, *args: Any, **kwargs: Any) -> PyTree:
        value = getattr(self.module, self.item)
        return value.value if isinstance(value, State) else value


class PrefetchDelay(Node):
    """A State of a model in the past; `at` says when."""

    def __init__(self, module: Module, item: str):
        refer(self, module=module)
        self.item = item

    module: Module

    def at(self, time: ArrayLike | None = None, *indices: Any) -> PrefetchDelayAt:
        """The value so long ago, or its elements at `indices`; `time` is as in `Delay`."""
        return PrefetchDelayAt(self.module, self.item, time, *indices)


class _DelayReader(Node):
    """A call gives what the delay `key` among the after-updates of a model holds."""

    def __init__(self, module: Any, key: str, time: ArrayLike | None, indices: tuple):
        refer(self, module=module)
        self.time, self.indices, self._key = time, indices, key
        self.delay.register_delay(time)

    module: Dynamics

    @property
    def delay(self) -> Delay:
        """The delay that is read."""
        return cast("Delay", self.module.get_after_update(self._key))

    @property
    def step(self) -> Any:
        """The time in steps of `dt`."""
        return self.delay.steps_back(self.time)

    def __call__(self, *args: Any, **kwargs: Any) -> PyTree:
        return self.delay.look_back(self.step, self.indices)


class PrefetchDelayAt(_DelayReader):
    """A call gives the State ``module.<item>`` as it was `time` ago.

    All that read an item share one `StateWithDelay`, the after-update ``"<item>-delay"`` of the
    model, which takes in the value after each update. To choose its options, add it first.

    >>> import brainstate
    >>> neuron = brainstate.nn.LIF(1, R=1.0)
    >>> delayed = neuron.prefetch("V").delay.at(0.2)
    >>> with brainstate.environ.context(dt=0.1):
    ...     neuron = brainstate.nn.init_all_states(neuron)
    ...     potentials = [(neuron(0.5), neuron.V.value.item())[1] for _ in range(3)]
    ...     delayed().item() == potentials[0]
    True
    """

    def __init__(self, module: Any, item: str, time: ArrayLike | None = None, *indices: Any):
        if not hasattr(module, "add_after_update"):
            raise TypeError(
                f"A delayed State belongs to a Dynamics; {describe(module)} is none. Use a Delay. "
                "[BST-A01]"
            )
        key = f"{item}-delay"
        if not module.has_after_update(key):
            delay = not_receive_update_output(StateWithDelay(module, item))
            module.add_after_update(key, delay)
        self.item = item
        super().__init__(module, key, time, indices)


class OutputDelayAt(_DelayReader):
    """A call gives what the update of `module` returned `time` ago.

    The outputs are like `info`, or, left out, floating-point numbers of the shape ``out_size``.

    >>> import brainstate
    >>> neuron = brainstate.nn.LIF(1, R=1.0)
    >>> delayed = neuron.output_delay(0.1)
    >>> with brainstate.environ.context(dt=0.1):
    ...     neuron = brainstate.nn.init_all_states(neuron)
    ...     spikes = [neuron(100.0).item(), neuron(0.0).item(), delayed().item()]
    >>> spikes
    [1.0, 0.0, 1.0]
    """

    def __init__(
        self,
        module: Dynamics,
        time: ArrayLike | None = None,
        *indices: Any,
        info: PyTree | None = None,
    ):
        if not module.has_after_update(_OUTPUT):
            module.add_after_update(_OUTPUT, _Outputs(module) if info is None else Delay(info))
        super().__init__(module, _OUTPUT, time, indices)


class _Outputs(Delay):
    """A delay of floating-point numbers, as wide as `environ` says when they are first made."""

    def __init__(self, module: Dynamics):
        self._shape = module.out_size
        super().__init__(None)

    def _set_target(self, target_info: PyTree) -> None:
        """Known from the shape."""

    @property
    def target_info(self) -> PyTree:  # type: ignore[override]
        return jax.ShapeDtypeStruct(self._shape, environ.dftype())
