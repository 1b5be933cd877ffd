"""A training that is cut off, and goes on in new objects as if nothing had happened.

A run is the model, its optimizer, the generator of random numbers and the count of epochs: all that
the next step reads. It is saved after half of the epochs, while training goes on to the end. Then a
run with other weights and another seed is filled from the folder, and its losses are those of the
first run to the last bit. Last, the weights go into one file, which other programs read.
Run it with ``python examples/saving.py``; it needs scikit-learn, matplotlib, orbax-checkpoint and
safetensors.
"""

from pathlib import Path

import brainunit as u
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
import safetensors.numpy
from sklearn.datasets import load_digits

import brainstate as bst

OUT = Path("out")
STEPS, BATCH = 20, 200


class SpikingNet(bst.nn.Module):
    """LIF neurons between two layers of weights; the class with the highest mean output counts."""

    def __init__(self):
        super().__init__()
        self.input = bst.nn.Linear(64, 64)
        self.noise = bst.nn.Dropout(0.8)
        self.neurons = bst.nn.LIF(64, R=20.0 * u.ohm, tau=10.0 * u.ms)
        self.output = bst.nn.Linear(64, 10)

    def update(self, x):
        spikes = self.neurons(self.input(self.noise(x)) * u.mA)
        return self.output(spikes)


def new_run(seed):
    """All that training reads and writes, in one dict of nodes and States."""
    bst.random.seed(seed)
    net = bst.nn.init_all_states(SpikingNet(), batch_size=BATCH)
    optimizer = bst.optim.Adam(bst.optim.ExponentialLR(5e-3, gamma=0.97))
    optimizer.register_trainable_weights(net.states(bst.ParamState))
    return {"net": net, "optimizer": optimizer, "rng": bst.random.DEFAULT, "epoch": bst.State(0)}


def train(run, images, labels, epochs):
    """The mean loss of each epoch."""
    net, optimizer = run["net"], run["optimizer"]
    weights = net.states(bst.ParamState)

    def train_batch(index):
        def loss():
            bst.nn.reset_all_states(net, batch_size=BATCH)
            x = bst.random.bernoulli(images[index], size=(STEPS, BATCH, 64)).astype(float)
            scores = bst.compile.for_loop(net, x).mean(axis=0)
            losses = optax.softmax_cross_entropy_with_integer_labels(scores, labels[index])
            return losses.mean()

        gradients, value = bst.augment.grad(loss, weights, return_value=True)()
        optimizer.update(gradients)
        return value

    def train_epoch(_):
        order = bst.random.permutation(len(images))
        losses = bst.compile.for_loop(
            train_batch, order[: len(order) // BATCH * BATCH].reshape(-1, BATCH)
        )
        run["epoch"].value += 1
        optimizer.lr.step_epoch()
        return losses.mean()

    with bst.environ.context(dt=1.0 * u.ms, fit=True):
        return bst.compile.for_loop(train_epoch, jnp.arange(epochs))


def main(epochs=40):
    """Trains, saves, resumes; returns the losses of the whole run and those after the resume."""
    OUT.mkdir(exist_ok=True)
    digits = load_digits()
    images, labels = jnp.asarray(digits.data / 16), jnp.asarray(digits.target)
    half = epochs // 2

    run = new_run(seed=1)
    before = train(run, images, labels, half)
    saved = bst.saving.save_async(OUT / "saving_run", run)  # with the values of now
    after = train(run, images, labels, epochs - half)
    saved.result()

    resumed = new_run(seed=2)
    bst.saving.load(OUT / "saving_run", resumed)
    print(f"resumed after {resumed['epoch'].value} epochs")
    again = train(resumed, images, labels, epochs - half)
    print(f"the same losses to the last bit: {(again == after).all()}")

    bst.saving.save(OUT / "saving_weights.safetensors", run["net"], bst.ParamState)
    for name, array in safetensors.numpy.load_file(OUT / "saving_weights.safetensors").items():
        print(f"{name:24} {array.dtype} {array.shape}")

    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained", dpi=150)
    whole = jnp.concatenate([before, after])
    numbers = np.arange(1, epochs + 1)
    axes.semilogy(numbers, whole, color="0.7", linewidth=6, label="without a break")
    axes.semilogy(numbers[:half], before, color="tab:blue", label="until it was saved")
    axes.semilogy(numbers[half:], again, "--", color="tab:red", label="loaded into new objects")
    axes.axvline(half + 0.5, color="black", linewidth=0.8, linestyle=":")
    axes.set(xlabel="epoch", ylabel="training loss (nats)", xlim=(1, epochs))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(OUT / "saving.png")
    print(f"figure: {OUT}/saving.png")
    return whole, again


if __name__ == "__main__":
    main()
