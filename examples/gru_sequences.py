"""Exercises of the shoulder, read by a GRU from how a smartwatch turns, for persons it never saw.

Ten persons did seven exercises with a watch at the wrist. Its gyroscope alone says little at any
one moment; what tells the exercises apart is the course of the movement. Each network is trained
without one of the persons and then reads this one; `vmap` trains all ten at the same time.
D. M. Burns et al. (2018), Shoulder physiotherapy exercise recognition: machine learning the
inertial signals from a smartwatch, Physiol. Meas. 39, 075007; the wheel of seglearn ships the data.
"""

from importlib.util import find_spec
from pathlib import Path

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import ConfusionMatrixDisplay

import brainstate as bst
from brainstate import nn

OUT = Path("out")
RATE, SECONDS = 10, 4  # readings per second; length of a sequence
BATCH = 32
NAMES = "pendulum", "abduction", "elevation", "int. rotation", "ext. rotation", "trapezius", "row"


def recordings(each=8):
    """Sequences, (persons, sequences, time, axes), in rad/s, and the exercise of each."""
    folder = find_spec("seglearn").submodule_search_locations[0]  # to import it takes pandas
    data = np.load(Path(folder) / "data" / "watch_dataset.npy", allow_pickle=True).item()
    length, x = SECONDS * RATE, []
    order = np.argsort(data["subject"], kind="stable")
    for turns in (data["X"][i][:, 3:] for i in order):
        slow = turns[: len(turns) // 5 * 5].reshape(-1, 5, 3).mean(axis=1)  # from 50 Hz
        starts = np.linspace(0, len(slow) - length, each).astype(int)
        x += [slow[start : start + length] for start in starts]
    persons = len(set(data["subject"]))
    y = np.repeat(data["y"][order].astype(int), each)
    return np.reshape(x, (persons, -1, length, 3)), y.reshape(persons, -1)


class Reader(nn.Module):
    """A GRU cell, and scores of the exercises at each moment."""

    def __init__(self, hidden=64):
        super().__init__()
        self.cell = nn.GRUCell(3, hidden)
        self.dropout = nn.Dropout(0.7)  # keeps 70 %
        self.scores = nn.Linear(hidden, len(NAMES))

    def update(self, x):
        return self.scores(self.dropout(self.cell(x)))

    def read(self, sequences):
        """The scores over time, (time, sequences, exercises)."""
        nn.reset_all_states(self, batch_size=len(sequences))
        return bst.compile.for_loop(self, sequences.swapaxes(0, 1))


def trained_reading(x, y, unseen, epochs):
    """What a reader trained on sequences `x` reads in `unseen`, (time, sequences)."""
    reader = nn.init_all_states(Reader(), batch_size=BATCH)
    weights = reader.states(bst.ParamState)
    optimizer = bst.optim.Adam(3e-3)
    optimizer.register_trainable_weights(weights)

    def batch(index):
        def loss():
            noisy = x[index] + 0.3 * bst.random.normal(size=(BATCH, *x.shape[1:]))
            scores = reader.read(noisy)[RATE:]  # the first second may pass in silence
            labels = jnp.broadcast_to(y[index], scores.shape[:2])
            return optax.softmax_cross_entropy_with_integer_labels(scores, labels).mean()

        optimizer.update(bst.augment.grad(loss, weights)())

    def epoch(_):
        order = bst.random.permutation(len(x))[: len(x) // BATCH * BATCH]
        bst.compile.for_loop(batch, order.reshape(-1, BATCH))

    with bst.environ.context(fit=True):
        bst.compile.for_loop(epoch, jnp.arange(epochs))
    with bst.environ.context(fit=False):
        return reader.read(unseen).argmax(axis=-1)


def reading_without_order(x, y, unseen):
    """What a random forest reads from the mean and the spread of each axis."""
    x, unseen = (np.concatenate([z.mean(axis=1), z.std(axis=1)], axis=1) for z in (x, unseen))
    return RandomForestClassifier(random_state=0).fit(x, y).predict(unseen)


def main(epochs=30, each=8, persons=10):
    """Reads persons by networks trained on all others; returns how often GRU and model hit."""
    bst.random.seed(0)
    x, y = recordings(each)
    x /= x.std(axis=(0, 1, 2))
    others = [np.delete(np.arange(len(x)), person) for person in range(persons)]
    seen, labels = (np.stack([np.concatenate(z[i]) for i in others]) for z in (x, y))
    unseen, y = x[:persons], y[:persons]
    train = bst.augment.vmap(lambda *data: trained_reading(*data, epochs))
    read = np.asarray(bst.compile.jit(train)(*map(jnp.asarray, (seen, labels, unseen))))
    right = np.mean(read == y[:, None], axis=(0, 2))  # over time
    still = [reading_without_order(*data) for data in zip(seen, labels, unseen, strict=True)]
    base = np.mean(still == y)
    print(f"{y.size} sequences, each of a person never seen: {100 * right[-1]:.0f} % right by GRU,")
    print(f"{100 * base:.0f} % by a forest on mean and spread, {100 / len(NAMES):.0f} % by chance")

    OUT.mkdir(exist_ok=True)
    figure = plt.figure(figsize=(12, 4), layout="constrained", dpi=150)
    turning, course, table = figure.subplots(1, 3, width_ratios=(1, 1, 1.2))
    times, rows = np.arange(1, SECONDS * RATE + 1) / RATE, -np.arange(len(NAMES))
    lines = [x[0, y[0] == -row][0, :, 1] / 4 + row for row in rows]
    turning.plot(times, np.transpose(lines), color="black", linewidth=1.2)
    turning.set(yticks=rows, yticklabels=NAMES, xlabel="time (s)")
    turning.set_title("Turning about one axis, one person")
    course.plot(times, 100 * right, label="GRU")
    course.axhline(100 * base, color="gray", linestyle="--", label="forest on mean and spread")
    course.axhline(100 / len(NAMES), color="black", linestyle=":", label="chance")
    course.set(
        xlabel="time seen (s)", ylabel="right (%)", ylim=(0, 100), title="Persons never seen"
    )
    course.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 0.16))
    ConfusionMatrixDisplay.from_predictions(
        y.ravel(), read[:, -1].ravel(), normalize="true", values_format=".2f",
        display_labels=NAMES, xticks_rotation=45, cmap="Blues", ax=table, colorbar=False,
    )  # fmt: skip
    table.set(xlabel="read as", ylabel="done", title="The GRU after 4 s")
    figure.savefig(OUT / "gru_sequences.png")
    print(f"figure: {OUT}/gru_sequences.png")
    return right[-1], base


if __name__ == "__main__":
    main()
