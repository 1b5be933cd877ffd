"""Metrics of classifiers: how often predicted classes are the true ones."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .averages import Average, wide_int
from .base import Metric, MetricState

_AVERAGES = ("macro", "micro", "weighted", None)


class Accuracy(Average):
    """How often the largest of the `logits` is that of the label.

    ``update(logits=..., labels=...)``: integer labels, and logits with one more axis, the last.

    >>> import brainstate, jax.numpy as jnp
    >>> accuracy = brainstate.nn.metrics.Accuracy()
    >>> accuracy.update(logits=jnp.array([[2.0, 1.0], [0.0, 3.0]]), labels=jnp.array([0, 0]))
    >>> accuracy.compute()
    Array(0.5, dtype=float32)
    """

    def update(self, *, logits: Any, labels: Any, **_: Any) -> None:  # type: ignore[override]
        classes, labels = _classes(None, logits, labels)
        self._add(classes == labels)


class ConfusionMatrix(Metric):
    """How many samples of each class (row) were taken for each class (column).

    ``update(labels=..., predictions=...)`` takes integer classes of the same shape;
    ``update(labels=..., logits=...)`` predicts the largest logit. Samples with a label or
    prediction outside ``0 ... num_classes - 1`` are left out.

    >>> import brainstate, jax.numpy as jnp
    >>> matrix = brainstate.nn.metrics.ConfusionMatrix(2)
    >>> matrix.update(predictions=jnp.array([0, 1, 1]), labels=jnp.array([0, 0, 1]))
    >>> matrix.compute()
    Array([[1, 1],
           [0, 1]], dtype=int32)
    """

    matrix: MetricState

    def __init__(self, num_classes: int):
        self.num_classes = _checked_count(num_classes)
        super().__init__()

    def start(self) -> dict[str, Any]:
        return {"matrix": jnp.zeros((self.num_classes, self.num_classes), wide_int())}

    def update(  # type: ignore[override]
        self, *, labels: Any, predictions: Any = None, logits: Any = None, **_: Any
    ) -> None:
        classes, labels = _classes(predictions, logits, labels, self.num_classes)
        self.matrix.value = _counted(self.matrix.value, labels, classes)

    def compute(self) -> jax.Array:
        return self.matrix.value


class _ClassRates(Metric):
    """A ratio of counts for each class, and their average."""

    true_positives: MetricState
    predicted: MetricState
    actual: MetricState

    def __init__(self, num_classes: int | None = None, average: str | None = "macro"):
        if average not in _AVERAGES:
            raise ValueError(f"`average` must be one of {_AVERAGES}; found {average!r}. [BST-A03]")
        self.num_classes = None if num_classes is None else _checked_count(num_classes)
        self.average = average
        super().__init__()

    @property
    def _size(self) -> int:
        return 2 if self.num_classes is None else self.num_classes

    def start(self) -> dict[str, Any]:
        zeros = jnp.zeros(self._size, wide_int())
        return {"true_positives": zeros, "predicted": zeros, "actual": zeros}

    def update(  # type: ignore[override]
        self, *, labels: Any, predictions: Any = None, logits: Any = None, **_: Any
    ) -> None:
        classes, labels = _classes(predictions, logits, labels, self._size)
        known = (labels >= 0) & (labels < self._size)
        classes = jnp.where(known, classes, -1)
        hits = jnp.where(classes == labels, classes, -1)
        for state, found in (
            (self.true_positives, hits), (self.predicted, classes), (self.actual, labels),
        ):  # fmt: skip
            state.value = _counted(state.value, found)

    def compute(self) -> jax.Array:
        counts = self.true_positives.value, self.predicted.value, self.actual.value
        if self.num_classes is not None and self.average == "micro":
            return _ratio(*self._parts(*map(jnp.sum, counts)))
        rates = _ratio(*self._parts(*counts))
        if self.num_classes is None:
            return rates[1]
        if self.average == "macro":
            return jnp.mean(rates)
        if self.average == "weighted":
            return _ratio(jnp.sum(rates * self.actual.value), jnp.sum(self.actual.value))
        return rates

    def _parts(self, hits: Any, predicted: Any, actual: Any) -> tuple[Any, Any]:
        """Numerator and denominator of the rate."""
        raise NotImplementedError(f"{type(self).__name__} must define _parts(). [BST-A14]")


class PrecisionMetric(_ClassRates):
    """The share of true ones among the samples predicted to be of a class.

    ``update(labels=..., predictions=...)`` takes integer classes of the same shape;
    ``update(labels=..., logits=...)`` predicts the largest logit. Samples with a label outside
    ``0 ... num_classes - 1`` are left out. Without `num_classes` there are two classes, and the
    result is that of class 1. Otherwise `average` says how those of all classes are combined: their
    mean (``"macro"``), the mean by number of samples (``"weighted"``), the rate of all counts
    together (``"micro"``), or not at all (None). A rate without any samples is 0.

    >>> import brainstate, jax.numpy as jnp
    >>> precision = brainstate.nn.metrics.PrecisionMetric()
    >>> precision.update(predictions=jnp.array([1, 1, 0, 0]), labels=jnp.array([1, 0, 1, 1]))
    >>> precision.compute()
    Array(0.5, dtype=float32)
    """

    def _parts(self, hits: Any, predicted: Any, actual: Any) -> tuple[Any, Any]:
        return hits, predicted


class RecallMetric(_ClassRates):
    """The share of the samples of a class that were found; arguments as `PrecisionMetric`.

    >>> import brainstate, jax.numpy as jnp
    >>> recall = brainstate.nn.metrics.RecallMetric(num_classes=2, average=None)
    >>> recall.update(predictions=jnp.array([1, 1, 0, 0]), labels=jnp.array([1, 0, 1, 1]))
    >>> recall.compute().round(3)
    Array([0.   , 0.333], dtype=float32)
    """

    def _parts(self, hits: Any, predicted: Any, actual: Any) -> tuple[Any, Any]:
        return hits, actual


class F1ScoreMetric(_ClassRates):
    """The harmonic mean of precision and recall; arguments as `PrecisionMetric`.

    >>> import brainstate, jax.numpy as jnp
    >>> score = brainstate.nn.metrics.F1ScoreMetric()
    >>> score.update(predictions=jnp.array([1, 1, 0, 0]), labels=jnp.array([1, 0, 1, 1]))
    >>> score.compute()
    Array(0.4, dtype=float32)
    """

    def _parts(self, hits: Any, predicted: Any, actual: Any) -> tuple[Any, Any]:
        return 2 * hits, predicted + actual


def _checked_count(num_classes: Any) -> int:
    if not isinstance(num_classes, (int, np.integer)) or num_classes < 1:
        raise ValueError(
            f"`num_classes` must be a positive integer; found {num_classes!r}. [BST-A02]"
        )
    return int(num_classes)


def _classes(
    predictions: Any, logits: Any, labels: Any, num_classes: int | None = None
) -> tuple[jax.Array, jax.Array]:
    """Predicted and true classes, as integers of the same shape."""
    labels = _integers(labels, "labels")
    if predictions is not None:
        predictions = _integers(predictions, "predictions")
        if predictions.shape != labels.shape:
            raise ValueError(
                "`predictions` must have the shape of `labels`; found "
                f"{predictions.shape} and {labels.shape}. [BST-A04]"
            )
        return predictions, labels
    if logits is None:
        raise TypeError("update() needs `predictions` or `logits` beside `labels`. [BST-A06]")
    logits = jnp.asarray(logits)
    if logits.ndim == 0 or logits.shape[:-1] != labels.shape:
        raise ValueError(
            "`logits` must have the shape of `labels` and one more axis, that of the classes; "
            f"found {logits.shape} and {labels.shape}. [BST-A04]"
        )
    if num_classes is not None and logits.shape[-1] != num_classes:
        raise ValueError(
            f"`logits` must end in an axis of {num_classes} classes; found {logits.shape}. "
            "[BST-A04]"
        )
    return jnp.argmax(logits, axis=-1), labels


def _integers(x: Any, name: str) -> jax.Array:
    x = jnp.asarray(x)
    if not (jnp.issubdtype(x.dtype, jnp.integer) or x.dtype == bool):
        raise ValueError(f"`{name}` must be integer classes; found {x.dtype}. [BST-A09]")
    return x.astype(wide_int())


def _counted(counts: jax.Array, *classes: jax.Array) -> jax.Array:
    """The counts with one more at each place, those outside left out."""
    return counts.at[classes].add(1, mode="drop", wrap_negative_indices=False)


def _ratio(part: Any, whole: Any) -> jax.Array:
    return jnp.where(whole == 0, 0.0, part / jnp.where(whole == 0, 1, whole))
