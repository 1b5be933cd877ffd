"""An ensemble of twenty networks by `vmap` of their constructor, and how sure it is.

The networks agree where there were data and part where there were none: their spread is a measure
of what they do not know. One model holds the weights of all, and one call trains them.
B. Lakshminarayanan, A. Pritzel and C. Blundell (2017), Simple and scalable predictive uncertainty
estimation using deep ensembles, NeurIPS 30.
"""

from pathlib import Path

import jax.numpy as jnp
import matplotlib.pyplot as plt

import brainstate as bst
from brainstate import nn

OUT = Path("out")


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)
        )

    def update(self, x):
        return self.layers(x[:, None])[:, 0]


def data(n=60):
    """A noisy sine, with a gap in the middle and nothing at the sides."""
    x = bst.random.uniform(0.0, 2.0, n)
    x = jnp.where(x < 1.0, x - 2.0, x)  # -2 to -1 and 1 to 2
    return x, jnp.sin(2.0 * x) + 0.1 * bst.random.normal(size=n)


predict = bst.augment.vmap(lambda net, x: net(x), in_axes=(0, None))


def main(epochs=2000, members=20):
    """Trains the ensemble; returns where it was asked, and what each member answered there."""
    bst.random.seed(0)
    x, y = data()
    ensemble = bst.augment.vmap(Network, axis_size=members)()
    weights = ensemble.states(bst.ParamState)
    optimizer = bst.optim.Adam(3e-3)
    optimizer.register_trainable_weights(weights)

    def loss():
        errors = (predict(ensemble, x) - y) ** 2
        return errors.mean(axis=1).sum()  # each member learns from its own error

    def train(_):
        gradients, value = bst.augment.grad(loss, weights, return_value=True)()
        optimizer.update(gradients)
        return value / members

    losses = bst.compile.for_loop(train, jnp.arange(epochs))
    places = jnp.linspace(-4.0, 4.0, 200)
    answers = predict(ensemble, places)
    mean, spread = answers.mean(axis=0), answers.std(axis=0)
    known = ((abs(places) > 1.0) & (abs(places) < 2.0)).nonzero()
    print(f"{members} networks, mean squared error {losses[-1]:.4f}")
    print(f"spread {spread[known].mean():.3f} where there were data, {spread.max():.2f} at most")

    OUT.mkdir(exist_ok=True)
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained", dpi=150)
    axes.plot(places, answers.T, color="tab:blue", alpha=0.25, linewidth=0.7)
    axes.fill_between(places, mean - 2 * spread, mean + 2 * spread, color="tab:blue", alpha=0.15)
    axes.plot(places, mean, color="tab:blue", label="mean ± 2 standard deviations")
    axes.plot(places, jnp.sin(2.0 * places), color="black", linestyle="--", label="truth")
    axes.plot(x, y, "k.", label="data")
    axes.set(xlabel="x", ylabel="y", xlim=(-4, 4), ylim=(-3, 3), title=f"{members} networks")
    axes.legend(frameon=False, loc="upper right")
    figure.savefig(OUT / "ensemble.png")
    print(f"figure: {OUT}/ensemble.png")
    return places, answers


if __name__ == "__main__":
    main()
