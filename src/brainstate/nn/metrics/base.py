"""`Metric`: a node that gathers what it is given into States."""

from __future__ import annotations

from typing import Any

from ..._state import State
from ...graph import Node


class MetricState(State):
    """What a metric has gathered so far."""


class Metric(Node):
    """Base of metrics: `update` gathers, `compute` gives the result so far, `reset` starts anew.

    Subclasses declare the States and their first values in `start`.

    >>> import brainstate, jax
    >>> class Largest(brainstate.nn.metrics.Metric):
    ...     def start(self):
    ...         return {"largest": -jax.numpy.inf}
    ...
    ...     def update(self, *, values, **_):
    ...         self.largest.value = jax.numpy.maximum(self.largest.value, values.max())
    ...
    ...     def compute(self):
    ...         return self.largest.value
    >>> largest = Largest()
    >>> brainstate.transform.for_loop(lambda x: largest.update(values=x), jax.numpy.eye(3))
    >>> largest.compute()
    Array(1., dtype=float32)
    """

    def __init__(self) -> None:
        for name, value in self.start().items():
            setattr(self, name, MetricState(value))

    def start(self) -> dict[str, Any]:
        """The first values of the States, by attribute."""
        return {}

    def reset(self) -> None:
        """Forget everything gathered."""
        for name, value in self.start().items():
            getattr(self, name).value = value

    def update(self, **kwargs: Any) -> None:
        """Gather; arguments that are meant for other metrics are ignored."""
        raise NotImplementedError(f"{type(self).__name__} must define update(). [BST-A14]")

    def compute(self) -> Any:
        """The result for everything gathered."""
        raise NotImplementedError(f"{type(self).__name__} must define compute(). [BST-A14]")


class MultiMetric(Metric):
    """Several metrics in one, each an attribute by its name.

    All get every argument of `update`; `compute` gives a dict of results.

    >>> import brainstate, jax.numpy as jnp
    >>> from brainstate.nn import metrics
    >>> both = metrics.MultiMetric(accuracy=metrics.Accuracy(), loss=metrics.Average("loss"))
    >>> both.update(logits=jnp.eye(2), labels=jnp.array([0, 0]), loss=jnp.array([0.1, 2.1]))
    >>> {name: round(float(value), 3) for name, value in both.compute().items()}
    {'accuracy': 0.5, 'loss': 1.1}
    """

    def __init__(self, **metrics: Metric):
        super().__init__()
        for name, metric in metrics.items():
            if not isinstance(metric, Metric):
                raise TypeError(f"`{name}` must be a Metric; found {metric!r}. [BST-A01]")
            if hasattr(self, name):
                raise ValueError(
                    f"A metric cannot be called {name!r}, a method; rename it. [BST-A11]"
                )
            setattr(self, name, metric)
        self._names = tuple(metrics)

    def reset(self) -> None:
        for name in self._names:
            getattr(self, name).reset()

    def update(self, **updates: Any) -> None:
        for name in self._names:
            getattr(self, name).update(**updates)

    def compute(self) -> dict[str, Any]:
        return {name: getattr(self, name).compute() for name in self._names}
