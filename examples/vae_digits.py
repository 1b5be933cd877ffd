"""A variational autoencoder on handwritten digits, and digits that it draws by itself.

The encoder says where in a space of eight dimensions a digit lies, and how surely; the decoder
draws it from a point there. Random numbers are drawn inside the compiled training, by State.
D. P. Kingma and M. Welling (2014), Auto-encoding variational Bayes, ICLR; needs scikit-learn.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

import brainstate as bst
from brainstate import nn

OUT = Path("out")
BATCH = 100


class VAE(nn.Module):
    def __init__(self, pixels=64, hidden=128, latent=8):
        super().__init__()
        self.latent = latent
        self.encoder = nn.Sequential(
            nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent)
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, pixels)
        )

    def update(self, x):
        """The drawn images as logits, and mean and log variance of where they lie."""
        mean, log_variance = jnp.split(self.encoder(x), 2, axis=-1)
        code = mean + jnp.exp(0.5 * log_variance) * bst.random.normal(size=mean.shape)
        return self.decoder(code), mean, log_variance

    def draw(self, count):
        return jax.nn.sigmoid(self.decoder(bst.random.normal(size=(count, self.latent))))


def negative_bound(vae, x):
    """The negative evidence lower bound, in nats for each image."""
    logits, mean, log_variance = vae(x)
    reconstruction = (jax.nn.softplus(logits) - x * logits).sum(axis=-1)
    divergence = 0.5 * (mean**2 + jnp.exp(log_variance) - log_variance - 1).sum(axis=-1)
    return (reconstruction + divergence).mean()


def train(vae, images, epochs):
    """Trains by Adam, all epochs in one compiled program; returns the loss of each epoch."""
    weights = vae.states(bst.ParamState)
    optimizer = bst.optim.Adam(2e-3)
    optimizer.register_trainable_weights(weights)

    def batch(index):
        def loss():
            return negative_bound(vae, images[index])

        gradients, value = bst.augment.grad(loss, weights, return_value=True)()
        optimizer.update(gradients)
        return value

    def epoch(_):
        order = bst.random.permutation(len(images))
        batches = order[: len(order) // BATCH * BATCH].reshape(-1, BATCH)
        return bst.compile.for_loop(batch, batches).mean()

    return bst.compile.for_loop(epoch, jnp.arange(epochs))


def show(axes, images, title):
    framed = jnp.pad(images.reshape(-1, 10, 8, 8), ((0, 0), (0, 0), (1, 1), (1, 1)))
    tiles = framed.swapaxes(1, 2).reshape(-1, 100)
    axes.imshow(tiles, cmap="gray_r", vmin=0, vmax=1)
    axes.set(title=title, xticks=[], yticks=[])


def main(epochs=200):
    """Trains the autoencoder; returns the losses and the bound for images that it never saw."""
    bst.random.seed(0)
    images = jnp.asarray(load_digits().data / 16)
    seen, unseen = images[:1500], images[1500:]
    vae = VAE()
    losses = train(vae, seen, epochs)
    bound = negative_bound(vae, unseen)
    print(f"{losses[-1]:.2f} nats for each image in training, {bound:.2f} for those not seen")

    OUT.mkdir(exist_ok=True)
    figure = plt.figure(figsize=(10, 3.4), layout="constrained", dpi=150)
    curve, again, drawn = figure.subplots(1, 3, width_ratios=(1.2, 1, 1))
    bst.visualize.losses(losses, name="negative bound (nats)", ax=curve, title="Training")
    pairs = jnp.stack(
        [unseen[:40].reshape(4, 640), jax.nn.sigmoid(vae(unseen[:40])[0]).reshape(4, 640)], 1
    )
    show(again, pairs, "Unseen digits, and below each\nits reconstruction")
    show(drawn, vae.draw(80), "Drawn from random codes")
    figure.savefig(OUT / "vae_digits.png")
    print(f"figure: {OUT}/vae_digits.png")
    return losses, bound


if __name__ == "__main__":
    main()
