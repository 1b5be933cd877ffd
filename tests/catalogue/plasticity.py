"""Rules of plasticity. They return nothing, so each is called before the layer that it changes."""

import jax.numpy as jnp
import numpy as np

from brainstate import event, nn
from catalogue.entry import Entry

WEIGHTS = np.array([0.5, -1.0, 2.0])


class Learner(nn.Module):
    """A layer whose weights a rule changes at every call."""

    def __init__(self, layer, make_rule):
        super().__init__()
        self.in_size, self.out_size = layer.in_size, layer.out_size
        self.layer, self.rule = layer, make_rule(layer)

    def update(self, pre, *others):
        self.rule(pre, *others)
        return self.layer(pre)


def learner(name, layer, rule, *modulator):
    spikes = jnp.array([1.0, 0.0, 0.5]), jnp.array([0.0, 1.0])
    return Entry(
        name,
        lambda: Learner(layer(), rule),
        lambda: (*spikes, *map(jnp.asarray, modulator)),
        lambda: {"dt": 0.5},
        wrong=(
            lambda: (spikes[0], jnp.ones(3), *modulator),
            ValueError,
            r"`part.rule`.*spikes behind.*\(\.\.\., 2\); found \(3,\)",
        ),
        batched=False,  # samples share the weights that they change
    )


def pairs(layer):
    return nn.PairSTDP(layer, 0.3, 0.2, tau_plus=2.0, tau_minus=3.0, w_max=10.0)


def triplets(layer):
    return nn.TripletSTDP(layer, 0.3, 0.2, 0.1, 0.1, 2.0, 3.0, 4.0, 5.0)


ENTRIES = [
    learner("PairSTDP", lambda: nn.Linear(3, 2, w_init=0.5), pairs),
    learner("TripletSTDP", lambda: event.Linear(3, 2, WEIGHTS[:, None] * np.ones(2)), triplets),
    learner(
        "ThreeFactor",
        lambda: event.CSRLinear(3, 2, [0, 2, 2, 3], [0, 1, 1], WEIGHTS),
        lambda layer: nn.ThreeFactor(pairs(layer), tau_e=50.0),
        0.7,
    ),
]
