import brainunit as u
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import metrics as sk

import brainstate
from brainstate import transform as bt
from brainstate.nn.metrics import (
    Accuracy,
    Average,
    ConfusionMatrix,
    F1ScoreMetric,
    MetricState,
    MultiMetric,
    PrecisionMetric,
    RecallMetric,
    Statistics,
    Welford,
)

RNG = np.random.default_rng(0)
CLASSES, STEPS, BATCH = 4, 5, 6
VALUES = RNG.normal(100.0, 2.0, (STEPS, BATCH)).astype(np.float32)
LOGITS = RNG.normal(size=(STEPS, BATCH, CLASSES)).astype(np.float32)
PREDICTIONS = LOGITS.argmax(-1)
LABELS = RNG.integers(0, CLASSES - 1, (STEPS, BATCH))  # no sample of the last class
FLAT = LABELS.ravel(), PREDICTIONS.ravel()


def gathered(metric, **arguments):
    """The result after a compiled loop over the first axis of the arguments."""

    def step(*xs):
        metric.update(**dict(zip(arguments, xs, strict=True)))

    bt.jit(lambda: bt.for_loop(step, *map(jnp.asarray, arguments.values())))()
    return bt.jit(metric.compute)()


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_average():
    average = Average()
    assert np.isnan(average.compute())
    close(gathered(average, values=VALUES), VALUES.mean())
    average.update(values=7.0, loss=3.0)
    close(average.compute(), (VALUES.sum() + 7) / (VALUES.size + 1))
    assert isinstance(average.total, MetricState)
    assert (average.total.value.dtype, average.count.value.dtype) == (jnp.float32, jnp.int32)
    average.reset()
    average.update(values=[True, False])
    assert average.compute() == 0.5
    named = Average("loss")
    named.update(loss=np.arange(3), values=7.0)
    assert named.compute() == 1.0
    with pytest.raises(TypeError, match=r"Average needs the argument `loss`; found \['values'\]"):
        named.update(values=1.0)
    with pytest.raises(u.UnitMismatchError, match="`loss` must be a plain number"):
        named.update(loss=1.0 * u.mV)


def test_types_follow_the_precision_but_are_never_too_short():
    with brainstate.environ.context(precision=64):
        wide = Average()
        wide.update(values=np.float32(0.1))
        assert wide.compute().dtype == jnp.float64
    with brainstate.environ.context(precision=16):
        narrow = Average()
        bt.for_loop(lambda: narrow.update(values=jnp.ones((), jnp.bfloat16)), length=1000)
        assert narrow.compute() == 1.0
        assert narrow.count.value == 1000


def test_welford():
    welford = Welford()
    found = gathered(welford, values=VALUES)
    assert isinstance(found, Statistics)
    deviation = np.std(np.float64(VALUES))
    close(found.mean, np.mean(np.float64(VALUES)))
    np.testing.assert_allclose(found.standard_deviation, deviation, rtol=1e-4)
    np.testing.assert_allclose(
        found.standard_error_of_mean, deviation / VALUES.size**0.5, rtol=1e-4
    )
    count = welford.count.value
    welford.reset()
    assert welford.count.value.dtype == count.dtype
    welford.update(values=jnp.zeros((0, 2)))
    assert all(np.isnan(x) for x in vars(welford.compute()).values())
    welford.update(values=3)
    assert vars(welford.compute()) == {
        "mean": 3.0, "standard_error_of_mean": 0.0, "standard_deviation": 0.0
    }  # fmt: skip
    with pytest.raises(TypeError, match="Welford needs the argument `values`"):
        welford.update(loss=1.0)


def test_accuracy():
    accuracy = Accuracy()
    found = gathered(accuracy, logits=LOGITS, labels=LABELS)
    close(found, sk.accuracy_score(*FLAT))
    for logits, labels, message in [
        (np.ones((2, 3)), np.ones(2), "`labels` must be integer classes; found float"),
        (np.ones((2, 3)), np.ones((2, 3), int), r"`logits`.*one more axis.*\(2, 3\) and \(2, 3\)"),
        (np.ones((2, 3)), np.ones(3, int), r"`logits`.*\(2, 3\) and \(3,\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            accuracy.update(logits=logits, labels=labels)
    close(accuracy.compute(), found)


KINDS = [
    (PrecisionMetric, sk.precision_score),
    (RecallMetric, sk.recall_score),
    (F1ScoreMetric, sk.f1_score),
]


@pytest.mark.parametrize("average", ["macro", "micro", "weighted", None])
def test_class_rates_agree_with_scikit_learn(average):
    every = MultiMetric(**{kind.__name__: kind(CLASSES, average) for kind, _ in KINDS})
    found = gathered(every, logits=LOGITS, labels=LABELS)
    for kind, score in KINDS:
        expected = score(*FLAT, average=average, labels=range(CLASSES), zero_division=0)
        close(found[kind.__name__], expected)


def test_two_classes():
    labels, predictions = LABELS % 2, PREDICTIONS % 2
    every = MultiMetric(**{kind.__name__: kind() for kind, _ in KINDS})
    found = gathered(every, labels=labels == 1, predictions=predictions)
    for kind, score in KINDS:
        close(found[kind.__name__], score(labels.ravel(), predictions.ravel()))
    nothing = PrecisionMetric()
    assert nothing.compute() == 0.0


def test_confusion_matrix():
    matrix = ConfusionMatrix(CLASSES)
    found = gathered(matrix, predictions=PREDICTIONS, labels=LABELS)
    np.testing.assert_array_equal(found, sk.confusion_matrix(*FLAT, labels=range(CLASSES)))
    matrix.reset()
    assert not matrix.compute().any()


def test_samples_with_unknown_labels_are_left_out():
    labels, predictions = np.array([0, 1, -1, 2, 9]), np.array([0, 0, 1, 2, 1])
    known = labels[[0, 1, 3]], predictions[[0, 1, 3]]
    matrix, precision = ConfusionMatrix(3), PrecisionMetric(3)
    for metric in (matrix, precision):
        metric.update(labels=labels, predictions=predictions)
    np.testing.assert_array_equal(matrix.compute(), sk.confusion_matrix(*known, labels=range(3)))
    expected = sk.precision_score(*known, average="macro", labels=range(3), zero_division=0)
    close(precision.compute(), expected)


def test_several_metrics_are_nodes():
    both = MultiMetric(accuracy=Accuracy(), loss=Average("loss"))
    assert set(brainstate.graph.states(both)) == {
        (name, state) for name in ("accuracy", "loss") for state in ("count", "total")
    }
    assert isinstance(both.loss, brainstate.graph.Node)
    found = gathered(both, logits=LOGITS, labels=LABELS, loss=VALUES)
    close(found["accuracy"], sk.accuracy_score(*FLAT))
    close(found["loss"], VALUES.mean())
    both.reset()
    assert all(np.isnan(value) for value in both.compute().values())


def test_wrong_arguments():
    for make, error, message in [
        (lambda: MultiMetric(a=3), TypeError, "`a` must be a Metric; found 3"),
        (lambda: MultiMetric(reset=Average()), ValueError, "'reset'.*rename"),
        (lambda: ConfusionMatrix(0), ValueError, "`num_classes`.*found 0"),
        (lambda: RecallMetric(2.0), ValueError, "`num_classes`.*found 2.0"),
        (lambda: F1ScoreMetric(2, "mean"), ValueError, "`average`.*'macro'.*found 'mean'"),
    ]:
        with pytest.raises(error, match=message):
            make()
    precision = PrecisionMetric(3)
    for arguments, error, message in [
        (
            {"predictions": [0, 1], "labels": [0]},
            ValueError,
            r"`predictions`.*\(2,\) and \(1,\)",
        ),
        ({"predictions": [0.5], "labels": [0]}, ValueError, "`predictions` must be integer"),
        ({"logits": np.ones((1, 2)), "labels": [0]}, ValueError, r"3 classes; found \(1, 2\)"),
        ({"labels": [0]}, TypeError, "`predictions` or `logits`"),
    ]:
        with pytest.raises(error, match=message):
            precision.update(**arguments)
    assert not precision.actual.value.any()
