"""A transformation of one's own in thirty lines: gradients of what has no gradient.

`evolution_grad` estimates the gradient of any function with respect to States, by trying changes in
pairs of opposite sign. It works for hard spikes, composes with `jit` and loops, and is called like
`grad`. Here it teaches spiking neurons, whose spikes have no derivative, the rates they shall have.
T. Salimans, J. Ho, X. Chen, S. Sidor and I. Sutskever (2017), Evolution strategies as a scalable
alternative to reinforcement learning, arXiv:1703.03864.
"""

from pathlib import Path

import brainunit as u
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt

import brainstate as bst
from brainstate import nn

OUT = Path("out")


def evolution_grad(fun, states, pairs=64, sigma=0.1):
    """Like ``grad(fun, states, return_value=True)``, from `pairs` of changes of size `sigma`."""

    def gradients(*args):
        pure = bst.compile.StatefulFunction(fun)  # as a function of values, that changes no State
        pure.make_jaxpr(*args)
        needed = pure.get_states()
        values = {key: state.value for key, state in states.items()}
        own = {id(state): key for key, state in states.items()}

        def output(changed):
            filled = [changed[own[id(s)]] if id(s) in own else s.value for s in needed]
            return pure.jaxpr_call(filled, *args)[1]

        def lane(_):
            noise = jax.tree.map(lambda v: bst.random.normal(size=v.shape), values)
            up = output(jax.tree.map(lambda v, e: v + sigma * e, values, noise))
            down = output(jax.tree.map(lambda v, e: v - sigma * e, values, noise))
            return jax.tree.map(lambda e: (up - down) / (2 * sigma) * e, noise), (up + down) / 2

        return jax.tree.map(lambda x: x.mean(axis=0), bst.augment.vmap(lane)(jnp.arange(pairs)))

    return gradients


def hard(x):
    return (x > 0).astype(float)  # a step: its derivative is zero everywhere


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.synapses = nn.Linear(8, 4, w_init=bst.init.Normal(0.0, 0.1), b_init=1.5)
        self.neurons = nn.LIF(4, tau=10.0 * u.ms, spk_fun=hard)

    def update(self, x):
        return self.neurons(self.synapses(x) * u.mA)


def main(updates=400, steps=400):
    """Trains the network; returns the losses."""
    bst.random.seed(0)
    bst.environ.set(dt=1.0 * u.ms)
    net = nn.init_all_states(Net())
    weights = net.states(bst.ParamState)
    optimizer = bst.optim.Adam(0.03)
    optimizer.register_trainable_weights(weights)
    inputs, wanted = bst.random.rand(steps, 8), jnp.array([20.0, 40.0, 60.0, 80.0])

    def rates():
        nn.reset_all_states(net)
        return 1000.0 * bst.compile.for_loop(net, inputs).mean(axis=0)  # spikes per second

    def loss():
        return jnp.mean((rates() - wanted) ** 2)

    def train(_):
        gradients, value = evolution_grad(loss, weights)()
        optimizer.update(gradients)
        return value

    exact = bst.augment.grad(loss, weights)()
    steepest = max(float(jnp.abs(g).max()) for g in jax.tree.leaves(exact))
    before = rates()
    losses = bst.compile.for_loop(train, jnp.arange(updates))
    after = rates()
    print(f"largest derivative by grad: {steepest}")
    for when, found in {"before": before, "after": after}.items():
        print(f"mean squared error {when}: {jnp.mean((found - wanted) ** 2):.1f} Hz²")

    OUT.mkdir(exist_ok=True)
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained", dpi=150)
    bst.visualize.losses(losses, name="mean squared error (Hz²)", ax=left, title="Evolution")
    for place, (label, found) in enumerate({"before": before, "after": after}.items()):
        right.bar(jnp.arange(4) + 0.35 * place - 0.175, found, width=0.35, label=label)
    right.hlines(wanted, jnp.arange(4) - 0.4, jnp.arange(4) + 0.4, "black", label="wanted")
    right.set(xlabel="neuron", ylabel="rate (Hz)", xticks=range(4), title="Rates")
    right.legend(frameon=False)
    figure.savefig(OUT / "custom_transformation.png")
    print(f"figure: {OUT}/custom_transformation.png")
    return losses


if __name__ == "__main__":
    main()
