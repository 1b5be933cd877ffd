"""Metrics: figures gathered over many steps of training or evaluation, also in compiled loops."""

from .averages import Average, Statistics, Welford
from .base import Metric, MetricState, MultiMetric
from .classification import (
    Accuracy,
    ConfusionMatrix,
    F1ScoreMetric,
    PrecisionMetric,
    RecallMetric,
)

__all__ = [
    "Metric",
    "MetricState",
    "MultiMetric",
    # of numbers
    "Average",
    "Statistics",
    "Welford",
    # of classifiers
    "Accuracy",
    "ConfusionMatrix",
    "F1ScoreMetric",
    "PrecisionMetric",
    "RecallMetric",
]
