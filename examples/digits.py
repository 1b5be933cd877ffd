"""Handwritten digits by a recurrent spiking network, trained through time with surrogate gradients.

Run it with ``python examples/digits.py``; it takes about half a minute on two cores and needs
scikit-learn, matplotlib and tqdm. It prints the accuracy on digits that the network has not seen
and leaves a figure in ``out/``.
"""

from pathlib import Path

import brainunit as u
import jax.numpy as jnp
import optax
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import brainstate as bst

OUT = Path("out")
EPOCHS, BATCH, STEPS = 80, 64, 40

bst.random.seed(0)
bst.environ.set(dt=1.0 * u.ms)


class SpikingNet(bst.nn.Module):
    """Recurrent LIF neurons whose spikes drive leaky class scores."""

    def __init__(self, n_in, n_hidden, n_out):
        super().__init__()
        self.synapses = bst.nn.Linear(n_in + n_hidden, n_hidden)
        self.neurons = bst.nn.LIF(n_hidden, R=20.0 * u.ohm, tau=20.0 * u.ms)
        self.readout = bst.nn.Linear(n_hidden, n_out)
        self.tau = 20.0 * u.ms

    def variables(self):
        return {"scores": bst.nn.Variable(0.0, self.readout.out_size)}

    def update(self, inputs):
        before = self.neurons.get_spike()
        spikes = self.neurons(self.synapses(jnp.concatenate([inputs, before], axis=-1)) * u.mA)
        drive = self.readout(spikes) / u.ms
        self.scores.value = bst.nn.exp_euler_step(lambda s: drive - s / self.tau, self.scores.value)
        return self.scores.value, spikes


def encode(images):
    """Poisson spikes at rates that follow the brightness: (steps, batch, pixels)."""
    return bst.random.bernoulli(0.5 * images, size=(STEPS, *images.shape)).astype(float)


def run(images):
    """Class scores, averaged over time, and all spikes of the hidden neurons."""
    bst.nn.reset_all_states(net, batch_size=len(images))
    scores, spikes = bst.compile.for_loop(net, encode(images))
    return scores.mean(axis=0), spikes


def train_batch(index):
    def loss():
        scores, _ = run(x_train[index])
        return optax.softmax_cross_entropy_with_integer_labels(scores, y_train[index]).mean()

    gradients, value = bst.augment.grad(loss, weights, return_value=True)()
    opt.update(gradients)
    return value


def train_epoch(epoch):
    order = bst.random.permutation(len(x_train))
    batches = order[: len(order) // BATCH * BATCH].reshape(-1, BATCH)
    return bst.compile.for_loop(train_batch, batches).mean()


digits = load_digits()
parts = train_test_split(digits.data / 16, digits.target, test_size=0.2, random_state=0)
x_train, x_test, y_train, y_test = map(jnp.asarray, parts)

net = bst.nn.init_all_states(SpikingNet(64, 128, 10), batch_size=BATCH)
weights = net.states(bst.ParamState)
opt = bst.optim.Adam(1e-3)
opt.register_trainable_weights(weights)

# One compiled program trains for all epochs.
bar = bst.compile.ProgressBar(desc="epochs")
losses = bst.compile.for_loop(train_epoch, jnp.arange(EPOCHS), pbar=bar)

scores, spikes = bst.compile.jit(run)(x_test)
print(f"test accuracy: {100 * (scores.argmax(axis=1) == y_test).mean():.1f} %")

OUT.mkdir(exist_ok=True)
figure = Figure(figsize=(10, 3.4), layout="constrained", dpi=150)
loss, raster, picture = figure.subplots(1, 3, width_ratios=(3, 4, 1.3))
loss.semilogy(jnp.arange(1, EPOCHS + 1), losses, color="black")
loss.set(xlabel="epoch", ylabel="training loss (nats)", title="Training", xlim=(1, EPOCHS))
times = jnp.arange(STEPS) * bst.environ.get_dt()
bst.visualize.raster(spikes[:, 0], times, ax=raster, title="Hidden neurons")
picture.imshow(x_test[0].reshape(8, 8), cmap="gray_r")
picture.set(title=f"read as {scores[0].argmax()}", xticks=[], yticks=[])
figure.savefig(OUT / "digits.png")
print(f"figure: {OUT}/digits.png")
